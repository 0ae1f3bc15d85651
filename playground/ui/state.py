"""One truth per session: the ``Setup``. Widgets show it and write to it; nothing else remembers it.

Before a widget is made its state is set from the setup; its callback writes the new value back. So presets, links,
experiments and page changes only ever replace the setup, and every widget follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.ui.setup import Setup, read_link

_SETUP = "setup"
_PROBLEMS = "setup_problems"
_LINK_SEEN = "link_seen"


def setup() -> Setup:
    """This session's setup."""
    found = st.session_state.get(_SETUP)
    return found if isinstance(found, Setup) else Setup()


def put(new: Setup) -> None:
    """Replace the setup. A new prompt, chat switch or model starts the accepted tokens afresh."""
    old = setup()
    same_text = all(
        getattr(old, name) == getattr(new, name) for name in ("prompt", "chat", "system", "parse_special", "model")
    )
    if not same_text and old.steps and new.steps == old.steps:
        new = new.restart()
    st.session_state[_SETUP] = new


def change(**fields: Any) -> None:
    """Replace some fields of the setup."""
    put(replace(setup(), **fields))


def change_settings(**values: Any) -> None:
    """Replace sampling parameters; a refused value leaves the setup as it was and is told on the page."""
    try:
        change(settings=setup().settings.replace(**values))
        st.session_state.pop(_PROBLEMS, None)
    except PlaygroundError as error:
        st.session_state[_PROBLEMS] = (str(error),)


def problems() -> tuple[str, ...]:
    """Sentences about the last refused input, shown until it is mended."""
    found = st.session_state.get(_PROBLEMS, ())
    return tuple(found)


def note_problem(*sentences: str) -> None:
    """Remember sentences to be shown at the top of the page."""
    st.session_state[_PROBLEMS] = sentences


def clear_problems() -> None:
    st.session_state.pop(_PROBLEMS, None)


def adopt_link() -> None:
    """Take over the link's query fields, once for each link."""
    fields = {name: st.query_params[name] for name in st.query_params}
    if not fields or st.session_state.get(_LINK_SEEN) is not None:
        st.session_state.setdefault(_LINK_SEEN, True)
        return
    st.session_state[_LINK_SEEN] = True
    reading = read_link(fields)
    st.session_state[_SETUP] = reading.setup
    if reading.problems:
        st.session_state[_PROBLEMS] = reading.problems


def follow(key: str, current: object, write: Callable[[Any], None]) -> Callable[[], None]:
    """Make widget ``key`` show ``current``; returns the ``on_change`` callback that hands its new value to ``write``.

    Call it right before the widget is made.
    """
    if key not in st.session_state or st.session_state[key] != current:
        st.session_state[key] = current

    def on_change() -> None:
        write(st.session_state[key])

    return on_change
