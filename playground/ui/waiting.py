"""Waiting for the model without freezing the page: progress after a tenth of a second, a stop button after one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from playground.engine.api import CancelToken
from playground.engine.serving.ticket import Ticket
from playground.errors import Cancelled, Superseded
from playground.ui import state
from playground.ui.kit.messages import escape_markdown

T = TypeVar("T")


def wait_for(ticket: Ticket[T], doing: str, *, key: str, share: Callable[[Any], float] | None = None) -> T:
    """The ticket's result. Leaving the wait in any way (newer input, closed tab, stop) frees the model.

    A stopped wait stays stopped until the reader changes something: ``key`` names the work that was stopped. Raises
    Superseded when the reader did something newer: Streamlit lets a fragment run to its end before it serves the next
    request of another fragment, so the wait itself must make way. ``share`` says of a job's step which part of the
    whole is done, from 0 to 1: then a bar is shown.
    """
    with ticket:
        if not ticket.wait(0.1):
            _watch(ticket, doing, key, share)
        return ticket.result()


def was_stopped(key: str) -> bool:
    """Whether the reader stopped this very work."""
    return bool(st.session_state.get("stopped_work") == key)


def refuse_if_stopped(key: str) -> None:
    """Raise Cancelled when the reader pressed stop on this work."""
    if was_stopped(key):
        raise Cancelled("stopped")


def offer_again() -> None:
    """Say that the work was stopped, with a button to take it up again."""
    st.info("Stopped: the model is free. Change anything, or run it again.", icon=":material/stop_circle:")
    st.button("Run again", icon=":material/play_arrow:", key="run_again", on_click=state.acting(_forget_stop))


def _forget_stop() -> None:
    st.session_state.pop("stopped_work", None)


def _remember_stop(key: str) -> None:
    st.session_state["stopped_work"] = key


def _newer_input_waits() -> bool:
    """Whether a click or a moved slider waits for this run to end. Full reruns interrupt by themselves."""
    context = get_script_run_ctx(suppress_warning=True)
    requests = context.script_requests if context is not None else None
    return getattr(requests, "_state", None) == ScriptRequestType.RERUN  # there is no public way to ask


class NewerInput(CancelToken):
    """For work in the script's own thread: cancelled as soon as the reader does something newer."""

    def check(self) -> None:
        if _newer_input_waits():
            state.leave_unfinished()
            raise Superseded("The reader did something newer.")
        super().check()


def _watch(ticket: Ticket[T], doing: str, key: str, share: Callable[[Any], float] | None) -> None:
    place, stop_place = st.empty(), st.empty()
    started, offered, done = time.monotonic(), False, 0.0
    while not ticket.wait(0.2):
        if _newer_input_waits():
            state.leave_unfinished()
            raise Superseded("The reader did something newer.")
        spent = time.monotonic() - started
        queue = f", {ticket.position} ahead of you" if ticket.position else ""
        said = f":material/hourglass_top: {escape_markdown(doing)} · {spent:.1f} s{queue}"
        if share is None:
            place.caption(said)
        else:
            done = max([done, *map(share, ticket.take())])
            place.progress(min(done, 1.0), text=said)
        if spent > 1 and not offered:
            offered = True
            stop_place.button(
                "Stop",
                key=f"stop_{ticket.slot}",
                icon=":material/stop:",
                on_click=state.acting(_remember_stop),
                args=(key,),
                shortcut="escape",
            )
    place.empty()
    stop_place.empty()
