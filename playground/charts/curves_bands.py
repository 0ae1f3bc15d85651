"""Curves against the number of candidates, each with its 95% band. One picture for everything N buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.interval_lines import error_bars
from playground.charts.palette import CUT, FINAL, GRID, RAW

# Okabe and Ito without yellow, in a fixed order; each curve has a dash of its own too.
LINES = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
STRONG = "strong"


@dataclass(frozen=True, slots=True, eq=False)
class BandCurve:
    """``x``, ``y``: (n,). ``low``, ``high``: (n,) or None for no band; a bar where there is one point.
    ``kind``: "strong" carries the accent, "grey", "".

    ``style`` chooses colour and dash, so that a rule looks the same in two pictures; None: by its place.
    """

    name: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64] | None = None
    high: npt.NDArray[np.float64] | None = None
    kind: str = ""
    style: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BandsData:
    """``percent``: the y axis is a share, with ``whole`` from 0 to 100%. ``log_x``: N doubles from tick to tick.

    ``marks``: (label, x) vertical lines.
    """

    x_title: str
    y_title: str
    curves: tuple[BandCurve, ...]
    percent: bool = False
    whole: bool = True
    log_x: bool = True
    marks: tuple[tuple[str, float], ...] = ()


LEAST_SHARE = 0.1  # an axis of shares reaches so far at least, so that a rounding error is no mountain


def _y_range(data: BandsData) -> dict[str, Any]:
    if not data.percent:
        return {}
    if data.whole:
        return {"range": [-0.02, 1.02]}
    drawn = np.concatenate(
        [part for curve in data.curves for part in (curve.y, curve.low, curve.high) if part is not None]
    )
    if np.abs(drawn[np.isfinite(drawn)]).max(initial=0.0) < LEAST_SHARE:
        return {"range": [min(0.0, float(np.nanmin(drawn, initial=0.0))) - LEAST_SHARE / 20, LEAST_SHARE]}
    return {"rangemode": "tozero"}


def bands_figure(data: BandsData) -> go.Figure:
    """Lines with their bands under them and a legend above."""
    traces: list[Trace] = []
    for number, curve in enumerate(data.curves):
        place = number if curve.style is None else curve.style
        colour = _colour(curve, place)
        traces += _band(curve, colour)
        traces.append(_line(curve, colour, place, data))
    layout: dict[str, Any] = {
        "height": 330 + (18 * len(data.curves) if len(data.curves) > 2 else 0),
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "dragmode": False,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "xaxis": _x_axis(data),
        "yaxis": {
            "title": {"text": escaped(data.y_title)},
            "gridcolor": GRID,
            "fixedrange": True,
            "automargin": True,
            **({"tickformat": ".0%"} if data.percent else {}),
            **_y_range(data),
        },
        "shapes": [
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": CUT, "width": 1.5, "dash": "dash"},
            }
            for _label, x in data.marks
        ],
        "annotations": [
            {
                "text": escaped(label),
                "x": np.log10(x) if data.log_x else x,
                "yref": "paper",
                "y": 0.98,  # at the bottom it would stand among the curves, which begin at 0
                "yanchor": "top",
                "showarrow": False,
                "xanchor": "left",
                "font": {"size": 11},
            }
            for label, x in data.marks
        ],
    }
    return make_figure(traces, layout)


def _colour(curve: BandCurve, place: int) -> str:
    if curve.kind == STRONG:
        return FINAL
    return RAW if curve.kind == "grey" else LINES[place % len(LINES)]


def _x_axis(data: BandsData) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": escaped(data.x_title)}, "gridcolor": GRID, "fixedrange": True}
    if not data.log_x:
        return axis
    top = max((float(curve.x.max()) for curve in data.curves if curve.x.size), default=1.0)
    ticks = [2**power for power in range(20) if 2**power <= max(top, 1)]
    return {**axis, "type": "log", "tickvals": ticks, "ticktext": [f"{tick:,}" for tick in ticks]}


def _line(curve: BandCurve, colour: str, place: int, data: BandsData) -> Trace:
    shown = "%{y:.1%}" if data.percent else "%{y:.4g}"
    single = len(curve.x) == 1
    bar: Trace = {}
    if single and curve.low is not None and curve.high is not None:
        bar = {"error_y": error_bars(curve.y, curve.low, curve.high, colour, thickness=2)}
    return {
        "type": "scatter",
        "mode": "markers" if single else "lines+markers",
        "name": escaped(curve.name),
        "x": curve.x,
        "y": curve.y,
        "marker": {"size": 9 if single else 4, "color": colour},
        "line": {"color": colour, "width": 3 if curve.kind == STRONG else 2, "dash": DASHES[place % len(DASHES)]},
        "hovertemplate": shown,
        **bar,
    }


def _band(curve: BandCurve, colour: str) -> list[Trace]:
    if curve.low is None or curve.high is None or len(curve.x) < 2:
        return []
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.concatenate([curve.x, curve.x[::-1]]),
            "y": np.concatenate([curve.high, curve.low[::-1]]),
            "fill": "toself",
            "fillcolor": f"rgba({red},{green},{blue},0.13)",
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
            "name": escaped(curve.name),
        }
    ]


def bands_description(data: BandsData) -> str:
    """The picture in words and numbers: each curve's first and last point."""

    def number(value: float) -> str:
        return f"{value:.1%}" if data.percent else f"{value:.4g}"

    parts = [
        f"{curve.name}: {number(float(curve.y[0]))} at {curve.x[0]:g}, {number(float(curve.y[-1]))} at {curve.x[-1]:g}"
        for curve in data.curves
        if curve.x.size
    ]
    return f"{data.y_title} against {data.x_title}. " + "; ".join(parts) + "."
