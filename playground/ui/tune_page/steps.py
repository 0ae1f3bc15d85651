"""The page's steps, and the way from one to another: what a section says while the step before it is missing."""

from __future__ import annotations

import streamlit as st

from playground.ui.kit.fragments import redraw_page

EXAMPLES, REACH, PLAN = "Examples", "What settings allow", "Plan"
RESULTS, JUDGE, SEARCH, DECISION = "Results", "Judge", "Search", "Decision"
SECTION_KEY = "tune_section"  # where the frame keeps the title of the open tab


def go_to(title: str) -> None:
    """From a callback: open a tab."""
    st.session_state[SECTION_KEY] = title
    redraw_page()


def not_yet(about: str, before: str, *, button: str = "") -> None:
    """What the section will show (``about``, Markdown of ours), and a button to the step that comes before."""
    st.info(about, icon=":material/footprint:")
    st.button(
        button or f"Go to {before}",
        key=f"tune_to_{before}",
        icon=":material/arrow_forward:",
        on_click=go_to,
        args=(before,),
        type="primary",
    )
