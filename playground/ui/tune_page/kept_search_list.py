"""A visitor's kept searches, on one's own machine all: open, delete."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from playground.errors import PlaygroundError
from playground.tuning.kept_searches import KeptSearch, SearchStore
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.job_view import tried
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.tune_page.search_view import SearchView, delete_search, open_search, search_view
from playground.ui.visitor import owner_id

_SHOWN = 12


def kept_list() -> None:
    """Its body runs only while it is open."""
    with st.expander("Kept searches", icon=":material/inventory_2:", on_change="rerun", key="search_kept") as box:
        if not box.open:
            return
        try:
            found = SearchStore(owner_id()).searches()
        except PlaygroundError as error:
            show_problem(error)
            return
        if not found:
            st.caption("Nothing is kept yet.")
        for kept in found[:_SHOWN]:
            _line(kept)
        if len(found) > _SHOWN:
            st.caption(f"{len(found) - _SHOWN} older ones are kept too; delete some of these to see them.")


def _line(kept: KeptSearch) -> None:
    own = session.get(SearchView)
    when = datetime.fromtimestamp(kept.created).strftime("%d %b %H:%M")
    if kept.state is None:
        said = "unreadable"
    else:
        done = "finished" if kept.state.finished else f"{len(kept.state.trials)} of {kept.state.plan.trials} trials"
        said = f"{escape_markdown(kept.state.plan.goal.name)} · {done}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"search_kept_{kept.id}"):
        st.markdown(f"{when} · {said}{' · in view' if own.id == kept.id else ''}", width="stretch")
        if kept.state is not None and own.id != kept.id:
            st.button(
                "Open",
                key=f"search_open_{kept.id}",
                on_click=_open,
                args=(kept,),
                disabled=own.busy,
                help="Pause the search that runs first."
                if own.busy
                else f"Begun with {escape_markdown(kept.model)}. Takes its examples and settings into the page.",
            )
        st.button(
            "",
            key=f"search_delete_{kept.id}",
            icon=":material/delete:",
            help="Delete this search for good",
            on_click=_delete,
            args=(kept.id,),
            disabled=own.busy and own.id == kept.id,
        )


def _open(kept: KeptSearch) -> None:
    open_search(kept)
    redraw()


def _delete(search: str) -> None:
    tried(search_view, partial(delete_search, search))()
    redraw()
