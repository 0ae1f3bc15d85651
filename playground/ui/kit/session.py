"""One truth per browser tab: each kind of state once, by its class. Widgets show it and write to it.

Replacing a state is all that links, presets, experiments and page changes ever do; every widget follows: before it is made
its own state is set from the page's, and its callback writes the new value back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from playground.errors import PlaygroundError
from playground.state.link_fields import S
from playground.state.link_fields import change as changed
from playground.ui.kit.fragments import CONTROLS, PICTURES, redraw, redraw_page

T = TypeVar("T")
ECHO_S = 10.0  # a crowded browser takes that long to hear of a widget's new value
_STATES = "playground_states"
_PROBLEMS = "playground_problems"


def _states() -> dict[object, Any]:
    states: dict[object, Any] = st.session_state.setdefault(_STATES, {})
    return states


def get(kind: type[T]) -> T:
    """This session's state of a kind, a new one at the first look."""
    states = _states()
    if kind not in states:
        states[kind] = kind()
    state: T = states[kind]
    return state


def put(state: object) -> None:
    """Replace the state of its kind."""
    _states()[type(state)] = state


def change(kind: type[S], **values: Any) -> None:
    """Replace some fields. Raises the state's own BadInput for a value that it refuses."""
    put(changed(get(kind), values))


def bind_widget(key: str, current: object, write: Callable[[Any], Sequence[str] | None]) -> Callable[[], None]:
    """Make widget ``key`` show ``current``; returns the ``on_change`` that hands its new value to ``write``.

    ``write`` returns the parts of the page to be redrawn (None: the pictures). What it refuses (a PlaygroundError) is told
    on the page and leaves the state as it was. Call it right before the widget is made, and give the widget ``current`` as
    its default too: a browser that draws only the second of two quick runs is not told the value again, and would start at
    the widget's own default.
    """
    if key not in st.session_state or st.session_state[key] != current:
        _note_replaced(key)
        st.session_state[key] = current

    def on_change() -> None:
        if key not in st.session_state:  # the client had the session cleared, as any client may: the page starts anew
            redraw_page()
            return
        if _is_echo(key):
            st.session_state[key] = current
            return
        clear_problems()  # they were about an earlier input, and have been read
        try:
            parts = write(st.session_state[key])
        except PlaygroundError as error:
            note_problem(str(error))
            parts = PICTURES, CONTROLS  # the widget shows the old value again
        redraw(*((PICTURES,) if parts is None else parts))

    return on_change


@dataclass(slots=True)
class _Echoes:
    """Widgets whose values somebody else has just replaced. ``until``: for how long that is looked at, monotonic seconds."""

    until: float = 0.0
    replaced: dict[str, tuple[object, float]] = field(default_factory=dict)  # key: the value before, and until when


def expect_echoes() -> None:
    """Call when the page is set by somebody else than its reader: what its widgets showed before is not taken for a move.

    A timer of the browser that ticks before the browser has heard of a new value sends the old one along.
    """
    get(_Echoes).until = time.monotonic() + ECHO_S


def _note_replaced(key: str) -> None:
    echoes, now = get(_Echoes), time.monotonic()
    if now < echoes.until and key in st.session_state:
        echoes.replaced[key] = st.session_state[key], now + ECHO_S
    else:
        echoes.replaced.pop(key, None)


def _is_echo(key: str) -> bool:
    old, until = get(_Echoes).replaced.get(key, (None, 0.0))
    return time.monotonic() < until and bool(st.session_state[key] == old)


def once(what: str) -> bool:
    """True at the first call for ``what`` in this session, False ever after."""
    done: set[str] = _states().setdefault("done once", set())
    first = what not in done
    done.add(what)
    return first


# -- what was refused --------------------------------------------------------------------------------------------------


def problems() -> tuple[str, ...]:
    """Sentences about the last refused input, shown until it is mended."""
    noted: tuple[str, ...] = st.session_state.get(_PROBLEMS, ())
    return noted


def note_problem(*sentences: str) -> None:
    """Remember sentences to be shown where the pictures are; without any, nothing changes."""
    if sentences:
        st.session_state[_PROBLEMS] = sentences


def clear_problems() -> None:
    """What was refused has been mended or closed."""
    st.session_state.pop(_PROBLEMS, None)
