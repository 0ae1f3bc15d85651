"""A clock that goes in the browser by itself: what is left of a question's time, or what is gone of a lesson's step."""

from __future__ import annotations

from playground.ui.components.declare import Component

_CLOCK = Component(
    "clock",
    html='<span class="clock" role="timer"></span>\n<!-- the script writes into it -->\n',
    styles=("clock.css",),
    script="clock.js",
)


def countdown(left_s: float, *, key: str) -> None:
    """Seconds from now on."""
    _CLOCK({"left": left_s, "gone": 0.0, "planned": 0.0}, key=key, width="content")


def time_gone(gone_s: float, planned_s: float, *, key: str) -> None:
    """Seconds since a beginning, beside those that were planned."""
    _CLOCK({"left": None, "gone": gone_s, "planned": planned_s}, key=key, width="content")
