"""Curves of the Best-of-N page, and what it says of rules without scores."""

from __future__ import annotations

import streamlit as st

from playground.charts.curves_bands import BandsData, bands_description, bands_figure
from playground.testtime.types import ScoredCandidates
from playground.ui.kit.messages import escape_markdown
from playground.ui.kit.pictures import show_figure


def show_bands(data: BandsData, *, key: str) -> None:
    """Curves with their bands."""
    show_figure(bands_figure(data), bands_description(data), key=key)


def show_unusable(scored: ScoredCandidates) -> None:
    """The rules that have no scores at all, each with the reason."""
    for column in scored.columns:
        if column.problem:
            st.caption(f":material/info: {escape_markdown(column.label)}: {escape_markdown(column.problem)}")
