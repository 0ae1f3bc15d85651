"""Where controls and pictures stand, on a page and in a tab."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

SHARES = 3, 8  # of the width: what is set, what is seen


def controls_and_pictures() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The left third and the right two; on a phone the pictures come first, the controls in a sheet below (frame.css)."""
    left, right = st.columns(SHARES, gap="small")
    return left.container(key="tab_controls"), right.container(key="tab_pictures")
