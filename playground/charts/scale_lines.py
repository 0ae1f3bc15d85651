"""Curves over logarithmic axes, labelled at their ends: the one picture behind most of the Plan pages.

The chosen thing carries the accent; others are grey and told apart by their dashes and labels. Pinned scenarios have
their letters' colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import CUT, FINAL, GRID, INK, PINS, RAW

DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
NOW = "now"  # the kind of series that carries the accent; a letter takes its pin's colour, "" is grey
HEIGHT = 380
LABEL_PLACES = ("top right", "bottom left", "middle right", "middle left")  # in turn, so that neighbours part


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve. ``x`` and ``y``: (n,) arrays; NaN leaves a gap. ``kind``: "now", a pin's letter, or ""."""

    name: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled point. ``strong`` marks are those that the picture is about."""

    label: str
    x: float
    y: float
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """``unit`` is written after values in the hover text. ``suffix``: a tick suffix such as "%"."""

    title: str
    log: bool = True
    suffix: str = ""
    prefix: str = ""
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class LinesData:
    """A picture of curves. ``levels`` are horizontal lines, ``cuts`` vertical ones, each (label, value)."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    levels: tuple[tuple[str, float], ...] = ()
    cuts: tuple[tuple[str, float], ...] = ()


def lines_figure(data: LinesData) -> go.Figure:
    """Curves with their names at the right end, marks with labels, levels and cuts as dashed lines."""
    low, high = _bounds(data, vertical=True)
    left, right = _bounds(data, vertical=False)
    traces = [_curve(series, index) for index, series in enumerate(data.series)]
    if data.marks:
        traces.append(_marks(data.marks))
    shapes, notes = _lines(data)
    notes += _end_labels(data, low, high, (left, right))
    layout: dict[str, Any] = {
        "height": HEIGHT,
        "margin": {"l": 62, "r": _label_room(data.series), "t": 16, "b": 48},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "xaxis": _axis(data.x, left, right, room=0.02 if data.marks else 0.0),  # plotly drops a mark on the very edge
        "yaxis": _axis(data.y, low, high, room=0.04),
        "shapes": shapes,
        "annotations": notes,
    }
    return make_figure(traces, layout)


def _curve(series: Series, index: int) -> Trace:
    plain = series.kind == ""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escaped(series.name),
        "x": series.x.astype(np.float32) if _fits32(series.x) else series.x,
        "y": series.y.astype(np.float32) if _fits32(series.y) else series.y,
        "line": {
            "color": colour_of(series.kind),
            "width": 1.8 if plain else 3,
            "dash": DASHES[index % len(DASHES)] if plain else "solid",
        },
        "hovertemplate": f"<b>{escaped(series.name)}</b><br>%{{x:.4s}} → %{{y:.4s}}<extra></extra>",
    }


def colour_of(kind: str) -> str:
    """The accent for "now", a letter's own colour, else grey."""
    return FINAL if kind == NOW else PINS.get(kind, RAW)


def _fits32(values: npt.NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size == 0 or np.abs(finite).max() < 3e38)


def _marks(marks: Sequence[Mark]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": np.array([mark.x for mark in marks]),
        "y": np.array([mark.y for mark in marks]),
        "text": [escaped(mark.label) for mark in marks],
        "textposition": [LABEL_PLACES[index % len(LABEL_PLACES)] for index in range(len(marks))],
        "textfont": {"size": 10},
        "cliponaxis": False,
        "marker": {
            "size": [12 if mark.strong else 7 for mark in marks],
            "symbol": ["diamond" if mark.strong else "circle" for mark in marks],
            "color": [CUT if mark.strong else INK for mark in marks],
        },
        "hovertemplate": "<b>%{text}</b><br>%{x:.4s} → %{y:.4s}<extra></extra>",
    }


def _lines(data: LinesData) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for label, value in data.levels:
        shapes.append(_rule(x0=0, x1=1, xref="paper", y0=value, y1=value))
        notes.append(_note(label, x=0.01, xref="paper", xanchor="left", y=_place(data.y, value), yanchor="bottom"))
    for label, value in data.cuts:
        shapes.append(_rule(x0=value, x1=value, y0=0, y1=1, yref="paper"))
        notes.append(_note(label, x=_place(data.x, value), xanchor="left", y=0.01, yref="paper", yanchor="bottom"))
    return shapes, notes


def _rule(**where: Any) -> dict[str, Any]:
    return {"type": "line", "line": {"color": CUT, "width": 1.5, "dash": "dash"}, **where}


def _note(text: str, **where: Any) -> dict[str, Any]:
    return {"text": escaped(text), "showarrow": False, "font": {"color": CUT, "size": 11}, **where}


def _place(axis: Axis, value: float) -> float:
    """Where an annotation stands: plotly takes logarithms there, though not in shapes and traces."""
    return math.log10(value) if axis.log else value


