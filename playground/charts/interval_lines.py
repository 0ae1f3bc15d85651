"""Points with their intervals, one named line each: the trace and the lines' axis that such pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.charts.figure import escaped

_Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def interval_trace(
    values: _Values, low: _Values, high: _Values, said: Sequence[str], colour: str, **marker: object
) -> dict[str, Any]:
    """A point and its interval a line, from top to bottom; ``said`` is written above each point."""
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": values,
        "y": np.arange(len(values), dtype=np.float32),
        "text": list(said),
        "textposition": "top center",
        "cliponaxis": False,
        "marker": {"size": 10, "color": colour, **marker},
        "hoverinfo": "skip",
        "error_x": error_bars(values, low, high, colour),
    }


def error_bars(values: _Values, low: _Values, high: _Values, colour: str, thickness: float = 1.5) -> dict[str, Any]:
    """Plotly's ``error_x`` or ``error_y`` of intervals from ``low`` to ``high``."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.maximum(high - values, 0),
        "arrayminus": np.maximum(values - low, 0),
        "color": colour,
        "thickness": thickness,
    }


def interval_layout(names: Sequence[str], line_px: int, xaxis: dict[str, Any], bottom_px: int = 32) -> dict[str, Any]:
    """One line a name, each so high, with room above the first for what is written there."""
    return {
        "height": 28 + bottom_px + line_px * len(names),
        "margin": {"l": 8, "r": 16, "t": 16, "b": bottom_px},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {"fixedrange": True, **xaxis},
        "yaxis": {
            "tickvals": np.arange(len(names), dtype=np.float32),
            "ticktext": [escaped(name) for name in names],
            "range": [len(names) - 0.4, -0.8],
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    }
