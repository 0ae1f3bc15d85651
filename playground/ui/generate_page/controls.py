"""The left third: the shared prompt and samplers, and between them where a text ends."""

from __future__ import annotations

import streamlit as st

from playground.state.generate import USUAL_STOPS, GenerateState, unescaped
from playground.ui.generate_page.constraint import constraint_controls
from playground.ui.generate_page.session import options
from playground.ui.generate_page.write import ask_write
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound

WIDGETS = Bound(GenerateState)


def ending_controls() -> None:
    """Generate, the maximum, stop strings, stop tokens, end-of-sequence, and what the text must match."""
    st.button(
        "Generate",
        key="generate",
        type="primary",
        icon=":material/edit_note:",
        on_click=ask_write,
        shortcut="Ctrl+Enter",
        width="stretch",
        help="Write a text from the prompt with the settings below.",
    )
    WIDGETS.number("max_new_tokens")
    _stop_strings()
    with st.expander("More endings", on_change="rerun", key="more_endings") as more:
        if more.open:
            WIDGETS.text("stop_ids")
            WIDGETS.toggle("ignore_eos")
    constraint_controls()


def _stop_strings() -> None:
    field, key, shown = WIDGETS.fields["stop_strings"], WIDGETS.key("stop_strings"), list(options().stop_strings)

    def write(texts: list[str]) -> None:
        WIDGETS.write("stop_strings", tuple(dict.fromkeys(map(unescaped, texts))))

    st.multiselect(
        field.label,
        options=list(dict.fromkeys([*shown, *USUAL_STOPS])),
        default=shown,
        accept_new_options=True,
        format_func=lambda text: repr(text)[1:-1],
        placeholder=field.placeholder,
        help=field.help,
        key=key,
        on_change=bind_widget(key, shown, write),
    )
