"""One measure over a grid of two parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import CIVIDIS, CUT, ink_on, sequential


@dataclass(frozen=True, slots=True, eq=False)
class GridData:
    """``means`` (ys, xs) of a measure over two parameters' values, NaN where there is no such setting. ``present``: (x, y)."""

    measure: str
    x_name: str
    y_name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    means: npt.NDArray[np.float64]
    present: tuple[float, float]


def grid_figure(data: GridData) -> go.Figure:
    """Cells with their numbers; the present setting framed."""
    low, high = float(np.nanmin(data.means)), float(np.nanmax(data.means))
    heat: Trace = {
        "type": "heatmap",
        "x": list(range(len(data.xs))),
        "y": list(range(len(data.ys))),
        "z": data.means.astype(np.float32),
        "colorscale": [[place / (len(CIVIDIS) - 1), colour] for place, colour in enumerate(CIVIDIS)],
        "zmin": low,
        "zmax": high if high > low else low + 1,
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
        "colorbar": {"thickness": 10, "title": {"text": escaped(data.measure)}},
    }
    notes = [
        {
            "x": x,
            "y": y,
            "text": f"{data.means[y, x]:.3g}",
            "showarrow": False,
            "font": {"color": ink_on(sequential((data.means[y, x] - low) / (high - low) if high > low else 0.0))},
        }
        for y in range(len(data.ys))
        for x in range(len(data.xs))
        if not math.isnan(data.means[y, x])
    ]
    frame = []
    if data.present[0] in data.xs and data.present[1] in data.ys:
        x, y = data.xs.index(data.present[0]), data.ys.index(data.present[1])
        edge = {"color": CUT, "width": 3}
        frame = [{"type": "rect", "x0": x - 0.48, "x1": x + 0.48, "y0": y - 0.48, "y1": y + 0.48, "line": edge}]
    axis = {"fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True}
    layout: dict[str, Any] = {
        "height": 120 + 46 * len(data.ys),
        "margin": {"l": 8, "r": 8, "t": 12, "b": 44},
        "dragmode": False,
        "annotations": notes,
        "shapes": frame,
        "xaxis": axis
        | {
            "title": {"text": data.x_name},
            "tickvals": list(range(len(data.xs))),
            "ticktext": [f"{value:g}" for value in data.xs],
        },
        "yaxis": axis
        | {
            "title": {"text": data.y_name},
            "tickvals": list(range(len(data.ys))),
            "ticktext": [f"{value:g}" for value in data.ys],
        },
    }
    return make_figure([heat], layout)


def grid_description(data: GridData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        f"{data.x_name} {x:g}, {data.y_name} {y:g}: {data.means[row, column]:.3g}"
        for row, y in enumerate(data.ys)
        for column, x in enumerate(data.xs)
        if not math.isnan(data.means[row, column])
    )
    return f"{data.measure} over {data.x_name} and {data.y_name}: {said}."
