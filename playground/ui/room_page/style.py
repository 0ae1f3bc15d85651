"""The look of the joining form and of the wall."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLE = f"<style>{Path(__file__).with_name('room.css').read_text(encoding='utf-8')}</style>"


def room_style() -> None:
    st.html(_STYLE)
