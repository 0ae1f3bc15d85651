"""How one attention weight comes about: a bar for each key's score, and one for its weight after the softmax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.numbers import percent
from playground.charts.palette import GRID, INK, sequential
from playground.engine.types import FloatArray

SHOWN_KEYS = 24


@dataclass(frozen=True, slots=True)
class WeightBars:
    """Keys in the order of the text. ``names`` are their positions and texts; forbidden keys have a NaN score."""

    query: str
    names: tuple[str, ...]
    dots: FloatArray
    scores: FloatArray
    weights: FloatArray


def shown_keys(data: WeightBars) -> list[int]:
    """The keys with the most weight, in the order of the text: a long text does not fit."""
    order = np.argsort(-data.weights, kind="stable")[:SHOWN_KEYS]
    return sorted(int(key) for key in order)


def weight_figure(data: WeightBars) -> go.Figure:
    """Two columns of bars over the same keys: the scaled score at the left, the weight at the right."""
    keys = shown_keys(data)
    rows = list(range(len(keys)))
    names = [escaped(data.names[key]) for key in keys]
    scores, weights = data.scores[keys], data.weights[keys]
    hover = [
        f"{name}<br>q·k {dot:.3f}<br>score {score:.3f}<br>weight {percent(float(weight))}"
        for name, dot, score, weight in zip(names, data.dots[keys], scores, weights, strict=True)
    ]
    common = {"type": "bar", "orientation": "h", "y": rows, "hovertext": hover, "hoverinfo": "text"}
    traces: list[Trace] = [
        {
            **common,
            "x": scores,
            "marker": {"color": INK},
            "xaxis": "x",
            "text": ["masked" if np.isnan(v) else f"{v:.2f}" for v in scores],
            "textposition": "outside",
            "cliponaxis": False,
        },
        {
            **common,
            "x": weights,
            "marker": {"color": [sequential(float(v)) for v in weights], "line": {"color": INK, "width": 1}},
            "xaxis": "x2",
            "text": [percent(float(v)) for v in weights],
            "textposition": "outside",
            "cliponaxis": False,
        },
    ]
    finite = np.append(scores[~np.isnan(scores)], 0.0)
    low, high = float(finite.min()), float(finite.max())
    room = 0.25 * max(high - low, 1.0)  # for the numbers beside the bars; left of them the keys' names begin
    layout = {
        "height": 90 + 24 * max(len(keys), 2),
        "margin": {"l": 10, "r": 10, "t": 30, "b": 30},
        "showlegend": False,
        "bargap": 0.25,
        "yaxis": {"tickvals": rows, "ticktext": names, "autorange": "reversed", "automargin": True},
        "xaxis": {
            "domain": [0.0, 0.44],
            "title": {"text": "score (q·k, scaled)"},
            "gridcolor": GRID,
            "range": [low - (2.4 * room if low < 0 else 0.0), high + room],
        },
        "xaxis2": {
            "domain": [0.52, 1.0],
            "title": {"text": "weight (softmax)"},
            "gridcolor": GRID,
            "tickformat": ".0%",
            "range": [0, float(weights.max()) * 1.35],
        },
    }
    return make_figure(traces, layout)


def weight_description(data: WeightBars) -> str:
    """The picture in words and numbers."""
    best = np.argsort(-data.weights, kind="stable")[:3]
    highest = ", ".join(
        f"{data.names[key]} score {float(data.scores[key]):.3f}, weight {percent(float(data.weights[key]))}"
        for key in best
    )
    return f"Scores and weights of query {data.query} over {len(data.names):,} keys. Highest: {highest}."
