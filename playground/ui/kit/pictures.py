"""A table or a figure of ``charts`` on a page. Plotly's type is in pixels: it is told how large type is in this browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from playground.charts.figure import enlarged
from playground.charts.table import TableColumn, TableData
from playground.ui.components.type_size import type_size
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw

ROW_HEIGHT = 66  # pixels: Streamlit wraps text in rows of more than 64
HEAD_HEIGHT, MOST_HEIGHT = 38, 550

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


def show_figure(figure: go.Figure, said: str, *, key: str) -> None:
    """A figure without a tool bar; ``said`` is what a screen reader says of it."""
    plotly_picture(figure, key=key, config={"displayModeBar": False}, alt=said)


@dataclass(frozen=True, slots=True)
class TypeSize:
    """How large type is in this browser, as a multiple of the usual."""

    size: float = 1.0


def plotly_picture(figure: go.Figure, **about: Any) -> Any:  # noqa: ANN401 - as st.plotly_chart
    """``st.plotly_chart`` with type of this browser's size."""
    return st.plotly_chart(enlarged(figure, session.get(TypeSize).size), **about)


def measure_type(*parts: str) -> None:
    """Once a page: ask the browser. Where type has another size than was thought the pictures, and ``parts``, are drawn anew."""

    def note(size: float) -> None:
        session.put(TypeSize(size))
        redraw(PICTURES, *parts)

    st.fragment(lambda: type_size(session.get(TypeSize).size, note, key="type_size"), key="type_size_part")()
