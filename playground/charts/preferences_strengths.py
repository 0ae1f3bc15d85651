"""Strengths with their intervals, and beside them what Elo makes of the same votes in several orders, on the same scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import make_figure
from playground.charts.interval_lines import interval_layout, interval_trace
from playground.charts.palette import GRID, INK, PINS, ROOM
from playground.charts.room_strengths import StrengthsData, strengths_description
from playground.preferences.elo import SCALE

_ELO_COLOUR = PINS["A"]


@dataclass(frozen=True, slots=True, eq=False)
class EloBeside:
    """``strengths``: fitted. ``elo``: (orders, names) ratings in the same order of names, as natural-log strengths of mean 0."""

    strengths: StrengthsData
    elo: npt.NDArray[np.float64]


def elo_as_strengths(
    ratings: npt.NDArray[np.float64], items: tuple[str, ...], names: tuple[str, ...]
) -> npt.NDArray[np.float64]:
    """(orders, items) ratings as natural-log strengths of ``names``: 400 points are odds of ten."""
    scaled = (ratings - ratings.mean(axis=1, keepdims=True)) * math.log(10) / SCALE
    ordered: npt.NDArray[np.float64] = scaled[:, [items.index(name) for name in names]]
    return ordered


def strengths_with_elo_figure(data: EloBeside) -> go.Figure:
    """A diamond and its interval a line; under it one small circle an order of the votes."""
    own = data.strengths
    said = [f"{value:+.2f}" for value in own.strengths]
    fitted = {
        **interval_trace(own.strengths, own.low, own.high, said, ROOM, size=12, symbol="diamond"),
        "name": "Bradley–Terry, 95%",
    }
    orders, names = data.elo.shape
    elo = {
        "type": "scatter",
        "mode": "markers",
        "name": f"Elo, {orders} orders of the same votes",
        "x": data.elo.ravel(),
        "y": np.tile(np.arange(names, dtype=np.float64) + 0.28, orders),
        "marker": {"size": 6, "color": _ELO_COLOUR, "opacity": 0.55, "symbol": "circle-open"},
        "hoverinfo": "skip",
    }
    ends = [*own.low, *own.high, *data.elo.ravel()]
    reach = float(np.max(np.abs(ends), initial=1.0)) * 1.1
    axis = {
        "title": {"text": "strength (ln), 0 = average"},
        "range": [-reach, reach],
        "gridcolor": GRID,
        "zerolinecolor": INK,
    }
    layout = interval_layout(own.names, 52, axis, bottom_px=48)
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["margin"] = {**layout["margin"], "t": 40}
    layout["height"] += 24
    return make_figure([fitted, elo], layout)


def strengths_with_elo_description(data: EloBeside) -> str:
    """The picture in words and numbers."""
    low, high = data.elo.min(axis=0), data.elo.max(axis=0)
    ranges = "; ".join(
        f"{name} {one:+.2f} to {other:+.2f}" for name, one, other in zip(data.strengths.names, low, high, strict=True)
    )
    return f"{strengths_description(data.strengths)} Elo of the same votes in {len(data.elo)} orders: {ranges}."
