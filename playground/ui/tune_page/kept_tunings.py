"""A visitor's kept tunings, on one's own machine all: open, go on, delete."""

from __future__ import annotations

from playground.errors import PlaygroundError
from playground.room.limits import is_shared_server
from playground.tuning.runs import TuningStore, TuningSummary
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.kept_list import STATES, KeptLine, KeptList
from playground.ui.kit.markdown import escape_markdown
from playground.ui.tune_page.session import adopt_plan, open_tuning
from playground.ui.tune_page.tuning_view import tuning_view
from playground.ui.visitor import owner_id

_BEING = "being written"


def kept_tunings() -> None:
    """The list, closed at first."""
    where = "on this server, for you alone" if is_shared_server() else "on this machine"
    KeptList(
        "tunings",
        "tune",
        "this tuning with its texts and votes",
        f"Pause what is {_BEING} first.",
        _open,
        _delete,
        f"Kept {where}, each text as it is written.",
    ).draw(lambda: [_line(each) for each in TuningStore(owner_id()).tunings()], _shown, lambda: tuning_view().busy)


def _line(summary: TuningSummary) -> KeptLine:
    state = STATES.get(summary.status, _BEING)
    return KeptLine(
        summary.id,
        summary.created,
        f"{escape_markdown(summary.name)} · {summary.written:,} of {summary.wanted:,} · {state}",
        None if summary.status == "damaged" else f"Written by {escape_markdown(summary.model)}.",
    )


def _shown() -> str:
    kept = tuning_view().kept
    return "" if kept is None else kept.id


def _open(tuning: str) -> None:
    """In view, and the draft as its plan says, so that it can be changed and run anew."""
    open_tuning(tuning)
    own = tuning_view()
    if own.kept is not None:
        adopt_plan(own.kept.plan)
    redraw()


def _delete(tuning: str) -> None:
    try:
        TuningStore(owner_id()).delete(tuning)
        if _shown() == tuning:
            open_tuning("")
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw()
