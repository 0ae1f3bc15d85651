"""The left third: the shared prompt and samplers, and between them where a text ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from playground.ui import state
from playground.ui.generate_page.desk import options, put_options
from playground.ui.generate_page.options import unescaped
from playground.ui.generate_page.write import ask_write

USUAL_STOPS = ("\n", "\n\n", ".", "}", "```", "<|im_end|>")


def ending_controls() -> None:
    """Generate, the maximum, stop strings, stop tokens, end-of-sequence."""
    chosen = options()
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
    st.number_input(
        "Maximum new tokens",
        value=chosen.max_new_tokens,
        step=1,
        key="w_max_new_tokens",
        on_change=state.follow("w_max_new_tokens", chosen.max_new_tokens, _set_maximum),
    )
    st.multiselect(
        "Stop strings",
        options=list(dict.fromkeys([*chosen.stop_strings, *USUAL_STOPS])),
        default=list(chosen.stop_strings),
        accept_new_options=True,
        format_func=lambda text: repr(text)[1:-1],
        key="w_stop_strings",
        placeholder="none",
        on_change=state.follow("w_stop_strings", list(chosen.stop_strings), _set_stops),
        help="The text ends before the first of these, even if it spans tokens. Plain text, not a pattern; \\n is a line "
        "break. Only generated text counts: one inside the prompt stops nothing.",
    )
    with st.expander("More endings", on_change="rerun", key="more_endings") as more:
        if more.open:
            st.text_input(
                "Stop token ids",
                value=chosen.stop_ids,
                key="w_stop_ids",
                placeholder="for example 2, 13",
                on_change=state.follow("w_stop_ids", chosen.stop_ids, lambda text: _change(stop_ids=text or "")),
            )
            st.toggle(
                "Go on after the end-of-sequence token",
                value=chosen.ignore_eos,
                key="w_ignore_eos",
                on_change=state.follow("w_ignore_eos", chosen.ignore_eos, lambda on: _change(ignore_eos=on)),
            )


def _change(**fields: Any) -> None:
    put_options(replace(options(), **fields))


def _set_maximum(value: int | None) -> None:
    if value is not None:
        _change(max_new_tokens=int(value))


def _set_stops(texts: list[str]) -> None:
    _change(stop_strings=tuple(dict.fromkeys(unescaped(text) for text in texts)))
