"""The tuning in view, as this session sees it: what is kept of it, and the job that writes it, if this tab does.

A plan is begun, paused, resumed and ended here; what a job has written is kept by ``tuning/runs.py``. Another tab's writing
is looked at in the store.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.generation.document import origin_of
from playground.store.records import StoreError
from playground.testtime.types import Candidate
from playground.tuning.pace import Pace
from playground.tuning.plan import Plan
from playground.tuning.predicting import trial_places
from playground.tuning.running import ROWS_AT_ONCE, PlanStep, plan_requests, write_places
from playground.tuning.runs import KeptTuning, Status, TuningStore, TuningWriter, check_same_model, kept_texts
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id
from playground.ui.tune_page.session import open_tuning, opened_tuning
from playground.ui.visitor import owner_id
from playground.ui.workspace.shared import check_requests, visitor_limits

LOOK_S = 2.0  # between two looks at what another tab has written


@dataclass(eq=False)
class TuningView(HasJob[None]):
    """``kept``: the tuning in view. ``job``: what this tab writes for it, at ``pace``; ``under_way``: tokens of unfinished texts.

    ``trial``: texts of a plan that is not begun, and the plan and model they are of. ``problem``: why the last step failed.
    """

    kept: KeptTuning | None = None
    writer: TuningWriter | None = None
    pace: Pace = field(default_factory=Pace)
    under_way: int = 0
    trial: dict[int, Candidate] = field(default_factory=dict)
    trial_of: object = None
    trying: bool = False
    looked: float = 0.0

    def ended(self, job: JobView[None]) -> None:
        if job.stopped and self.kept is not None and self.writer is not None and not self.trying:
            self._note(self.writer.ends_as)  # the store may not have been told yet
        elif not self.trying:
            _look(self, always=True)
            if self.kept is not None and self.writer is not None and self.writer.unsaid:
                self._note(self.writer.ends_as)
        self.trying = False

    def _note(self, status: Status) -> None:
        assert self.kept is not None
        self.kept = replace(self.kept, summary=replace(self.kept.summary, status=status, written=len(self.kept.texts)))


def tuning_view() -> TuningView:
    """This session's view, of the tuning that the page's link names."""
    own = session.get(TuningView)
    own.drain()
    wanted, shown = opened_tuning(), own.kept.id if own.kept else ""
    if own.busy and not own.trying:
        open_tuning(shown)  # another one is opened once this one is paused
    elif wanted != shown:
        own.kept, own.problem, own.pace = None, "", Pace()
        if wanted:
            _open(own, wanted)
    else:
        _look(own)
    return own


def view_tuning() -> KeptTuning | None:
    """The tuning in view with the texts there are by now; None where none is open."""
    return tuning_view().kept


def is_written_elsewhere(own: TuningView) -> bool:
    """Whether another tab writes the tuning in view."""
    return own.kept is not None and own.kept.summary.status == "running" and not own.busy


# -- what the reader asks for --------------------------------------------------------------------------------------------


def start(worker: Worker, plan: Plan, name: str) -> None:
    """Begin a tuning, with what a trial of the same plan has written. Raises PlaygroundError before anything is begun."""
    own = tuning_view()
    _check(worker, plan)
    store = TuningStore(owner_id())
    visitor_limits().check_runs(store.count())
    tried = own.trial if own.trial_of == trial_key(worker, plan) else {}
    pace = own.pace if tried else Pace()
    tuning = store.start(plan, origin_of(worker.engine.info), name)
    writer = store.take_up(tuning)
    assert writer is not None  # nobody else has heard of it
    try:
        writer.add(tuple(tried.values()))
        own.kept, own.pace, own.trial, own.trial_of = store.load(tuning), pace, {}, None
    except StoreError:  # the trial is still there to begin with again
        with suppress(StoreError):
            store.delete(tuning)
        raise
    open_tuning(tuning)
    _write(own, worker, writer)


def resume(worker: Worker) -> None:
    """Write what is missing of the tuning in view; nothing where another tab is at it. Raises PlaygroundError."""
    own = tuning_view()
    if own.kept is None or own.busy:
        return
    check_same_model(own.kept.origin, worker.engine.info)
    _check(worker, own.kept.plan)
    store = TuningStore(owner_id())
    writer = store.take_up(own.kept.id, former=own.writer)
    own.kept = store.load(own.kept.id)
    if writer is not None:
        _write(own, worker, writer)


def end(status: Status) -> None:
    """Let go of the model: "paused" to go on later, "stopped" for good. What is written stays."""
    own = tuning_view()
    if own.job is not None:
        if own.writer is not None:
            own.writer.ends_as = status
        own.job.stop()
    elif own.kept is not None and status == "stopped":
        store = TuningStore(owner_id())
        writer = store.take_up(own.kept.id)
        if writer is not None:
            writer.end(status)
        _look(own, always=True)


def try_first(worker: Worker, plan: Plan) -> None:
    """Write a few texts, spread over examples and settings: how long they get, and how fast they come."""
    own = tuning_view()
    _check(worker, plan)
    own.trial, own.trial_of, own.trying, own.pace, own.problem = {}, trial_key(worker, plan), True, Pace(), ""
    places, rows = trial_places(plan), _rows()

    def job(engine: Engine, cancel: CancelToken) -> Generator[PlanStep, None, None]:
        return write_places(engine, plan, places, rows=rows, cancel=cancel)

    _begin(own, worker.submit(session_id(), "tune", job), own.trial)


def trial_key(worker: Worker, plan: Plan) -> object:
    """What the texts of a trial depend on."""
    return (
        worker.engine.info.revision,
        plan.examples,
        tuple(plan.settings.values()),
        plan.samples,
        plan.max_new_tokens,
        plan.seed,
        plan.chat,
    )


def _write(own: TuningView, worker: Worker, writer: TuningWriter) -> None:
    assert own.kept is not None
    plan, earlier, rows = own.kept.plan, dict(own.kept.texts), _rows()
    texts: dict[int, Candidate] = dict(earlier)
    own.kept = replace(own.kept, texts=texts, summary=replace(own.kept.summary, status="running", problem=""))
    own.writer, own.problem = writer, ""

    def job(engine: Engine, cancel: CancelToken) -> Generator[PlanStep, None, None]:
        return kept_texts(engine, plan, writer, written=earlier, rows=rows, cancel=cancel)

    _begin(own, worker.submit(session_id(), "tune", job), texts)


def _begin(own: TuningView, ticket: Ticket[None], texts: dict[int, Candidate]) -> None:
    def take(step: PlanStep) -> None:
        texts.update((one.index, one) for one in step.finished)
        own.pace.add(step)
        own.under_way += step.new_tokens - sum(one.n_tokens for one in step.finished)

    own.under_way = 0
    own.job = JobView(ticket, take)


def _check(worker: Worker, plan: Plan) -> None:
    """What a visitor may ask for, and whether each prompt fits. Raises PlaygroundError."""
    for request in plan_requests(worker.engine, plan)[:: plan.samples]:
        check_requests([request])


def _rows() -> int:
    return min(ROWS_AT_ONCE, visitor_limits().rows)


def _open(own: TuningView, tuning: str) -> None:
    try:
        own.kept = TuningStore(owner_id()).load(tuning)
    except PlaygroundError as error:
        open_tuning("")
        own.problem = str(error)


def _look(own: TuningView, *, always: bool = False) -> None:
    """What the store says of the tuning in view by now, while another tab may be writing it."""
    now = time.monotonic()
    if own.kept is None or (not always and (now - own.looked < LOOK_S or own.kept.summary.status != "running")):
        return
    own.looked = now
    try:
        store = TuningStore(owner_id())
        summary = store.summary(own.kept.id)
        if summary.written != len(own.kept.texts):
            own.kept = store.load(own.kept.id)
        else:
            own.kept = replace(own.kept, summary=summary)
    except BadInput as error:  # it was deleted meanwhile, as from another tab
        open_tuning("")
        own.kept, own.problem = None, str(error)
    except PlaygroundError as error:
        own.problem = own.problem or str(error)
