"""The training in view, as this session sees it: what is kept of it, and the job that goes on with it, if this tab does.

A training is begun, paused, resumed and ended here; its steps and checkpoints are kept by ``training/runs.py``. Another
tab's is looked at in the store.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.generation.document import origin_of
from playground.training.demonstrations import Demonstration
from playground.training.line import training_line
from playground.training.runs import KeptTraining, Status, TrainingStore, TrainingWriter
from playground.training.settings import TrainSettings
from playground.training.steps import Noted, Reading, TrainStep
from playground.training.teachable import teachable
from playground.ui.examples_page.session import open_training, opened_training
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id
from playground.ui.workspace.shared import visitor_limits

LOOK_S = 2.0  # between two looks at what another tab does


@dataclass(eq=False)
class TrainingView(HasJob[Any]):
    """``kept``: the training in view. ``steps``: its steps as far as this tab has seen them. ``job``: what this tab trains.
    ``notes``: what was said of its rows. ``ending``: its job is over here and may still be writing its last checkpoint.
    """

    kept: KeptTraining | None = None
    writer: TrainingWriter | None = None
    steps: list[TrainStep] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    looked: float = 0.0
    ending: bool = False

    def ended(self, job: JobView[Any]) -> None:
        self.ending = True
        _look(self, always=True)

    @property
    def rows(self) -> tuple[Demonstration, ...]:
        """What the training in view teaches."""
        return () if self.kept is None else tuple(row for row in self.kept.rows if isinstance(row, Demonstration))


def training_view() -> TrainingView:
    """This session's view, of the training that the page's link names."""
    own = session.get(TrainingView)
    own.drain()
    wanted, shown = opened_training(), own.kept.id if own.kept else ""
    if own.busy:
        open_training(shown)  # another one is opened once this one is paused
    elif wanted != shown:
        own.kept, own.problem, own.steps, own.notes = None, "", [], ()
        if wanted:
            _open(own, wanted)
    else:
        _look(own)
    return own


def is_under_way(own: TrainingView) -> bool:
    """Whether the training in view goes on without this tab: in another one, or to its last checkpoint."""
    return own.kept is not None and own.kept.summary.status == "running" and not own.busy


# -- what the reader asks for ------------------------------------------------------------------------------------------


def start(worker: Worker, rows: Sequence[Demonstration], settings: TrainSettings, name: str, seconds: float) -> None:
    """Begin a training. ``seconds``: how long it is expected to take. Raises PlaygroundError before anything is begun."""
    own = training_view()
    teachable(worker.engine.info)
    store = TrainingStore(owner_id())
    visitor_limits().check_runs(len(store.trainings()))
    training = store.start(rows, settings.checked(), origin_of(worker.engine.info), name)
    writer = store.take_up(training)
    assert writer is not None  # nobody else has heard of it
    own.kept, own.steps, own.notes = store.load(training), [], ()
    open_training(training)
    _train(own, worker, writer, seconds)


def resume(worker: Worker, seconds: float) -> None:
    """Go on from the last checkpoint of the training in view; nothing where another tab is at it. Raises PlaygroundError."""
    own = training_view()
    if own.kept is None or own.busy:
        return
    store = TrainingStore(owner_id())
    writer = store.take_up(own.kept.id)
    own.kept = store.load(own.kept.id)
    own.steps = list(own.kept.steps)
    if writer is not None:
        _train(own, worker, writer, seconds)


def end(status: Status) -> None:
    """Let go of the machine: "paused" to go on later, "stopped" for good. The best adapter so far stays."""
    own = training_view()
    if own.job is not None:
        if own.writer is not None:
            own.writer.ends_as = status
        own.job.stop()


def _train(own: TrainingView, worker: Worker, writer: TrainingWriter, seconds: float) -> None:
    assert own.kept is not None
    from playground.training.running import kept_training  # it takes torch, and a page opens without it

    kept = own.kept
    own.kept = replace(kept, summary=replace(kept.summary, status="running", problem=""))
    own.writer, own.problem = writer, ""

    def take(step: TrainStep | Reading | Noted) -> None:
        if isinstance(step, TrainStep):
            own.steps.append(step)
        elif isinstance(step, Noted):
            own.notes = step.notes

    ticket = training_line().submit(worker, session_id(), "train", kept_training(writer, kept), seconds)
    own.job = JobView(ticket, take)


def _open(own: TrainingView, training: str) -> None:
    try:
        kept = TrainingStore(owner_id()).load(training)
        if kept.settings.kind != "sft":
            raise BadInput(
                "That training is of votes and not of demonstrations: open it on the page Preferences.", "training"
            )
    except PlaygroundError as error:
        open_training("")
        own.problem = str(error)
    else:
        own.kept, own.steps, own.notes = kept, list(kept.steps), kept.notes


def _look(own: TrainingView, *, always: bool = False) -> None:
    """What the store says of the training in view by now, while another tab may be at it."""
    now = time.monotonic()
    if own.kept is None or (not always and (now - own.looked < LOOK_S or own.kept.summary.status != "running")):
        return
    own.looked = now
    try:
        own.kept = TrainingStore(owner_id()).load(own.kept.id)
        own.steps = list(own.kept.steps) if len(own.kept.steps) >= len(own.steps) else own.steps
        own.notes = own.kept.notes or own.notes
        if own.ending and own.writer is not None and own.writer.unsaid:  # as on a full disk
            own.kept = replace(own.kept, summary=replace(own.kept.summary, status=own.writer.ends_as))
        own.ending = own.ending and own.kept.summary.status == "running"
    except BadInput as error:  # deleted from another tab, or refused as it began
        open_training("")
        own.kept, own.problem, own.steps, own.ending = None, own.problem or str(error), [], False
    except PlaygroundError as error:
        own.problem = own.problem or str(error)
