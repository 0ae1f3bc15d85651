"""A grid over a text: what each channel or head does with each token, or how much each position gets of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import CIVIDIS, FINAL, GRID

Floats = npt.NDArray[np.float32]
LINE_PX, MOST_PX = 14, 420
_SCALE = [[number / (len(CIVIDIS) - 1), colour] for number, colour in enumerate(CIVIDIS)]
_DIVERGING = [[0.0, "#B35806"], [0.5, "#F7F7F7"], [1.0, "#542788"]]


@dataclass(frozen=True, slots=True, eq=False)
class ArchGrid:
    """``values`` (lines, T), NaN where there is none; ``lines`` names them, () for numbers. ``across``: the tokens."""

    title: str
    values: Floats
    across: tuple[str, ...]
    lines: tuple[str, ...] = ()
    upwards: str = "channel"


def grid_figure(data: ArchGrid) -> go.Figure:
    """A heatmap: one scale from the least to the largest, a diverging one about 0 where there are both signs."""
    rows, columns = data.values.shape
    signed = bool(np.nanmin(data.values) < 0)
    far = float(np.nanmax(np.abs(data.values))) or 1.0
    trace = {
        "type": "heatmap",
        "z": data.values.astype(np.float32),
        "colorscale": _DIVERGING if signed else _SCALE,
        "zmin": -far if signed else 0.0,
        "zmax": far,
        "hovertemplate": "%{y}, %{x}: %{z:.3g}<extra></extra>",
        "colorbar": {"thickness": 10},
    }
    yaxis: dict[str, object] = {"autorange": "reversed", "title": {"text": data.upwards}, "showgrid": False}
    if data.lines:
        yaxis |= {"tickvals": list(range(rows)), "ticktext": [escaped(line) for line in data.lines]}
    layout = {
        "height": min(MOST_PX, 110 + max(LINE_PX * rows, 60)),
        "margin": {"l": 56, "r": 8, "t": 8, "b": 40},
        "dragmode": False,
        "xaxis": {
            "tickvals": list(range(columns)),
            "ticktext": [escaped(each) for each in data.across],
            "tickangle": 0,
            "showgrid": False,
        },
        "yaxis": yaxis,
    }
    return make_figure([trace], layout)


def grid_description(data: ArchGrid) -> str:
    """Where the largest value stands, and the range."""
    place = np.unravel_index(int(np.nanargmax(data.values)), data.values.shape)
    line = data.lines[int(place[0])] if data.lines else f"{data.upwards} {int(place[0])}"
    low, high = float(np.nanmin(data.values)), float(np.nanmax(data.values))
    return (
        f"{data.title}: from {low:.3g} to {high:.3g}, the largest at {line}, token {int(place[1]) + 1} "
        f"({data.across[int(place[1])]})."
    )


def token_line_figure(values: Floats, across: Sequence[str], title: str) -> go.Figure:
    """One value a token, as bars over the text."""
    trace = {
        "type": "bar",
        "x": np.arange(len(values), dtype=np.float32),
        "y": values,
        "marker": {"color": FINAL},
        "hovertemplate": "%{y:.3g}<extra></extra>",
    }
    layout = {
        "height": 180,
        "margin": {"l": 56, "r": 8, "t": 8, "b": 32},
        "dragmode": False,
        "xaxis": {
            "tickvals": np.arange(len(values), dtype=np.float32),
            "ticktext": [escaped(each) for each in across],
            "tickangle": 0,
        },
        "yaxis": {"title": {"text": title}, "gridcolor": GRID},
    }
    return make_figure([trace], layout)


def both_ways_figure(recurrence: Floats, convolution: Floats, across: Sequence[str]) -> go.Figure:
    """One channel's scan as a recurrence (line) and as a convolution (rings)."""
    x = np.arange(len(recurrence), dtype=np.float32)
    traces = [
        {"type": "scatter", "mode": "lines", "x": x, "y": recurrence, "name": "step by step", "line": {"color": FINAL}},
        {
            "type": "scatter",
            "mode": "markers",
            "x": x,
            "y": convolution,
            "name": "as a convolution",
            "marker": {"symbol": "circle-open", "size": 10, "color": "#E69F00", "line": {"width": 2}},
        },
    ]
    layout = {
        "height": 240,
        "margin": {"l": 56, "r": 8, "t": 8, "b": 32},
        "dragmode": False,
        "xaxis": {"tickvals": x, "ticktext": [escaped(each) for each in across], "tickangle": 0},
        "yaxis": {"gridcolor": GRID, "title": {"text": "output"}},
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
    }
    return make_figure(traces, layout)
