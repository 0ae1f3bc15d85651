"""What the Best-of-N page can be asked to do to its bench: generate, resume, score, open a kept run.

Each gives the worker a job and the bench its ticket; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation.document import origin_of
from playground.testtime.beam import check_beams
from playground.testtime.events import Event
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.registry import score_all
from playground.testtime.request import BestOfNRequest, candidate_request
from playground.testtime.scoring import ScoringContext
from playground.testtime.store import RunCost, StoredRun
from playground.ui import state
from playground.ui.best_of_n_page.bench import Bench, Job, options, present_asking, put_options, run_store
from playground.ui.generate_page.stream import somebody_is_there
from playground.ui.runtime import session_id


def make_way(mine: Bench) -> None:
    """Stop what is under way; what it has finished stays."""
    mine.stop()
    mine.drain()
    mine.job = None
    mine.problem = mine.note = None


def start_run(mine: Bench, worker: Worker, asking: BestOfNRequest, *, keep: bool = False) -> None:
    """Generate anew. What was on the bench gives way only once the request has been found good.

    ``keep``: samples that are there stay, if they were asked for in the same way, and only beams are added.
    """
    from playground.generation import check_requests

    first = candidate_request(asking, worker.engine.codec).rows()[0]
    check_requests([first], worker.engine.info)
    if asking.beams:
        check_beams(worker.engine, first, asking.beam_settings())
    same = keep and mine.asking is not None and _samples(mine.asking) == _samples(asking)
    samples = {index: one for index, one in mine.candidates.items() if one.beam_score is None} if same else {}
    cost = mine.cost if same else RunCost()
    keeper = _keeper(mine, asking, worker)
    keeper.add(tuple(samples.values()))
    mine.asking, mine.candidates, mine.heavy, mine.opened = asking, samples, {}, None
    mine.cost, mine.plan = cost, None
    if not same:
        mine.timings, mine.prefills = [], []
    mine.run_id = keeper.run
    mine.job = _submit(mine, worker, keeper)


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
    if mine.asking is None:
        return
    store = run_store()
    keeper = RunRecorder(store, mine.run_id)
    if store is not None and mine.run_id:
        store.take_up(mine.run_id)
    mine.cost = replace(mine.cost, resumed=mine.cost.resumed + 1)
    mine.job = _submit(mine, worker, keeper)


def _keeper(mine: Bench, asking: BestOfNRequest, worker: Worker) -> RunRecorder:
    store = run_store()
    if store is None:
        return RunRecorder(problem=st.session_state.get("best_of_n_store_problem"))
    try:
        return RunRecorder(store, store.start(asking, origin_of(worker.engine.info)))
    except PlaygroundError as error:
        return RunRecorder(problem=str(error))


def _submit(mine: Bench, worker: Worker, keeper: RunRecorder) -> Job:
    session, asking, known, cost = session_id(), mine.asking, mine.ordered, mine.cost
    assert asking is not None

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, Any]:
        return recorded_run(
            engine,
            asking,
            keeper,
            known=known,
            before=cost,
            cancel=cancel,
            is_wanted=lambda: somebody_is_there(session),
        )

    return Job("run", worker.submit(session, "best-of-n", job), keeper)


def start_scoring(mine: Bench, worker: Worker) -> None:
    """Ask the rules that need a model, beside whatever others do."""
    chosen = present_asking()
    specs = mine.missing_heavy(chosen)
    if not specs or not mine.candidates:
        return
    candidates = mine.ordered

    session = session_id()

    def job(engine: Engine, cancel: CancelToken) -> Generator[Any, None, Any]:
        context = ScoringContext(
            chosen.prompt, chosen.reference or None, chosen.answer_pattern or None, engine, session, cancel
        )
        return score_all(candidates, specs, context)

    mine.job = Job("score", worker.submit(session, "best-of-n-score", job))


def open_stored(mine: Bench, stored: StoredRun) -> None:
    """Put a kept run on the bench and the controls where they stood."""
    from playground.ui.best_of_n_page.options import adopted

    mine.stop()
    mine.job = None
    mine.asking, mine.cost, mine.plan = stored.asking, stored.cost, None
    mine.candidates = {candidate.index: candidate for candidate in stored.candidates}
    mine.heavy = {column.label: column for column in stored.columns}
    mine.timings, mine.prefills, mine.opened = [], [], None
    mine.run_id, mine.problem, mine.note = stored.summary.id, None, None
    setup, chosen = adopted(stored.asking, state.setup(), options())
    state.put(setup)
    put_options(chosen)
