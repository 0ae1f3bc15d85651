"""What the Best-of-N page can be asked to do: generate, resume, score, open a stored run.

Each gives the worker a job and the model's session a view of it; nothing here waits.
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
from playground.testtime.request import BestOfNRequest, candidate_request
from playground.testtime.running import ScoringProgress, score_all
from playground.testtime.stored_runs import StoredRun, available_store
from playground.testtime.types import ScoreColumn
from playground.ui.best_of_n_page.session import ModelSession, chosen, present_request
from playground.ui.kit import session
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id, visitor_id
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.shared import check_best_of_n, visitor_limits
from playground.ui.workspace.survival import keep_for_tab, kept_for_tab


def start_run(own: ModelSession, worker: Worker, request: BestOfNRequest, *, retain_samples: bool = False) -> None:
    """Generate anew. The present run gives way only once the request has been found good.

    ``retain_samples``: samples that are there stay, if they were asked for in the same way, and only beams are added.
    """
    check_best_of_n(request)
    first = candidate_request(request, worker.engine.codec).rows()[0]
    visitor_limits().check_prompt(len(first.prompt_ids))
    check_requests([first], worker.engine)
    if request.beams:
        check_beams(worker.engine, first, request.beam_settings())
    run = LiveRun.after(request, own.run if retain_samples else None)
    recorder = RunRecorder.begin(request, origin_of(worker.engine.info), owner_id(), visitor_limits().check_runs)
    recorder.add(run.ordered)
    run.run_id = recorder.run
    own.run, own.opened = run, None
    _submit(own, worker, recorder)


def resume(own: ModelSession, worker: Worker) -> None:
    """Go on with what is missing of the present run."""
    run = own.run
    if run.request is None:
        return
    check_best_of_n(run.request)
    recorder = RunRecorder.resume(run.run_id, owner_id())
    run.cost = replace(run.cost, resumed=run.cost.resumed + 1)
    _submit(own, worker, recorder)


def take_up(own: ModelSession, worker: Worker) -> bool:
    """The run that the process before had for this browser tab, and whether it was being made. False where there is none."""
    text = kept_for_tab(_what(worker)) or ""
    run, _, under_way = text.partition(" ")
    store, _why = available_store(owner_id())
    if not run or store is None:
        return False
    with suppress(PlaygroundError):  # deleted meanwhile
        own.run = LiveRun.stored(store.load(run))
    return bool(under_way) and own.run.run_id == run


def note_run(own: ModelSession, worker: Worker) -> None:
    """Tell the process that may take this tab over which run it has, and whether it is being made: it is too where it failed."""
    if own.leader is not None:
        return
    under_way = own.doing == "run" and (own.busy or own.problem is not None)
    text = f"{own.run.run_id} under way" if under_way else own.run.run_id
    if own.run.run_id and own.results.get("noted") != text:
        own.results["noted"] = text
        keep_for_tab(_what(worker), text)


def _what(worker: Worker) -> str:
    return f"best-of-n {worker.engine.info.id}"


def _submit(own: ModelSession, worker: Worker, recorder: RunRecorder) -> None:
    run, request, candidates, cost = own.run, own.run.request, own.run.ordered, own.run.cost
    assert request is not None

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, CandidateRun]:
        return recorded_run(engine, request, recorder, written=candidates, before=cost, cancel=cancel)

    own.recorder = recorder
    own.begin("run", worker.submit(session_id(), "best-of-n", job), run.take)


def start_scoring(own: ModelSession, worker: Worker) -> None:
    """Ask the rules that need a model, beside whatever others do."""
    request, run, visitor, owner = present_request(), own.run, visitor_id(), owner_id()
    check_best_of_n(request)
    specs, candidates = run.missing_heavy(request), run.ordered
    if not specs or not candidates:
        return

    def job(engine: Engine, cancel: CancelToken) -> Generator[Any, None, Sequence[ScoreColumn]]:
        context = replace(context_of(request, visitor=visitor, cancel=cancel), engine=engine)
        return score_all(candidates, specs, context)

    def end(columns: Sequence[ScoreColumn]) -> None:
        run.heavy |= {column.label: column for column in columns}
        store, _why = available_store(owner)
        if store is not None and run.run_id:
            with suppress(PlaygroundError):  # such scores can be computed again
                store.put_columns(run.run_id, columns)

    def take(step: ScoringProgress) -> None:
        view.done, view.total, view.note = step.done, step.total, step.label

    view = own.begin("score", worker.submit(session_id(), "best-of-n-score", job), take, end)


def open_stored(own: ModelSession, stored: StoredRun) -> None:
    """Make a stored run the present one and set the controls as they stood. Raises BadInput where they cannot stand so."""
    setup, state = adopted(stored.request, workspace.setup(), chosen())
    own.make_way()
    own.run, own.opened = LiveRun.stored(stored), None
    session.put(setup)
    session.put(state)
