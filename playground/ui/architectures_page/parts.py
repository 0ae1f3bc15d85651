"""What the tabs of the page share: the buttons of long work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.job_view import HasJob, tried
from playground.ui.kit.pace import queue_words


def run_buttons(
    own: HasJob[Any], start: Callable[[], None], *, label: str, icon: str, key: str, help: str | None = None
) -> None:
    """A button that starts the work of ``own``, and beside it, while there is some, one that stops it."""
    with st.container(horizontal=True):
        st.button(
            label,
            key=key,
            type="primary",
            icon=icon,
            disabled=own.busy,
            help=help,
            on_click=rerun_callback(tried(lambda: own, start), PICTURES),
        )
        if own.job is not None:
            stop = rerun_callback(own.job.stop)
            st.button("Stop", key=f"{key}_stop", icon=":material/stop:", shortcut="escape", on_click=stop)


def doing_said(own: HasJob[Any], doing: str) -> str:
    """What is being done, and how many others come before its next turn: work of several readers goes in turns."""
    ahead = "" if own.ticket is None else queue_words(own.ticket)
    return f"{doing or 'waits for its turn'}{ahead}"
