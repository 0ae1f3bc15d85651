"""One truth per browser tab: each kind of state once, by its class. Widgets show it and write to it.

Replacing a state is all that links, presets, experiments and page changes ever do; every widget follows.
"""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from playground.errors import PlaygroundError
from playground.state.link_fields import change as changed

T = TypeVar("T")
_STATES = "playground_states"
_PROBLEMS = "playground_problems"


def _states() -> dict[object, Any]:
    found: dict[object, Any] = st.session_state.setdefault(_STATES, {})
    return found


def get(kind: type[T]) -> T:
    """This session's state of a kind, a new one at the first look."""
    states = _states()
    if kind not in states:
        states[kind] = kind()
    found: T = states[kind]
    return found


def put(state: object) -> None:
    """Replace the state of its kind."""
    _states()[type(state)] = state


def change(kind: type[T], **values: Any) -> None:
    """Replace some fields; a value that is refused leaves the state as it was and is told on the page."""
    try:
        put(changed(get(kind), values))
        clear_problems()
    except PlaygroundError as error:
        note_problem(str(error))


def once(what: str) -> bool:
    """True at the first call for ``what`` in this session, False ever after."""
    done: set[str] = _states().setdefault("done once", set())
    first = what not in done
    done.add(what)
    return first


# -- what was refused --------------------------------------------------------------------------------------------------


def problems() -> tuple[str, ...]:
    """Sentences about the last refused input, shown until it is mended."""
    found: tuple[str, ...] = st.session_state.get(_PROBLEMS, ())
    return found


def note_problem(*sentences: str) -> None:
    """Remember sentences to be shown where the pictures are; without any, nothing changes."""
    if sentences:
        st.session_state[_PROBLEMS] = sentences


def clear_problems() -> None:
    """What was refused has been mended or closed."""
    st.session_state.pop(_PROBLEMS, None)
