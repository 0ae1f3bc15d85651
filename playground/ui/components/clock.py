"""A clock that goes in the browser by itself: what is left of a question's time, or what is gone of a lesson's step."""

from __future__ import annotations

import time

import streamlit as st

from playground.ui.components.assets import script, style

_CLOCK = st.components.v2.component(
    "clock",
    html='<span class="clock" role="timer"></span>\n<!-- the script writes into it -->\n',
    css=style("clock.css"),
    js=script("clock.js"),
)


def countdown(left_s: float, *, key: str) -> None:
    """Seconds from now on."""
    _draw({"left": left_s, "gone": 0.0, "planned": 0.0}, key)


def time_gone(gone_s: float, planned_s: float, *, key: str) -> None:
    """Seconds since a beginning, beside those that were planned."""
    _draw({"left": None, "gone": gone_s, "planned": planned_s}, key)


def _draw(data: dict[str, float | None], key: str) -> None:
    """``serial``: a drawing that repeats an older one must not put the clock back."""
    _CLOCK(data={**data, "serial": time.monotonic_ns() // 1_000}, key=key, width="content")
