"""Guided experiments, as far as the pages' are alike: begin one afresh, and say what to look at until it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import streamlit as st

from playground.state.setup import Setup
from playground.ui import state


class Guided(Protocol):
    """An experiment of any page: its button's name, and what to look at once it is set up."""

    @property
    def label(self) -> str: ...
    @property
    def look(self) -> str: ...


def begin(page: str, name: str, **fields: Any) -> None:
    """From a callback: a new setup on the model in use with ``fields``; ``page``'s experiment ``name`` is under way."""
    old = state.setup()
    state.put(replace(Setup(model=old.model, device=old.device, dtype=old.dtype), **fields))
    state.clear_problems()
    mark_begun(page, name)


def mark_begun(page: str, name: str) -> None:
    """``page``'s experiment ``name`` is the one under way."""
    st.session_state[_key(page)] = name


def experiment_note(page: str, experiments: Mapping[str, Guided]) -> None:
    """What to look at in the experiment under way on ``page``."""
    found = experiments.get(st.session_state.get(_key(page), ""))
    if found is None:
        return
    text, close = st.columns([12, 1], vertical_alignment="center", wrap=False)
    text.info(f"**{found.label}.** {found.look}", icon=":material/science:")
    close.button(
        "",
        icon=":material/close:",
        key=f"end_{page}_experiment",
        type="tertiary",
        help="Close this note",
        on_click=lambda: st.session_state.pop(_key(page), None),
    )


def _key(page: str) -> str:
    return f"{page}_experiment"
