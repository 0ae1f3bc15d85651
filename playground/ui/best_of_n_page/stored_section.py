"""A visitor's recorded runs, on one's own machine all: reopen, go on, compare, delete."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.room.limits import is_shared_server
from playground.testtime.stored_runs import RunStore, RunSummary, available_store
from playground.ui.best_of_n_page.actions import open_stored
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession, PendingAction
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.visitor import owner_id

SHOWN = 12


def recorded_section(own: ModelSession, worker: Worker) -> None:
    """Its body runs only while it is open."""
    with st.expander("Recorded runs", on_change="rerun", key="bon_kept", icon=":material/inventory_2:") as box:
        if not box.open:
            return
        store, why = available_store(owner_id())
        if store is None:
            show_problem(why)
            return
        try:
            summaries = store.runs()
        except PlaygroundError as error:
            show_problem(error)
            return
        if not summaries:
            st.caption("Nothing is recorded yet.")
        for summary in summaries[:SHOWN]:
            _line(own, worker, store, summary)
        if len(summaries) > SHOWN:
            st.caption(f"{len(summaries) - SHOWN} older runs are recorded too; delete some of these to see them.")
        where = "on this server, for you alone" if is_shared_server() else f"in {store.place}"
        st.caption(escape_markdown(f"Recorded {where}, each candidate as it finishes."))


def _line(own: ModelSession, worker: Worker, store: RunStore, summary: RunSummary) -> None:
    when = datetime.fromtimestamp(summary.created).strftime("%d %b %H:%M")
    cut = summary.status != "running" and summary.finished < summary.wanted
    if summary.status == "damaged":
        when, cut = "unknown", False
    said = {"damaged": "unreadable", "running": "being written"}
    state_said = said.get(summary.status, "cut off" if cut else "whole")
    name = summary.prompt.replace("\n", " ")[:60]
    here = " · shown now" if summary.id == own.run.run_id else ""
    with st.container(horizontal=True, vertical_alignment="center", key=f"bon_kept_{summary.id}"):
        st.markdown(
            f"{when} · {escape_markdown(name)} · {summary.finished} of {summary.wanted} · {state_said}{here}",
            width="stretch",
        )
        same = summary.model == worker.engine.info.name
        if summary.status == "damaged":
            _delete_button(own, store, summary)
            return
        st.button(
            "Open",
            key=f"bon_open_{summary.id}",
            on_click=_open,
            args=(own, store, summary.id, False),
            disabled=not same,
            help="Show it here."
            if same
            else f"Made by {escape_markdown(summary.model)}: choose that model to open it.",
        )
        if cut and same:
            st.button("Go on", key=f"bon_go_on_{summary.id}", on_click=_open, args=(own, store, summary.id, True))
        if st.button(
            "Compare",
            key=f"bon_compare_{summary.id}",
            on_click=_compare,
            args=(summary.id,),
            help="Set its figures beside those of the present run, under Rankings.",
        ):
            st.rerun()  # the tabs stand outside of what is redrawn here
        _delete_button(own, store, summary)


def _delete_button(own: ModelSession, store: RunStore, summary: RunSummary) -> None:
    st.button(
        "Delete",
        key=f"bon_delete_{summary.id}",
        icon=":material/delete:",
        help="Delete this run for good",
        on_click=_delete,
        args=(own, store, summary.id),
    )


def _open(own: ModelSession, store: RunStore, run: str, go_on: bool) -> None:
    try:
        open_stored(own, store.load(run))
    except PlaygroundError as error:
        own.problem = str(error)
    else:
        session.put(PendingAction("resume" if go_on else ""))
    redraw()


def _compare(run: str) -> None:
    session.get(BestOfNSession).compared = run
    st.session_state["best_of_n_section"] = "Rankings"


def compared_run() -> str | None:
    """The id of the stored run that the present one is compared with."""
    return session.get(BestOfNSession).compared


def end_comparison() -> None:
    session.get(BestOfNSession).compared = None


def _delete(own: ModelSession, store: RunStore, run: str) -> None:
    try:
        store.delete(run)
    except PlaygroundError as error:
        own.problem = str(error)
    if compared_run() == run:
        end_comparison()
    if own.run.run_id == run:
        own.run.run_id = ""
