"""A visitor's kept trainings, on one's own machine all: open, take along, delete."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from playground.errors import PlaygroundError
from playground.models.adapter_files import adapter_zip
from playground.room.limits import is_shared_server
from playground.training.runs import TrainingStore, TrainingSummary
from playground.ui.examples_page.session import change_draft, open_training
from playground.ui.examples_page.training_view import training_view
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.visitor import owner_id

SHOWN = 12
STATES = {
    "running": "being trained",
    "paused": "paused",
    "stopped": "ended early",
    "finished": "whole",
    "damaged": "unreadable",
}


def kept_trainings() -> None:
    """Its body runs only while it is open."""
    with st.expander("Kept trainings", icon=":material/inventory_2:", on_change="rerun", key="teach_kept") as box:
        if not box.open:
            return
        try:
            found = [each for each in TrainingStore(owner_id()).trainings() if each.kind == "sft"]
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
        st.caption(f"Kept {where}: its curve, its last checkpoint and the best adapter, as they come.")


def _line(summary: TrainingSummary) -> None:
    own = training_view()
    shown = own.kept is not None and own.kept.id == summary.id
    when = datetime.fromtimestamp(summary.created).strftime("%d %b %H:%M")
    with st.container(horizontal=True, vertical_alignment="center", key=f"teach_kept_{summary.id}"):
        st.markdown(
            f"{when} · {escape_markdown(summary.name)} · {escape_markdown(summary.model)} · {summary.done:,} of "
            f"{summary.steps:,} steps · {STATES[summary.status]}{' · in view' if shown else ''}",
            width="stretch",
        )
        if summary.status != "damaged" and not shown:
            st.button(
                "Open",
                key=f"teach_open_{summary.id}",
                on_click=_open,
                args=(summary.id,),
                disabled=own.busy,
                help="Pause what is being trained first." if own.busy else None,
            )
        if summary.has_adapter:
            file_button(
                "",
                f"adapter-{summary.id[:8]}.zip",
                lambda: _adapter(summary.id),
                "The adapter as a PEFT folder",
                quiet=True,
            )
        st.button(
            "",
            key=f"teach_delete_{summary.id}",
            icon=":material/delete:",
            help="Delete this training with its adapter for good",
            on_click=_delete,
            args=(summary.id,),
            disabled=own.busy and shown,
        )


def _adapter(training: str) -> bytes:
    """The best adapter so far, zipped when the button is pressed."""
    folder = TrainingStore(owner_id()).load(training).folder
    return b"" if folder is None else adapter_zip(folder)


def _open(training: str) -> None:
    """In view, and the draft as it was trained, so that it can be changed and trained anew."""
    open_training(training)
    own = training_view()
    if own.kept is not None:
        change_draft(rows=own.rows, settings=own.kept.settings, name=own.kept.summary.name)
    redraw()


def _delete(training: str) -> None:
    own = training_view()
    try:
        TrainingStore(owner_id()).delete(training)
        if own.kept is not None and own.kept.id == training:
            open_training("")
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw()
