"""Shares with their 95% intervals, one a line: what each rule got right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import make_figure
from playground.charts.interval_lines import interval_layout, interval_trace
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
    said = [f"{share:.0%}" for share in data.shares]
    axis = {"tickformat": ".0%", "range": [-0.02, 1.06], "gridcolor": GRID}
    reference = [
        {
            "type": "line",
            "x0": data.reference,
            "x1": data.reference,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": CUT, "width": 1.5, "dash": "dash"},
        }
    ]
    layout = interval_layout(data.names, 34, axis) | {"shapes": reference}
    return make_figure([interval_trace(data.shares, data.low, data.high, said, FINAL)], layout)


def shares_description(data: SharesData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        f"{name} {share:.1%} ({low:.1%} to {high:.1%})"
        for name, share, low, high in zip(data.names, data.shares, data.low, data.high, strict=True)
    )
    return f"Shares of problems solved, with 95% intervals: {said}."
