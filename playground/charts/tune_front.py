"""Two measures against each other: which settings no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import FINAL, GRID, RAW
from playground.charts.table import clipped
from playground.charts.tune_results import interval_text
from playground.tuning.decision import Findings
from playground.tuning.measures import Measure
from playground.tuning.plan import CONTROL
from playground.tuning.statistics import Interval


@dataclass(frozen=True, slots=True, eq=False)
class FrontData:
    """Each arm's ``x`` and ``y`` intervals of two measures. ``front``: places of those that no other beats in both."""

    x_measure: Measure
    y_measure: Measure
    arms: tuple[str, ...]
    x: tuple[Interval, ...]
    y: tuple[Interval, ...]
    front: tuple[int, ...]


def front_of(x: Measure, y: Measure, findings: Findings, arms: Sequence[str]) -> FrontData:
    """Arms with a value in both; the control is drawn and is on no front. A measure without a better side counts as more."""
    shown = [
        arm
        for arm in arms
        if findings.intervals[arm][x.name].mean is not None and findings.intervals[arm][y.name].mean is not None
    ]
    own = [(findings.intervals[arm][x.name], findings.intervals[arm][y.name]) for arm in shown]
    points = [((a.mean or 0.0) * (x.better or 1), (b.mean or 0.0) * (y.better or 1)) for a, b in own]
    front = [
        place
        for place, (a, b) in enumerate(points)
        if shown[place] != CONTROL
        and not any(
            c >= a and d >= b and (c, d) != (a, b) for other, (c, d) in enumerate(points) if shown[other] != CONTROL
        )
    ]
    front.sort(key=lambda place: points[place])
    return FrontData(x, y, tuple(shown), tuple(a for a, _ in own), tuple(b for _, b in own), tuple(front))


def front_figure(data: FrontData) -> go.Figure:
    """A point an arm with both intervals; the line joins those that no other beats in both measures."""
    x, y = ([each.mean or 0.0 for each in side] for side in (data.x, data.y))

    def errors(side: Sequence[Interval]) -> dict[str, Any]:
        return {
            "type": "data",
            "symmetric": False,
            "array": [0.0 if each.high is None or each.mean is None else each.high - each.mean for each in side],
            "arrayminus": [0.0 if each.low is None or each.mean is None else each.mean - each.low for each in side],
            "color": GRID,
            "thickness": 1.5,
        }

    on = set(data.front)
    points: Trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": x,
        "y": y,
        "text": [escaped(clipped(arm, 130, 1)) for arm in data.arms],
        "textposition": "top center",
        "cliponaxis": False,
        "marker": {
            "size": 11,
            "color": [FINAL if place in on else RAW for place in range(len(data.arms))],
            "symbol": ["square-open" if arm == CONTROL else "circle" for arm in data.arms],
        },
        "error_x": errors(data.x),
        "error_y": errors(data.y),
        "hovertext": [
            escaped(
                f"{arm}: {data.x_measure.name} {interval_text(a, data.x_measure.unit)}, "
                f"{data.y_measure.name} {interval_text(b, data.y_measure.unit)}"
            )
            for arm, a, b in zip(data.arms, data.x, data.y, strict=True)
        ],
        "hoverinfo": "text",
    }
    line: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": [x[place] for place in data.front],
        "y": [y[place] for place in data.front],
        "line": {"color": FINAL, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }

    def axis(measure: Measure) -> dict[str, Any]:
        side = {1: " (more is better)", -1: " (less is better)", 0: ""}[measure.better]
        return {
            "title": {"text": escaped(measure.name + side)},
            "gridcolor": GRID,
            "fixedrange": True,
            "zeroline": False,
        }

    layout: dict[str, Any] = {
        "height": 420,
        "margin": {"l": 60, "r": 24, "t": 24, "b": 48},
        "dragmode": False,
        "showlegend": False,
        "xaxis": axis(data.x_measure),
        "yaxis": axis(data.y_measure),
    }
    return make_figure([line, points], layout)


def front_description(data: FrontData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        f"{arm} {interval_text(a, data.x_measure.unit)} and {interval_text(b, data.y_measure.unit)}"
        for arm, a, b in zip(data.arms, data.x, data.y, strict=True)
    )
    best = ", ".join(data.arms[place] for place in data.front) or "none"
    return f"{data.x_measure.name} and {data.y_measure.name}: {said}. No other beats in both: {best}."
