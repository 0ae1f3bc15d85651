"""Waiting for the model without freezing the page: progress after a tenth of a second, a stop button after one."""

from __future__ import annotations

import time
from typing import TypeVar

import streamlit as st

from playground.engine.ticket import Ticket
from playground.errors import Cancelled
from playground.ui.messages import plain

T = TypeVar("T")


def wait_for(ticket: Ticket[T], doing: str, *, key: str) -> T:
    """The ticket's result. Leaving the wait in any way (newer input, closed tab, stop) frees the model.

    A stopped wait stays stopped until the reader changes something: ``key`` names the work that was stopped.
    """
    with ticket:
        if not ticket.wait(0.1):
            _watch(ticket, doing, key)
        return ticket.result()


def was_stopped(key: str) -> bool:
    """Whether the reader stopped this very work."""
    return bool(st.session_state.get("stopped_work") == key)


def refuse_if_stopped(key: str) -> None:
    """Raise Cancelled when the reader pressed stop on this work; a button to start again stands beside it."""
    if was_stopped(key):
        st.button("Run again", icon=":material/play_arrow:", on_click=_forget_stop, key=f"again_{key}")
        raise Cancelled("stopped")


def _forget_stop() -> None:
    st.session_state.pop("stopped_work", None)


def _remember_stop(key: str) -> None:
    st.session_state["stopped_work"] = key


def _watch(ticket: Ticket[T], doing: str, key: str) -> None:
    place, stop_place = st.empty(), st.empty()
    started, offered = time.monotonic(), False
    while not ticket.wait(0.2):
        spent = time.monotonic() - started
        queue = f", {ticket.position} ahead of you" if ticket.position else ""
        place.caption(f":material/hourglass_top: {plain(doing)} · {spent:.1f} s{queue}")
        if spent > 1 and not offered:
            offered = True
            stop_place.button(
                "Stop",
                key=f"stop_{ticket.slot}",
                icon=":material/stop:",
                on_click=_remember_stop,
                args=(key,),
                shortcut="escape",
            )
    place.empty()
    stop_place.empty()
