"""Shares with their 95% intervals, one a line: what each rule got right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import CUT, FINAL, GRID


@dataclass(frozen=True, slots=True, eq=False)
class SharesData:
    """``names`` from top to bottom; ``shares``, ``low``, ``high``: (names,). ``reference``: what all are compared with."""

    names: tuple[str, ...]
    shares: npt.NDArray[np.float32]
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    reference: float


def shares_figure(data: SharesData) -> go.Figure:
    """A point and its interval a line; the dashed line is the reference."""
    places = np.arange(len(data.names), dtype=np.float32)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers+text",
        "x": data.shares,
        "y": places,
        "text": [f"{share:.0%}" for share in data.shares],
        "textposition": "top center",
        "cliponaxis": False,
        "marker": {"size": 10, "color": FINAL},
        "hoverinfo": "skip",
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": np.maximum(data.high - data.shares, 0),
            "arrayminus": np.maximum(data.shares - data.low, 0),
            "color": FINAL,
            "thickness": 1.5,
        },
    }
    layout: dict[str, Any] = {
        "height": 60 + 34 * len(data.names),
        "margin": {"l": 8, "r": 16, "t": 16, "b": 32},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {"tickformat": ".0%", "range": [-0.02, 1.06], "gridcolor": GRID, "fixedrange": True},
        "yaxis": {
            "tickvals": places,
            "ticktext": [escaped(name) for name in data.names],
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
        "shapes": [
            {
                "type": "line",
                "x0": data.reference,
                "x1": data.reference,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": CUT, "width": 1.5, "dash": "dash"},
            }
        ],
    }
    return make_figure([trace], layout)


def shares_description(data: SharesData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        f"{name} {share:.1%} ({low:.1%} to {high:.1%})"
        for name, share, low, high in zip(data.names, data.shares, data.low, data.high, strict=True)
    )
    return f"Shares of problems solved, with 95% intervals: {said}."
