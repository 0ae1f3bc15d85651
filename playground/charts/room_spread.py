"""The temperatures that a room set: each a mark, with the median and the quartiles behind them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import make_figure
from playground.charts.palette import CUT, GRID, ROOM
from playground.room.questions.temperature import Spread
from playground.room.questions.types import COOLEST, HOTTEST


def spread_figure(data: Spread) -> go.Figure:
    """Equal settings stand on each other; the band holds the middle half, the line is the median."""
    below = Counter[float]()
    heights = []
    for value in data.settings:
        below[value] += 1
        heights.append(below[value])
    highest = max(heights)
    marks: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": np.array(data.settings, dtype=np.float32),
        "y": np.array(heights, dtype=np.float32),
        "marker": {"size": 13, "color": ROOM, "line": {"width": 1, "color": "#FFFFFF"}},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    across = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    quartiles = {"type": "rect", "x0": data.lower_quartile, "x1": data.upper_quartile, **across}
    layout: dict[str, Any] = {
        "height": min(420, 170 + 18 * highest),
        "margin": {"l": 8, "r": 16, "t": 28, "b": 48},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            "title": {"text": "temperature"},
            "range": [COOLEST - 0.05, HOTTEST + 0.05],
            "dtick": 0.2,
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis": {"visible": False, "range": [0.2, max(highest, 4) + 0.8], "fixedrange": True},
        "shapes": [
            {**quartiles, "fillcolor": GRID, "line": {"width": 0}},
            {"type": "line", "x0": data.median, "x1": data.median, **across, "line": {"width": 2, "color": CUT}},
        ],
        "annotations": [
            {
                "x": data.median,
                "yref": "paper",
                "y": 1,
                "yanchor": "bottom",
                "showarrow": False,
                "text": f"median {data.median:.2f}",
            }
        ],
    }
    return make_figure([marks], layout)


def spread_description(data: Spread) -> str:
    """The picture in words and numbers."""
    return (
        f"{len(data.settings)} temperatures from {data.low:.2f} to {data.high:.2f}: half of them between "
        f"{data.lower_quartile:.2f} and {data.upper_quartile:.2f}, the median {data.median:.2f}. All of them: "
        f"{', '.join(f'{value:.2f}' for value in data.settings)}."
    )
