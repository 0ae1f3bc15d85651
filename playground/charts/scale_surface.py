"""The loss of a scaling law over sizes and tokens, with lines of equal compute, the optimum and published models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.numbers import scientific
from playground.charts.palette import CIVIDIS, CUT, FINAL, GRID, PINS
from playground.charts.point_names import NamedPoint, place_names
from playground.scaling.quantity import format_count

HEIGHT, MARGIN = 540, {"l": 62, "r": 86, "t": 12, "b": 48, "autoexpand": False}
MODEL_SIZE, OWN_SIZE = 7, 12  # pixels of a mark
PLOT_HEIGHT = HEIGHT - 12 - 48
NAMED_WIDTHS = (290, 140)
"""Pixels of the plot for which names are placed: beside the controls, and on a phone. `ui/frame.css` hides the others."""


Point = tuple[str, float, float]  # name, parameters, tokens


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceData:
    """``loss[i, j]`` of ``params[j]`` and ``tokens[i]``; ``best``: (n, 2) of the optimum over budgets.

    ``budgets``: lines of equal compute in FLOPs. ``models``: (name, params, tokens). ``here`` is the model in question
    and ``optimum`` the best for the reader's budget, both (params, tokens). ``pins``: (letter, params, tokens).
    """

    params: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    budgets: tuple[float, ...]
    models: tuple[tuple[str, float, float], ...]
    here: tuple[float, float]
    optimum: tuple[float, float]
    pins: tuple[tuple[str, float, float], ...] = ()


def surface_figure(data: SurfaceData) -> go.Figure:
    """Contours of the loss on logarithmic axes; darker is lower."""
    traces: list[Trace] = [
        {
            "type": "contour",
            "x": np.log10(data.params).astype(np.float32),
            "y": np.log10(data.tokens).astype(np.float32),
            "z": data.loss.astype(np.float32),
            "colorscale": [[index / (len(CIVIDIS) - 1), colour] for index, colour in enumerate(CIVIDIS)],
            "ncontours": 14,
            "contours": {"coloring": "fill", "showlabels": False},
            "line": {"width": 0.6, "color": "rgba(255,255,255,0.5)"},
            "colorbar": {"title": {"text": "loss (nats)"}, "thickness": 10, "len": 0.9},
            "hovertemplate": "N 10^%{x:.2f}, D 10^%{y:.2f}: %{z:.3f} nats<extra></extra>",
        }
    ]
    spread = np.array([data.params[0], data.params[-1]])
    for budget in data.budgets:
        traces.append(_path(spread, budget / (6 * spread), "#FFFFFF", "dot", f"{scientific(budget, 0)} FLOPs"))
    traces.append(_path(data.best[:, 0], data.best[:, 1], FINAL, "solid", "compute-optimal"))
    own = [("N, D", *data.here), ("optimum", *data.optimum)]
    traces.append(_points(data.models, "#FFFFFF", "circle", MODEL_SIZE))
    traces.append(_points(own, CUT, "diamond", OWN_SIZE))
    traces += [_points([pin], PINS[pin[0]], "diamond", OWN_SIZE) for pin in data.pins]
    traces += [_names(data, [*own, *data.pins], width) for width in NAMED_WIDTHS]
    layout: dict[str, Any] = {
        "height": HEIGHT,
        "margin": MARGIN,
        "showlegend": False,
        "dragmode": False,
        "xaxis": _axis("Parameters N", data.params),
        "yaxis": _axis("Training tokens D", data.tokens),
    }
    return make_figure(traces, layout)


def _path(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], colour: str, dash: str, name: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.log10(x),
        "y": np.log10(y),
        "name": escaped(name),
        "line": {"color": colour, "dash": dash, "width": 3 if dash == "solid" else 1.5},
        "hovertemplate": f"{escaped(name)}<extra></extra>",
    }


def _points(points: Sequence[Point], colour: str, symbol: str, size: int) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.log10(np.array([n for _, n, _ in points])),
        "y": np.log10(np.array([d for _, _, d in points])),
        "marker": {"size": size, "symbol": symbol, "color": colour, "line": {"color": "#000000", "width": 1}},
        "hovertext": [f"{escaped(name)}: N = {format_count(n)}, D = {format_count(d)}" for name, n, d in points],
        "hoverinfo": "text",
    }


def named_points(data: SurfaceData, own: Sequence[Point]) -> list[NamedPoint]:
    """The reader's own points first, then the published models, placed in the plot."""

    def share(at: float, axis: npt.NDArray[np.float64]) -> float:
        return float(np.log10(at / axis[0]) / np.log10(axis[-1] / axis[0]))

    return [
        NamedPoint(name, share(n, data.params), share(d, data.tokens), size)
        for points, size in ((own, OWN_SIZE), (data.models, MODEL_SIZE))
        for name, n, d in points
    ]


def _names(data: SurfaceData, own: Sequence[Point], width: int) -> Trace:
    """The names that have room in a plot of ``width`` pixels; the others are told on hover."""
    points = [*own, *data.models]
    places = place_names(named_points(data, own), width, PLOT_HEIGHT)
    shown = [(name, n, d, place) for (name, n, d), place in zip(points, places, strict=True) if place]
    sizes = {name: OWN_SIZE for name, _, _ in own}
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": np.log10(np.array([n for _, n, _, _ in shown])),
        "y": np.log10(np.array([d for _, _, d, _ in shown])),
        "text": [f"<b>{escaped(name)}</b>" for name, _, _, _ in shown],
        "textposition": [place for _, _, _, place in shown],
        "textfont": {"size": 10, "color": "#FFFFFF", "shadow": "0 0 3px #000, 0 0 3px #000"},
        "marker": {"size": [sizes.get(name, MODEL_SIZE) for name, _, _, _ in shown], "opacity": 0},
        "hoverinfo": "skip",
    }


def _axis(title: str, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    low, high = float(np.log10(values[0])), float(np.log10(values[-1]))
    ticks = list(range(int(np.ceil(low)), int(np.floor(high)) + 1))
    names = {6: "1M", 7: "10M", 8: "100M", 9: "1B", 10: "10B", 11: "100B", 12: "1T", 13: "10T", 14: "100T"}
    return {
        "title": {"text": title},
        "range": [low, high],
        "tickvals": ticks,
        "fixedrange": True,
        "gridcolor": GRID,
        "ticktext": [names.get(tick, f"10^{tick}") for tick in ticks],
        "automargin": False,
        "showgrid": False,
    }


def surface_description(data: SurfaceData) -> str:
    """The picture in words and numbers."""
    models = "; ".join(
        f"{name}: {format_count(n)} parameters on {format_count(d)} tokens" for name, n, d in data.models
    )
    return (
        f"Loss from {data.loss.min():.2f} to {data.loss.max():.2f} nats over parameters and tokens. The best for the budget: "
        f"{format_count(data.optimum[0])} parameters on {format_count(data.optimum[1])} tokens. "
        + "".join(
            f"Pinned {letter}: {format_count(n)} parameters on {format_count(d)} tokens. " for letter, n, d in data.pins
        )
        + f"Published models: {models}."
    )
