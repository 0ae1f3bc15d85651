"""The page's steps, and the way from one to another: what a section says while the step before it is missing."""

from __future__ import annotations

import streamlit as st

from playground.ui.kit.fragments import redraw_page

CONVERSATION, DEMONSTRATIONS, TRAIN, MOVED = "Completion or conversation", "Demonstrations", "Train", "What moved"
SECTION_KEY = "teach_examples_section"  # where the frame keeps the title of the open tab


def go_to(title: str) -> None:
    """From a callback: open a tab."""
    st.session_state[SECTION_KEY] = title
    redraw_page()


def not_yet(about: str, before: str) -> None:
    """What the section will show (``about``, Markdown of ours), and a button to the step that comes before."""
    st.info(about, icon=":material/footprint:")
    st.button(
        f"Go to {before}",
        key=f"teach_to_{before}",
        icon=":material/arrow_forward:",
        on_click=go_to,
        args=(before,),
        type="primary",
    )
