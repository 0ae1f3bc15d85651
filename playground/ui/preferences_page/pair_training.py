"""Training on a ballot's decided votes: DPO, or a reward model with LoRA. Begun here, run in the line of all trainings, kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import streamlit as st

from playground.charts.preferences_dpo import Numbers
from playground.charts.teach_curves import best_step
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.generation.document import origin_of
from playground.preferences.ballots import preferences_of
from playground.preferences.kept import KeptBallot
from playground.training.estimate import heldout_of
from playground.training.line import training_line
from playground.training.pairs import Pair, odd_pairs
from playground.training.runs import KeptTraining, Status, TrainingStore, TrainingSummary, TrainingWriter
from playground.training.settings import TrainSettings
from playground.training.steps import Noted, PreferenceNumbers, Reading, TrainStep
from playground.training.teachable import teachable, why_not_taught
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.session import bind_widget
from playground.ui.preferences_page.session import attempt, opened
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id
from playground.ui.workspace.shared import visitor_limits

PairKind = Literal["dpo", "reward"]
MOST_PAIRS = 2_000


@dataclass(eq=False)
class PairTraining(HasJob[Any]):
    """``kept``: the training in view, of one kind. ``steps``: as far as this tab has seen them; ``reading`` before the first.

    ``notes``: what was said of its pairs.
    """

    kept: KeptTraining | None = None
    writer: TrainingWriter | None = None
    steps: list[TrainStep] = field(default_factory=list)
    reading: Reading | None = None
    notes: tuple[str, ...] = ()

    def ended(self, job: JobView[Any]) -> None:
        if self.kept is None:
            return
        try:
            self.kept = TrainingStore(owner_id()).load(self.kept.id)
        except BadInput as error:  # refused as it began, and not kept; or deleted from another tab
            self.kept, self.steps, self.notes, self.problem = None, [], (), self.problem or str(error)


@dataclass(eq=False)
class PairTrainings:
    """This session's, by kind."""

    of: dict[PairKind, PairTraining] = field(default_factory=dict)


def pair_training(kind: PairKind) -> PairTraining:
    """This session's of a kind, as far as it has come."""
    own = session.get(PairTrainings).of.setdefault(kind, PairTraining())
    own.drain()
    if own.kept is not None and is_under_way(
        own
    ):  # a ticket that is stopped is over before its last checkpoint is written
        own.kept = TrainingStore(owner_id()).load(own.kept.id)
        own.steps = list(own.kept.steps) if len(own.kept.steps) >= len(own.steps) else own.steps
        own.notes = own.kept.notes or own.notes
    return own


def is_under_way(own: PairTraining) -> bool:
    """Whether the training in view goes on without this tab: in another one, or to its last checkpoint."""
    return own.kept is not None and own.kept.summary.status == "running" and not own.busy


def pairs_of(kept: KeptBallot) -> tuple[Pair, ...]:
    """The decided votes as pairs, equal ones once. Raises BadInput for none, and too many."""
    pairs = tuple(dict.fromkeys(filter(_is_whole, _decided(kept))))
    if not pairs:
        raise BadInput("No vote has a winner yet, and pairs are taught: vote, or let synthetic voters vote.", "votes")
    if len(pairs) > MOST_PAIRS:
        raise BadInput(
            f"There are {len(pairs):,} pairs; at most {MOST_PAIRS:,} can be taught at once: bring in a file with a part of them.",
            "votes",
        )
    return pairs


def pair_notes(kept: KeptBallot) -> tuple[str, ...]:
    """Sentences on votes that are not taught, or taught against each other."""
    decided = _decided(kept)
    whole = list(filter(_is_whole, decided))
    notes = []
    if empty := len(decided) - len(whole):
        notes.append(f"{empty:,} votes are on an empty answer and are left out: they would teach when to say nothing.")
    if twice := len(whole) - len(dict.fromkeys(whole)):
        notes.append(f"{twice:,} votes say what another voter said of the same pair: it is taught once.")
    return (*notes, *odd_pairs(list(dict.fromkeys(whole))))


def show_pair_notes(kept: KeptBallot) -> None:
    """Beside the button that trains."""
    for note in pair_notes(kept):
        st.caption(f":material/info: {escape_markdown(note)}")


def _decided(kept: KeptBallot) -> list[Pair]:
    preferences = preferences_of(kept.ballot, kept.verdicts)
    return [Pair(one.prompt, one.chosen, one.rejected, one.system) for one in preferences]


def _is_whole(pair: Pair) -> bool:
    return bool(pair.chosen.strip() and pair.rejected.strip())


def start_button(
    worker: Worker,
    own: PairTraining,
    label: str,
    *,
    key: str,
    main: bool,
    about: str | None,
    settings: Callable[[], TrainSettings],
) -> None:
    """The button that begins a training; where the model cannot be taught, it says why and cannot be pressed."""
    why = escape_markdown(why_not_taught(worker.engine.info))
    st.button(
        label,
        key=key,
        type="primary" if main else "secondary",
        icon=":material/play_arrow:",
        disabled=own.busy or bool(why),
        on_click=attempt(lambda: start(worker, opened(), settings())),
        help=why or about,
    )
    if why:
        st.caption(f":material/block: {why}")