def _end_labels(data: LinesData, low: float, high: float, across: tuple[float, float]) -> list[dict[str, Any]]:
    """Each curve's name at the right of its last finite point, moved apart where two would stand on each other.

    A curve that ends in the left half has its name under its own end: at the edge it would belong to nothing.
    """
    ends, short = [], []
    middle = sum(_place(data.x, edge) for edge in across) / 2
    for series in data.series:
        finite = np.flatnonzero(np.isfinite(series.y))
        if finite.size:
            last = _place(data.x, float(series.x[finite[-1]]))
            height = _place(data.y, float(series.y[finite[-1]]))
            if across[0] < across[1] and last < middle:
                short.append(_name(series, height, x=last, yanchor="top"))
            else:
                ends.append((height, series))
    ends.sort(key=lambda end: end[0])
    bottom, top = _place(data.y, low), _place(data.y, high)
    lines = 1 + max((series.name.count(", ") for _, series in ends), default=0)
    gap = (top - bottom) * (0.042 * lines + 0.01 * (lines > 1))  # names of two lines part from each other
    heights = [min(max(height, bottom), top) for height, _ in ends]
    for index in range(1, len(heights)):
        heights[index] = max(heights[index], heights[index - 1] + gap)
    ceiling = top
    for index in reversed(range(len(heights))):  # what was pushed over the top comes down again, and no more than that
        heights[index] = ceiling = min(heights[index], ceiling)
        ceiling -= gap
    at_the_edge = [
        _name(series, height, x=1.0, xref="paper", yanchor="middle")
        for height, (_, series) in zip(heights, ends, strict=True)
    ]
    return at_the_edge + short


def _name(series: Series, height: float, **where: Any) -> dict[str, Any]:
    """A curve's name in its colour; a comma breaks it into lines."""
    return {
        "text": escaped(series.name).replace(", ", "<br>"),
        "xanchor": "left",
        "align": "left",
        "y": height,
        "showarrow": False,
        "font": {"size": 11, "color": FINAL if series.kind == NOW else PINS.get(series.kind, INK)},
        **where,
    }


def _label_room(series: Sequence[Series]) -> int:
    """Pixels right of the curves for their names; a comma breaks a name into lines."""
    longest = max((len(part) for each in series for part in each.name.split(", ")), default=0)
    return min(14 + 6 * longest, 130)


def _bounds(data: LinesData, *, vertical: bool) -> tuple[float, float]:
    axis = data.y if vertical else data.x
    if axis.range is not None:
        return axis.range
    parts = [series.y if vertical else series.x for series in data.series]
    parts.append(np.array([mark.y if vertical else mark.x for mark in data.marks]))
    parts.append(np.array([value for _, value in (data.levels if vertical else data.cuts)]))
    values = np.concatenate(parts)
    values = values[np.isfinite(values) & ((values > 0) | (not axis.log))]
    if not values.size:
        return (0.1, 1.0)
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else ((low / 2, high * 2) if axis.log else (low - 1, high + 1))


def _axis(axis: Axis, low: float, high: float, room: float) -> dict[str, Any]:
    start, end = (math.log10(low), math.log10(high)) if axis.log else (low, high)
    margin = (end - start) * room
    return {
        "type": "log" if axis.log else "linear",
        "title": {"text": axis.title},
        "range": [start - margin, end + margin],
        "gridcolor": GRID,
        "fixedrange": True,
        "automargin": False,
        "ticksuffix": axis.suffix,
        "tickprefix": axis.prefix,
        "minor": {"showgrid": False},
    } | (log_ticks(start, end) if axis.log else {"nticks": 8})


def log_ticks(start: float, end: float) -> dict[str, Any]:
    """Ticks from 10^start to 10^end, written as people say them: 1, 2 and 5 of each decade where there is room."""
    span = max(end - start, 1e-9)
    digits = (1, 2, 5) if span <= 2.5 else (1,)
    every = max(1, math.ceil(span / 8))
    decades = range(math.floor(start), math.ceil(end) + 1)
    exact = [digit * 10.0**decade for decade in decades if decade % every == 0 for digit in digits]
    shown = [value for value in exact if start - 1e-9 <= math.log10(value) <= end + 1e-9]
    if len(shown) < 2:  # less than a third of a decade: even steps
        low, high = 10**start, 10**end
        shown = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
    return {"tickvals": shown, "ticktext": [tick_text(value) for value in shown], "tickangle": 0}


def tick_text(value: float) -> str:
    """``2e9`` → ``2B``; powers of ten from 10^15 on."""
    if value >= 1e15 or value < 1e-4:
        return f"10<sup>{math.log10(value):.0f}</sup>" if math.log10(value).is_integer() else f"{value:.0e}"
    for suffix, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def lines_description(data: LinesData, subject: str) -> str:
    """The picture in words and numbers."""
    parts = [f"{subject}: {data.y.title} against {data.x.title}."]
    for series in data.series:
        finite = np.flatnonzero(np.isfinite(series.y))
        if finite.size:
            first, last = int(finite[0]), int(finite[-1])
            parts.append(
                f"{series.name}: {series.y[first]:.4g} at {series.x[first]:.4g}, {series.y[last]:.4g} at {series.x[last]:.4g}."
            )
    parts += [f"{mark.label}: {mark.y:.4g} at {mark.x:.4g}." for mark in data.marks]
    parts += [f"{label}: {value:.4g}." for label, value in (*data.levels, *data.cuts)]
    return " ".join(parts)
