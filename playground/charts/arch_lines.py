"""Curves of several architectures: against the context on logarithmic axes, or accuracy against a size with its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.numbers import milliseconds
from playground.charts.palette import BESIDE, CUT, FINAL, GRID, PINS, RAW, ROOM

HEIGHT = 540
SHARE: dict[str, object] = {"range": [-0.03, 1.05], "tickformat": ".0%", "gridcolor": GRID}
COLOURS = (FINAL, *PINS.values(), *BESIDE.values(), ROOM, RAW, CUT)  # in this order; each has its own mark as well
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down", "pentagon", "hexagon")


@dataclass(frozen=True, slots=True)
class ArchCurve:
    """``y`` None where nothing was measured; ``low`` and ``high``: an interval, or None. ``predicted``: by formula, or ()."""

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    predicted: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchLines:
    """``log``: both axes; else ``y`` is a share from 0 to 1. ``unit``: of ``y``, B or s; "" of a share.

    ``edge``: the largest size that was trained on.
    """

    curves: tuple[ArchCurve, ...]
    across: str
    upwards: str
    log: bool = True
    unit: str = ""
    edge: float | None = None


def lines_figure(data: ArchLines) -> go.Figure:
    """A colour and a mark for each; formulas dashed, intervals as bars."""
    traces: list[dict[str, object]] = []
    for number, curve in enumerate(data.curves):
        colour, symbol = COLOURS[number % len(COLOURS)], SYMBOLS[number % len(SYMBOLS)]
        trace: dict[str, object] = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": escaped(curve.name),
            "x": list(curve.x),
            "y": list(curve.y),
            "line": {"color": colour, "width": 2},
            "marker": {"color": colour, "symbol": symbol, "size": 8},
            "hovertemplate": f"%{{fullData.name}}: %{{y:{'.3s' if data.log else '.1%'}}}{data.unit} at %{{x}}<extra></extra>",
        }
        if any(each is not None for each in curve.low):
            both = list(zip(curve.y, curve.low, curve.high, strict=True))
            trace["error_y"] = {
                "type": "data",
                "symmetric": False,
                "array": [0 if y is None or high is None else high - y for y, _low, high in both],
                "arrayminus": [0 if y is None or low is None else y - low for y, low, _high in both],
                "color": colour,
                "thickness": 1.2,
            }
        traces.append(trace)
        if curve.predicted:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": list(curve.x),
                    "y": list(curve.predicted),
                    "line": {"color": colour, "width": 1.5, "dash": "dot"},
                    "showlegend": False,
                    "hoverinfo": "skip",
                }
            )
    axis: dict[str, object] = SHARE
    if data.log:  # 100ms, 10MB
        axis = {"type": "log", "gridcolor": GRID, "exponentformat": "SI", "dtick": 1, "ticksuffix": data.unit}
    ticks = sorted({x for curve in data.curves for x in curve.x})
    shapes = []
    if data.edge is not None:
        shapes.append(
            {
                "type": "line",
                "x0": data.edge,
                "x1": data.edge,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": RAW, "dash": "dash", "width": 1},
            }
        )
    layout = {
        "height": HEIGHT,
        "margin": {"l": 64, "r": 8, "t": 8, "b": 48},
        "dragmode": False,
        "shapes": shapes,
        "xaxis": {
            "title": {"text": data.across},
            "type": "log",
            "gridcolor": GRID,
            "tickvals": ticks,
            "ticktext": [_tick(x) for x in ticks],
        },
        "yaxis": {"title": {"text": data.upwards}, **axis},
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
    }
    return make_figure(traces, layout)


def _tick(value: float) -> str:
    return f"{value / 1024:g}k" if value >= 1024 and value % 1024 == 0 else f"{value:g}"


def lines_description(data: ArchLines) -> str:
    """The last point of each curve in words."""
    said = []
    for curve in data.curves:
        points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if y is not None]
        if points:
            x, y = points[-1]
            said.append(f"{curve.name} {_in_words(y, data)} at {x:g}")
    return f"{data.upwards} against {data.across}: {'; '.join(said) or 'nothing measured yet'}."


def _in_words(value: float, data: ArchLines) -> str:
    if not data.log:
        return f"{value:.0%}"
    return milliseconds(1000 * value) if data.unit == "s" else f"{value:,.0f} {data.unit}"


@dataclass(frozen=True, slots=True)
class LossCurve:
    """One training as it goes: accuracy by step."""

    name: str
    steps: tuple[int, ...]
    accuracies: tuple[float, ...]


def training_figure(curves: Sequence[LossCurve], most: int) -> go.Figure:
    """Accuracy on the largest size by step: one line a training, those of one model in one colour."""
    names = list(dict.fromkeys(curve.name for curve in curves))
    in_legend: set[str] = set()
    traces: list[dict[str, object]] = []
    for curve in curves:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escaped(curve.name),
                "legendgroup": curve.name,
                "showlegend": curve.name not in in_legend,
                "x": list(curve.steps),
                "y": list(curve.accuracies),
                "line": {"color": COLOURS[names.index(curve.name) % len(COLOURS)], "width": 1.5},
                "hoverinfo": "skip",
            }
        )
        in_legend.add(curve.name)
    layout = {
        "height": 240,
        "margin": {"l": 64, "r": 8, "t": 8, "b": 48},
        "dragmode": False,
        "xaxis": {"title": {"text": "training step"}, "range": [0, most], "gridcolor": GRID},
        "yaxis": {"title": {"text": "accuracy"}, **SHARE},
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
    }
    return make_figure(traces, layout)


def training_description(curves: Sequence[LossCurve]) -> str:
    """Where each training stands, in words."""
    said = [f"{curve.name} {curve.accuracies[-1]:.0%} after {curve.steps[-1]:,}" for curve in curves if curve.steps]
    return f"Accuracy by training step: {'; '.join(said) or 'none yet'}."
