"""A table or a figure of ``charts`` on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from playground.charts.curves_bands import BandsData, bands_description, bands_figure
from playground.charts.table import TableColumn, TableData
from playground.testtime.types import ScoredCandidates
from playground.ui.kit.messages import escape_markdown

ROW_HEIGHT = 66  # pixels: Streamlit wraps text in rows of more than 64
HEAD_HEIGHT, MOST_HEIGHT = 38, 470

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig


def show_table(data: TableData, *, key: str, **options: Any) -> None:
    """``options`` go to ``st.dataframe``. A list of dicts: Streamlit makes the data frame, and the page need not import one."""
    shape: dict[str, Any] = {"height": "content"}  # a table of rules or figures is short: all of it is shown
    if data.tall:
        shape = {"row_height": ROW_HEIGHT, "height": min(ROW_HEIGHT * len(data.rows) + HEAD_HEIGHT, MOST_HEIGHT)}
    st.dataframe(
        [{column.name: row[column.name] for column in data.columns} for row in data.rows],
        key=key,
        hide_index=True,
        column_config={column.name: _config(column) for column in data.columns},
        **shape,
        **options,
    )


def _config(column: TableColumn) -> ColumnConfig:
    about: dict[str, Any] = {"width": column.width, "help": column.help or None, "pinned": column.pinned or None}
    if column.decimals is None:
        return st.column_config.TextColumn(column.label, **about)
    return st.column_config.NumberColumn(column.label, format=f"%.{column.decimals}f", **about)


def show_bands(data: BandsData, *, key: str) -> None:
    """Curves with their bands."""
    show_figure(bands_figure(data), bands_description(data), key=key)


def show_figure(figure: go.Figure, said: str, *, key: str) -> None:
    """A figure without a tool bar; ``said`` is what a screen reader says of it."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=said)


def show_unusable(scored: ScoredCandidates) -> None:
    """The rules that have no scores at all, each with the reason."""
    for column in scored.columns:
        if column.problem:
            st.caption(f":material/info: {escape_markdown(column.label)}: {escape_markdown(column.problem)}")
