"""Two answers side by side and four buttons, for keys 1, 2, 0 and B; U takes the last vote back.

The next questions are in the browser before they are needed, so a vote waits for nobody. Votes are numbered and sent until
Python has said that it heard them: several that are given within one run of the page are all there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from playground.ui.components.declare import Component

_MOST_EVENTS = 200  # of one sending
_PAIR = Component(
    "judge_pair",
    html='<div class="judgePair">\n</div>\n<!-- texts and buttons are made by the script -->\n',
    styles=("judge_pair.css",),
    script="judge_pair.js",
)


@dataclass(frozen=True, slots=True)
class ShownPair:
    """One question as the browser is told it: ``id`` says nothing of who wrote what."""

    id: str
    prompt: str
    system: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was pressed on a question: "left", "right", "tie", "both_bad", or "undo" for its vote taken back."""

    id: str
    what: str


def judge_pair(
    pairs: Sequence[ShownPair], *, key: str, empty: str, on_press: Callable[[Sequence[Pressed]], None]
) -> None:
    """Show the first of ``pairs`` that has not been answered; ``empty`` is said where there is none.

    ``on_press`` is told each press once, in order.
    """
    heard = f"{key}_heard"  # the number of the last press that Python knows of

    def pressed() -> None:
        sent: Any = getattr(st.session_state.get(key), "pressed", None)
        events = sent.get("events") if isinstance(sent, Mapping) else None
        presses = [each for each in map(_read, events[:_MOST_EVENTS]) if each] if isinstance(events, list) else []
        before = st.session_state.get(heard, 0)
        fresh = [(number, each) for number, each in presses if number > before]
        if fresh:
            st.session_state[heard] = fresh[-1][0]
            on_press([each for _number, each in fresh])

    data = {"pairs": [asdict(pair) for pair in pairs], "empty": empty, "heard": st.session_state.get(heard, 0)}
    _PAIR(data=data, key=key, on_pressed_change=pressed)


def _read(event: object) -> tuple[int, Pressed] | None:
    """One press; None for what is none."""
    if not isinstance(event, Mapping):
        return None
    number, name, what = event.get("number"), event.get("id"), event.get("what")
    if not isinstance(number, int) or not isinstance(name, str) or not isinstance(what, str):
        return None
    return number, Pressed(name, what)
