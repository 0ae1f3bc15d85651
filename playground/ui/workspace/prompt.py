"""The prompt's controls: text, raw or chat, system prompt, special tokens. They follow the shared setup."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.state.link_fields import link_fields
from playground.state.setup import MAX_PROMPT_CHARACTERS, Setup
from playground.ui.kit import session
from playground.ui.kit.session import bind_widget
from playground.ui.workspace.setup import parts_that_differ, setup

_FIELDS = link_fields(Setup)


def prompt_controls() -> None:
    """Prompt, raw text or chat, system prompt, special tokens."""
    shown = setup()
    st.text_area(
        _FIELDS["prompt"].label,
        value=shown.prompt,
        height=80,
        max_chars=MAX_PROMPT_CHARACTERS,
        **_bound("prompt"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle(_FIELDS["chat"].label, value=shown.chat, **_bound("chat"))
        st.toggle(_FIELDS["parse_special"].label, value=shown.parse_special, **_bound("parse_special"))
    if shown.chat:
        st.text_input(
            _FIELDS["system"].label,
            value=shown.system,
            max_chars=MAX_PROMPT_CHARACTERS,
            placeholder=_FIELDS["system"].placeholder,
            **_bound("system"),
        )


def _bound(name: str) -> dict[str, Any]:
    """Key, callback and help of the widget of a field of the setup."""
    key, current = f"w_{name}", getattr(setup(), name)

    def write(value: object) -> tuple[str, ...]:
        old = setup()
        new = old.change(**{name: value if isinstance(current, bool) else value or ""})
        session.put(new)
        return parts_that_differ(old, new)

    return {"key": key, "on_change": bind_widget(key, current, write), "help": _FIELDS[name].help or None}