def start(worker: Worker, kept: KeptBallot, settings: TrainSettings) -> None:
    """Begin a training. Raises PlaygroundError before anything is begun."""
    own = pair_training(settings.kind)  # type: ignore[arg-type]
    teachable(worker.engine.info)
    store = TrainingStore(owner_id())
    visitor_limits().check_runs(len(store.trainings()))
    training = store.start(pairs_of(kept), settings.checked(), origin_of(worker.engine.info), kept.name)
    _go_on(own, worker, training)


def _go_on(own: PairTraining, worker: Worker, training: str) -> None:
    from playground.training.running import kept_training  # imports torch

    store = TrainingStore(owner_id())
    writer = store.take_up(training)
    own.problem, own.reading = "", None
    own.kept = store.load(training)
    own.steps, own.notes = list(own.kept.steps), own.kept.notes
    if writer is None:
        raise PlaygroundError("Another tab runs this training: look at it there.")
    own.writer = writer

    def take(step: TrainStep | Reading | Noted) -> None:
        own.reading = step if isinstance(step, Reading) else None
        if isinstance(step, Noted):
            own.notes = step.notes
        if isinstance(step, TrainStep):
            own.steps.append(step)

    job, slot = kept_training(writer, own.kept), f"train-{own.kept.settings.kind}"
    ticket = training_line().submit(worker, session_id(), slot, job, seconds_left(own.steps))
    own.job = JobView(ticket, take)


def choose_training(kind: PairKind, worker: Worker) -> None:
    """A list of what is kept of this kind, and going on with one that was paused. Nothing where nothing is kept."""
    own = pair_training(kind)
    kept = {
        one.id: one for one in TrainingStore(owner_id()).trainings() if one.kind == kind and one.status != "damaged"
    }
    if not kept or own.busy:
        return
    shown = own.kept.id if own.kept is not None and own.kept.id in kept else next(iter(kept))
    if own.kept is None or own.kept.id != shown:
        _open(own, shown)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Kept",
            list(kept),
            list(kept).index(shown),
            format_func=lambda one: _line(kept[one]),
            key=f"preferences_{kind}_kept",
            on_change=bind_widget(f"preferences_{kind}_kept", shown, lambda one: _choose(own, str(one))),
            width=420,
        )
        if kept[shown].status == "paused":
            st.button(
                "Go on",
                key=f"preferences_{kind}_resume",
                type="primary",
                icon=":material/play_arrow:",
                help="From the last checkpoint, with the same pairs in the same order.",
                on_click=attempt(lambda: _go_on(own, worker, shown)),
            )
        st.button(
            "",
            key=f"preferences_{kind}_delete",
            icon=":material/delete:",
            help="Delete this training with what it learnt",
            on_click=attempt(lambda: _delete(own, shown)),
        )


def _line(one: TrainingSummary) -> str:
    """The same for as long as it is kept: a browser sends it back."""
    return f"{one.name} · {one.model} · {datetime.fromtimestamp(one.created):%d %b %H:%M:%S}"


def _delete(own: PairTraining, training: str) -> None:
    TrainingStore(owner_id()).delete(training)
    own.kept, own.steps, own.problem, own.notes = None, [], "", ()


def _choose(own: PairTraining, training: str) -> tuple[str, ...]:
    own.problem = ""
    _open(own, training)
    return (PICTURES,)


def _open(own: PairTraining, training: str) -> None:
    own.kept = TrainingStore(owner_id()).load(training)
    own.steps, own.notes = list(own.kept.steps), own.kept.notes


def heldout_words(own: PairTraining) -> str:
    """The held-out pairs, counted: of four pairs 75% says little."""
    count = 0 if own.kept is None else heldout_of(len(own.kept.rows), own.kept.settings.heldout_share)
    return f"{count:,} held-out pair{'' if count == 1 else 's'}"


def spoken_of(own: PairTraining, measured_steps: Numbers) -> tuple[str, int, PreferenceNumbers]:
    """What a sentence is about: the step in words and its number, and what was measured then. While the training goes on
    that is the last one, afterwards the one whose weights are kept.
    """
    best = None if own.busy or is_under_way(own) else best_step(own.steps)
    step, numbers = next(
        (each for each in measured_steps if best is not None and each[0] == best.step), measured_steps[-1]
    )
    which = ", which is kept," if best is not None and best.step == step else ","
    return f"step {step:,}{which}", step, numbers


def seconds_left(steps: Sequence[TrainStep]) -> float:
    """For the steps that are still to come, as fast as the last ones; 0 where nobody knows."""
    recent = [step.seconds for step in steps[-5:] if step.seconds > 0]
    return sum(recent) / len(recent) * (steps[-1].steps - steps[-1].step) if recent else 0.0


def end(own: PairTraining, status: Status) -> None:
    """Let go of the machine: "paused" to go on later, "stopped" for good. What was best so far stays."""
    if own.writer is not None:
        own.writer.ends_as = status
    if own.job is not None:
        own.job.stop()
