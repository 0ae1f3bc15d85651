"""What the Best-of-N page can be asked to do to its bench: generate, resume, score, open a kept run.

Each gives the worker a job and the bench a view of it; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation import check_requests
from playground.generation.document import origin_of
from playground.state.best_of_n import adopted
from playground.testtime.beam import check_beams
from playground.testtime.events import Event
from playground.testtime.generate import CandidateRun
from playground.testtime.live_run import LiveRun, context_of
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.registry import ScoringProgress, score_all
from playground.testtime.request import BestOfNRequest, candidate_request
from playground.testtime.stored_runs import StoredRun
from playground.testtime.types import ScoreColumn
from playground.ui.best_of_n_page.session import Bench, chosen, present_asking, run_store
from playground.ui.kit import session
from playground.ui.runtime import session_id
from playground.ui.workspace import setup as workspace


def start_run(mine: Bench, worker: Worker, asking: BestOfNRequest, *, keep: bool = False) -> None:
    """Generate anew. What was on the bench gives way only once the request has been found good.

    ``keep``: samples that are there stay, if they were asked for in the same way, and only beams are added.
    """
    first = candidate_request(asking, worker.engine.codec).rows()[0]
    check_requests([first], worker.engine.info)
    if asking.beams:
        check_beams(worker.engine, first, asking.beam_settings())
    old, run = mine.run, LiveRun(asking)
    if keep and old.asking is not None and _samples(old.asking) == _samples(asking):
        run.candidates = {one.index: one for one in old.samples}
        run.cost, run.timings = old.cost, old.timings
    keeper = _keeper(asking, worker)
    keeper.add(run.ordered)
    run.run_id = keeper.run
    mine.run, mine.opened = run, None
    _submit(mine, worker, keeper)


def _samples(asking: BestOfNRequest) -> BestOfNRequest:
    """The request as far as samples depend on it."""
    return replace(
        asking,
        beams=0,
        beam_groups=1,
        diversity_penalty=0.0,
        length_penalty=1.0,
        scorers=(),
        reference="",
        answer_pattern="",
    )


def resume(mine: Bench, worker: Worker) -> None:
    """Go on with what is missing of the run on the bench."""
    run = mine.run
    if run.asking is None:
        return
    store, _why = run_store()
    if store is not None and run.run_id:
        store.take_up(run.run_id)
    run.cost = replace(run.cost, resumed=run.cost.resumed + 1)
    _submit(mine, worker, RunRecorder(store, run.run_id))


def _keeper(asking: BestOfNRequest, worker: Worker) -> RunRecorder:
    store, why = run_store()
    if store is None:
        return RunRecorder(problem=why)
    try:
        return RunRecorder(store, store.start(asking, origin_of(worker.engine.info)))
    except PlaygroundError as error:
        return RunRecorder(problem=str(error))


def _submit(mine: Bench, worker: Worker, keeper: RunRecorder) -> None:
    run, asking, known, cost = mine.run, mine.run.asking, mine.run.ordered, mine.run.cost
    assert asking is not None

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, CandidateRun]:
        return recorded_run(engine, asking, keeper, known=known, before=cost, cancel=cancel)

    mine.keeper = keeper
    mine.begin("run", worker.submit(session_id(), "best-of-n", job), run.take)


def start_scoring(mine: Bench, worker: Worker) -> None:
    """Ask the rules that need a model, beside whatever others do."""
    asking, run, visitor = present_asking(), mine.run, session_id()
    specs, candidates = run.missing_heavy(asking), run.ordered
    if not specs or not candidates:
        return

    def job(engine: Engine, cancel: CancelToken) -> Generator[Any, None, Sequence[ScoreColumn]]:
        context = replace(context_of(asking, visitor=visitor, cancel=cancel), engine=engine)
        return score_all(candidates, specs, context)

    def end(columns: Sequence[ScoreColumn]) -> None:
        run.heavy |= {column.label: column for column in columns}
        store, _why = run_store()
        if store is not None and run.run_id:
            with suppress(PlaygroundError):  # such scores can be computed again
                store.put_columns(run.run_id, columns)

    def take(step: ScoringProgress) -> None:
        view.done, view.total, view.note = step.done, step.total, step.label

    view = mine.begin("score", worker.submit(visitor, "best-of-n-score", job), take, end)


def open_stored(mine: Bench, stored: StoredRun) -> None:
    """Put a kept run on the bench and the controls where they stood. Raises BadInput where they cannot stand so."""
    setup, state = adopted(stored.asking, workspace.setup(), chosen())
    mine.make_way()
    mine.run, mine.opened = LiveRun.stored(stored), None
    workspace.put(setup)
    session.put(state)
