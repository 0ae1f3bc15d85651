"""A visitor's kept tunings, on one's own machine all: open, go on, delete."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.room.limits import is_shared_server
from playground.tuning.runs import TuningStore, TuningSummary
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.tune_page.session import adopt_plan, open_tuning
from playground.ui.tune_page.tuning_view import tuning_view
from playground.ui.visitor import owner_id

SHOWN = 12
STATES = {
    "running": "being written",
    "paused": "paused",
    "stopped": "ended early",
    "finished": "whole",
    "damaged": "unreadable",
}


def kept_tunings(worker: Worker) -> None:
    """Its body runs only while it is open."""
    with st.expander("Kept tunings", icon=":material/inventory_2:", on_change="rerun", key="tune_kept") as box:
        if not box.open:
            return
        try:
            found = TuningStore(owner_id()).tunings()
        except PlaygroundError as error:
            show_problem(error)
            return
        if not found:
            st.caption("Nothing is kept yet.")
        for summary in found[:SHOWN]:
            _line(summary)
        if len(found) > SHOWN:
            st.caption(f"{len(found) - SHOWN} older ones are kept too; delete some of these to see them.")
        where = "on this server, for you alone" if is_shared_server() else "on this machine"
        st.caption(f"Kept {where}, each text as it is written.")


def _line(summary: TuningSummary) -> None:
    own = tuning_view()
    shown = own.kept is not None and own.kept.id == summary.id
    when = datetime.fromtimestamp(summary.created).strftime("%d %b %H:%M")
    with st.container(horizontal=True, vertical_alignment="center", key=f"tune_kept_{summary.id}"):
        st.markdown(
            f"{when} · {escape_markdown(summary.name)} · {summary.written:,} of {summary.wanted:,} · "
            f"{STATES[summary.status]}{' · in view' if shown else ''}",
            width="stretch",
        )
        if summary.status != "damaged" and not shown:
            st.button(
                "Open",
                key=f"tune_open_{summary.id}",
                on_click=_open,
                args=(summary.id,),
                disabled=own.busy,
                help="Pause what is being written first."
                if own.busy
                else f"Written by {escape_markdown(summary.model)}.",
            )
        st.button(
            "",
            key=f"tune_delete_{summary.id}",
            icon=":material/delete:",
            help="Delete this tuning with its texts and votes for good",
            on_click=_delete,
            args=(summary.id,),
            disabled=own.busy and shown,
        )


def _open(tuning: str) -> None:
    """In view, and the draft as its plan says, so that it can be changed and run anew."""
    open_tuning(tuning)
    own = tuning_view()
    if own.kept is not None:
        adopt_plan(own.kept.plan)
    redraw()


def _delete(tuning: str) -> None:
    own = tuning_view()
    try:
        TuningStore(owner_id()).delete(tuning)
        if own.kept is not None and own.kept.id == tuning:
            open_tuning("")
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw()
