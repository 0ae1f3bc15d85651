"""Which rules agree, what the model finds of documents, and rates of slices: three pictures of verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.interval_lines import interval_layout, interval_trace
from playground.charts.palette import CIVIDIS, FINAL, RAW

Floats = npt.NDArray[np.float64]
MOST_NAMED = 16  # columns of a square that have room for their names


@dataclass(frozen=True, slots=True, eq=False)
class AgreementData:
    """``shares`` (rules, rules): of the documents that either removes, those that both do, 0 to 1. ``filters``: each rule's."""

    names: tuple[str, ...]
    shares: Floats
    filters: tuple[str, ...]


def agreement_figure(data: AgreementData) -> go.Figure:
    """A square of cells, the darker the less two rules agree."""
    places = list(range(len(data.names)))
    heat = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": data.shares.astype(np.float32),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[place / (len(CIVIDIS) - 1), colour] for place, colour in enumerate(CIVIDIS)],
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{y} and %{x}: %{z:.0%}<extra></extra>",
        "colorbar": {  # above the cells: beside them it would leave a phone hardly any
            "thickness": 10,
            "tickformat": ".0%",
            "dtick": 0.5,
            "title": {"text": "both of either", "side": "top"},
            "orientation": "h",
            "yref": "container",
            "y": 1.0,
            "yanchor": "top",
            "len": 1.0,
            "xpad": 0,
        },
    }
    names = [escaped(name) for name in data.names]
    axis = {"tickvals": places, "ticktext": names, "fixedrange": True, "showgrid": False}
    named = len(names) <= MOST_NAMED  # below, too
    left, below = 16 + round(5.6 * max(map(len, data.names), default=0)), 140 if named else 8
    layout: dict[str, Any] = {
        "height": 80 + below + 22 * len(names),
        "margin": {"l": left, "r": 16, "t": 72, "b": below},
        "dragmode": False,
        "xaxis": axis | {"tickangle": -60, "showticklabels": named},
        "yaxis": axis | {"autorange": "reversed", "tickfont": {"size": 11}},
    }
    return make_figure([heat], layout)


def agreement_description(data: AgreementData) -> str:
    """The pairs of two filters' rules that agree most, in words."""
    count = len(data.names)
    apart = ((a, b) for a in range(count) for b in range(a) if data.filters[a] != data.filters[b])
    pairs = sorted(((float(data.shares[a, b]), a, b) for a, b in apart if data.shares[a, b] > 0), reverse=True)
    said = "; ".join(f"{data.names[b]} and {data.names[a]} {share:.0%}" for share, a, b in pairs[:5])
    return (
        f"Of the documents that either of two rules removes, both remove: {said}."
        if said
        else "No two filters remove the same document."
    )


@dataclass(frozen=True, slots=True, eq=False)
class AgainstModelData:
    """A point a document: ``bits`` a byte under the model, how many rules it ``failed``, its name."""

    names: tuple[str, ...]
    bits: Floats
    failed: npt.NDArray[np.int64]


