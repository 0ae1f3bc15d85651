"""A visitor's kept trainings, on one's own machine all: open, take along, delete."""

from __future__ import annotations

from functools import partial

from playground.errors import PlaygroundError
from playground.models.adapter_files import adapter_zip
from playground.room.limits import is_shared_server
from playground.training.runs import TrainingStore, TrainingSummary
from playground.ui.examples_page.session import change_draft, open_training
from playground.ui.examples_page.training_view import training_view
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import redraw
from playground.ui.kit.kept_list import STATES, KeptLine, KeptList
from playground.ui.kit.markdown import escape_markdown
from playground.ui.visitor import owner_id

_BEING = "being trained"


def kept_trainings() -> None:
    """The list, closed at first."""
    where = "on this server, for you alone" if is_shared_server() else "on this machine"
    KeptList(
        "trainings",
        "teach",
        "this training with its adapter",
        f"Pause what is {_BEING} first.",
        _open,
        _delete,
        f"Kept {where}: its curve, its last checkpoint and the best adapter, as they come.",
    ).draw(_lines, _shown, lambda: training_view().busy)


def state_word(summary: TrainingSummary) -> str:
    """How far it came."""
    return STATES.get(summary.status, _BEING)


def _lines() -> list[KeptLine]:
    return [_line(each) for each in TrainingStore(owner_id()).trainings() if each.kind == "sft"]


def _line(summary: TrainingSummary) -> KeptLine:
    return KeptLine(
        summary.id,
        summary.created,
        f"{escape_markdown(summary.name)} · {escape_markdown(summary.model)} · {summary.done:,} of {summary.steps:,} steps · "
        f"{state_word(summary)}",
        None if summary.status == "damaged" else "",
        partial(_take_along, summary.id) if summary.has_adapter else None,
    )


def _take_along(training: str) -> None:
    name = f"adapter-{training[:8]}.zip"
    file_button("", name, lambda: _adapter(training), "The adapter as a PEFT folder", quiet=True)


def _adapter(training: str) -> bytes:
    """The best adapter so far, zipped when the button is pressed."""
    folder = TrainingStore(owner_id()).load(training).folder
    return b"" if folder is None else adapter_zip(folder)


def _shown() -> str:
    kept = training_view().kept
    return "" if kept is None else kept.id


def _open(training: str) -> None:
    """In view, and the draft as it was trained, so that it can be changed and trained anew."""
    open_training(training)
    own = training_view()
    if own.kept is not None:
        change_draft(rows=own.rows, settings=own.kept.settings, name=own.kept.summary.name)
    redraw()


def _delete(training: str) -> None:
    try:
        TrainingStore(owner_id()).delete(training)
        if _shown() == training:
            open_training("")
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw()
