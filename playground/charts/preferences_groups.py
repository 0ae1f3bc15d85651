"""Groups of voters side by side: each thing's strength in every group's colour and mark, and whose reward fits whose votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.curves_bands import LINES
from playground.charts.figure import escaped, make_figure
from playground.charts.interval_lines import error_bars, interval_layout
from playground.charts.judge_tables import share_text
from playground.charts.palette import GRID, INK, RAW
from playground.charts.table import TableColumn, TableData
from playground.preferences.groups import EVERYBODY, GroupMatrix
from playground.preferences.strengths import Strengths

SYMBOLS = ("circle", "square", "triangle-up", "cross", "star", "triangle-down", "pentagon", "hexagon")


@dataclass(frozen=True, slots=True, eq=False)
class GroupsData:
    """``names`` from top to bottom; by group, everybody last, ``values``, ``low``, ``high`` (groups, names) of log strengths."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def groups_data(by_group: dict[str, Strengths], everybody: Strengths) -> GroupsData:
    """The strongest by everybody on top."""
    names = tuple(item.name for item in sorted(everybody.items, key=lambda item: -item.strength))
    fits = {**by_group, EVERYBODY: everybody}
    rows = []
    for fit in fits.values():
        items = {item.name: item for item in fit.items}
        rows.append([(items[name].strength, items[name].low, items[name].high) for name in names])
    values, low, high = np.moveaxis(np.array(rows, dtype=np.float64), -1, 0)
    return GroupsData(names, tuple(fits), values, low, high)


def groups_figure(data: GroupsData) -> go.Figure:
    """A mark and an interval for each group on each thing's line; everybody in grey."""
    traces = []
    step = 0.7 / max(len(data.groups), 1)
    for place, group in enumerate(data.groups):
        colour = RAW if group == EVERYBODY else LINES[place % len(LINES)]
        values, low, high = data.values[place], data.low[place], data.high[place]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escaped(group),
                "x": values,
                "y": np.arange(len(data.names)) + (place - (len(data.groups) - 1) / 2) * step,
                "marker": {"size": 9, "color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)]},
                "hoverinfo": "skip",
                "error_x": error_bars(values, low, high, colour),
            }
        )
    reach = float(np.max(np.abs([*data.low.ravel(), *data.high.ravel()]), initial=1.0)) * 1.05
    axis = {
        "title": {"text": "strength (ln), 0 = average of each group"},
        "range": [-reach, reach],
        "gridcolor": GRID,
        "zerolinecolor": INK,
    }
    layout = interval_layout(data.names, 26 + 18 * len(data.groups), axis, bottom_px=48)
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["margin"] = {**layout["margin"], "t": 44}
    layout["height"] += 28
    return make_figure(traces, layout)


def groups_description(data: GroupsData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        f"{name}: " + ", ".join(f"{group} {data.values[place, column]:+.2f}" for place, group in enumerate(data.groups))
        for column, name in enumerate(data.names)
    )
    return f"Log strengths by group: {said}."


def matrix_table(matrix: GroupMatrix) -> TableData:
    """Whose votes each reward agrees with, held out."""
    rows = tuple(
        {"learnt": row, **{f"c{place}": share_text(share) for place, share in enumerate(shares)}}
        for row, shares in zip(matrix.rows, matrix.agreement, strict=True)
    )
    columns = (
        TableColumn("learnt", "Reward learnt from", 150, pinned=True),
        *(TableColumn(f"c{place}", f"votes of {group}", 190) for place, group in enumerate(matrix.columns)),
    )
    return TableData(columns, rows)