def against_model_figure(data: AgainstModelData) -> go.Figure:
    """Kept documents filled below, removed ones outlined, by how surprising the model finds them."""
    traces = []
    for label, chosen, marker in (
        ("kept", data.failed == 0, {"color": FINAL, "size": 10}),
        ("removed", data.failed > 0, {"color": RAW, "size": 10, "symbol": "circle-open", "line": {"width": 2}}),
    ):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": data.bits[chosen].astype(np.float32),
                "y": data.failed[chosen].astype(np.float32),
                "text": [escaped(name) for name, own in zip(data.names, chosen, strict=True) if own],
                "hovertemplate": "%{text}: %{x:.2f} bits a byte, fails %{y} rules<extra></extra>",
                "marker": marker,
                "cliponaxis": False,  # those that fail no rule lie on the axis
            }
        )
    step = max(1, -(-int(data.failed.max(initial=0)) // 6))  # rules are whole
    layout: dict[str, Any] = {
        "height": 320,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "legend": {"orientation": "h", "y": 1.08},
        "xaxis": {"title": {"text": "bits a byte under the model"}, "fixedrange": True, "automargin": True},
        "yaxis": {
            "title": {"text": "rules it fails"},
            "fixedrange": True,
            "automargin": True,
            "rangemode": "tozero",
            "dtick": step,
        },
    }
    return make_figure(traces, layout)


@dataclass(frozen=True, slots=True, eq=False)
class RatesData:
    """``rates`` (n,) with their intervals, 0 to 1; ``said`` stands above each, from the left: there a phone has room."""

    names: tuple[str, ...]
    rates: Floats
    low: Floats
    high: Floats
    said: tuple[str, ...]


_LEFT = -0.05


def rates_figure(data: RatesData) -> go.Figure:
    """A point and its interval a slice."""
    trace = interval_trace(data.rates, data.low, data.high, data.said, FINAL)
    said = trace | {"mode": "text", "x": np.full(len(data.rates), _LEFT), "textposition": "top right"}
    del said["error_x"], said["marker"]
    trace["mode"], trace["text"] = "markers", None
    ticks = {"tickvals": [0, 0.5, 1], "tickformat": ".0%", "tickangle": 0}
    axis = {"range": [_LEFT, 1.08], "title": {"text": "removed"}} | ticks
    return make_figure([trace, said], interval_layout(data.names, 44, axis, 48))


def rates_description(data: RatesData) -> str:
    """The picture in words and numbers."""
    rows = zip(data.names, data.rates, data.low, data.high, strict=True)
    return "; ".join(f"{name}: {rate:.0%} removed ({low:.0%} to {high:.0%})" for name, rate, low, high in rows) + "."


@dataclass(frozen=True, slots=True, eq=False)
class CurvesData:
    """Held-out loss by arm: a name, ``read`` (points,) bytes and ``losses`` (seeds, points) in bits a byte."""

    arms: tuple[tuple[str, Floats, Floats], ...]


_COLOURS: Sequence[tuple[str, str]] = ((FINAL, "solid"), ("#D55E00", "dash"), ("#009E73", "dot"))


def curves_figure(data: CurvesData) -> go.Figure:
    """A line an arm (mean over seeds), a thin one a seed."""
    traces: list[dict[str, Any]] = []
    for (name, read, losses), (colour, dash) in zip(data.arms, _COLOURS, strict=False):
        x = (read / 1000).astype(np.float32)
        if len(losses) > 1:
            traces += [
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": x,
                    "y": row.astype(np.float32),
                    "showlegend": False,
                    "hoverinfo": "skip",
                }
                | {"line": {"color": colour, "width": 1, "dash": dash}, "opacity": 0.4}
                for row in losses
            ]
        mean = losses.mean(axis=0).astype(np.float32)
        line = {"color": colour, "width": 3, "dash": dash}
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "name": escaped(name), "x": x, "y": mean, "line": line}
        )
    layout: dict[str, Any] = {
        "height": 340,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        # where no curve comes: they fall at once, and above the picture a phone has no room for three in a row
        "legend": {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
        "xaxis": {
            "title": {"text": "read, thousands of bytes"},
            "fixedrange": True,
            "automargin": True,
            "rangemode": "tozero",
        },
        "yaxis": {"title": {"text": "bits a byte on held-out text"}, "fixedrange": True, "automargin": True},
    }
    return make_figure(traces, layout)


def curves_description(data: CurvesData) -> str:
    """Where each arm stands now."""
    said = [
        f"{name}: {losses[:, -1].mean():.3f} bits a byte after {read[-1] / 1000:,.0f} thousand bytes"
        for name, read, losses in data.arms
        if losses.shape[1]
    ]
    return "; ".join(said) + "." if said else "Nothing has been read yet."
