"""A search for settings as it goes: each trial's figure, and the best so far. Knows no browser, page or data frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import FINAL, GRID, RAW
from playground.charts.table import TableColumn, TableData

HEIGHT = 300


@dataclass(frozen=True, slots=True)
class TrialPoint:
    """``value``: the goal's mean, None without one. ``met``: all bars. ``settings`` in words."""

    value: float | None
    met: bool
    settings: str


@dataclass(frozen=True, slots=True)
class SearchData:
    """``goal``: its name; ``better``: 1 where more of it is better, else -1. ``trials``: how many there will be."""

    goal: str
    better: int
    points: tuple[TrialPoint, ...]
    trials: int

    @property
    def best(self) -> tuple[float | None, ...]:
        """After each trial the best figure of those that met every bar, None before there is one."""
        best_so_far: list[float | None] = []
        for point in self.points:
            able = [best_so_far[-1]] if best_so_far else []
            able += [point.value] if point.met else []
            measured = [value for value in able if value is not None]
            best_so_far.append(max(measured, key=lambda value: value * self.better) if measured else None)
        return tuple(best_so_far)


def search_figure(data: SearchData) -> go.Figure:
    """Points by trial: filled where every bar is met, open where one is missed; the best so far as a stepped line."""
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(1, len(data.points) + 1)),
        "y": list(data.best),
        "line": {"shape": "hv", "color": FINAL, "width": 2},
        "name": "best so far",
        "hoverinfo": "skip",
    }
    traces = [line]
    for met, name, colour, symbol in ((True, "bars met", FINAL, "circle"), (False, "a bar missed", RAW, "circle-open")):
        shown = [
            (number, point)
            for number, point in enumerate(data.points, 1)
            if point.met is met and point.value is not None
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [number for number, _ in shown],
                "y": [point.value for _, point in shown],
                "marker": {"color": colour, "size": 9, "symbol": symbol},
                "name": name,
                "text": [escaped(point.settings) for _, point in shown],
                "hovertemplate": "trial %{x}: %{y:.3g}<br>%{text}<extra></extra>",
            }
        )
    layout = {
        "height": HEIGHT,
        "margin": {"l": 56, "r": 8, "t": 8, "b": 48},
        "xaxis": {
            "title": {"text": "trial (the first is the present setting)"},
            "range": [0.5, data.trials + 0.5],
            "gridcolor": GRID,
        },
        "yaxis": {"title": {"text": escaped(data.goal)}, "gridcolor": GRID},
        "legend": {"orientation": "h", "y": 1.1, "x": 0},
    }
    return make_figure(traces, layout)


def search_description(data: SearchData) -> str:
    """What the picture shows, in words."""
    measured = [value for value in data.best if value is not None]
    best = f"the best so far has {data.goal} {measured[-1]:.3g}" if measured else "none met every bar so far"
    first = data.points[0].value if data.points else None
    present = "" if first is None else f", the present setting {first:.3g}"
    return f"{len(data.points)} of {data.trials} trials: {best}{present}."


def trials_table(
    data: SearchData, names: Sequence[str], values: Sequence[Sequence[float | int]], most: int = 8
) -> TableData:
    """The best trials first: the goal, the searched parameters ``names`` with each trial's ``values``, and the bars."""
    order = sorted(
        range(len(data.points)),
        key=lambda place: (not data.points[place].met, -(data.points[place].value or 0) * data.better, place),
    )
    columns = (
        TableColumn("#", "Trial", 60, decimals=0, pinned=True),
        TableColumn("goal", data.goal[:30], 110, decimals=3),
        *(TableColumn(f"p {name}", name, 120, decimals=3) for name in names),
        TableColumn("met", "Bars", 80),
    )
    rows = tuple(
        {
            "#": place + 1,
            "goal": data.points[place].value,
            **{f"p {name}": value for name, value in zip(names, values[place], strict=True)},
            "met": "met" if data.points[place].met else "missed",
        }
        for place in order[:most]
    )
    return TableData(columns, rows)
