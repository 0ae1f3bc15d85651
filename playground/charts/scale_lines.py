"""Curves over logarithmic axes, labelled at their ends: the one picture behind most of the Plan pages.

The chosen thing carries the accent; others are grey and told apart by their dashes and labels. Pinned scenarios have
their letters' colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from playground.charts.light import Dot, LightAxis, LightChart, Line, Note, Rule, Scale, Ticks, short
from playground.charts.palette import CUT, FINAL, INK, PINS, RAW
from playground.scaling.quantity import scientific

DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
NOW = "now"  # the kind of series that carries the accent; a letter takes its pin's colour, "" is grey
HEIGHT = 540
LABEL_PLACES = ("top right", "bottom left", "middle right", "middle left")  # in turn, so that neighbours part

Ends = tuple[float, float]  # of an axis, as data


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
    """``prefix`` and ``suffix`` stand around its ticks. ``range``: its ends, where the data do not say."""

    title: str
    log: bool = True
    suffix: str = ""
    prefix: str = ""
    range: Ends | None = None


@dataclass(frozen=True, slots=True)
class LinesData:
    """A picture of curves. ``levels`` are horizontal lines, ``cuts`` vertical ones, each (label, value)."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    levels: tuple[tuple[str, float], ...] = ()
    cuts: tuple[tuple[str, float], ...] = ()


def lines_chart(data: LinesData) -> LightChart:
    """Curves with their names at the right end, marks with labels, levels and cuts as dashed lines."""
    across, upward = _bounds(data, vertical=False), _bounds(data, vertical=True)
    x = _scale(data.x, across, room=0.02 if data.marks else 0.0)  # a mark on the very edge would be cut in half
    y = _scale(data.y, upward, room=0.04)
    rules, notes = _straight_lines(data, x, y)
    return LightChart(
        HEIGHT,
        (62, 16, _label_room(data.series), 48),
        LightAxis(data.x.title, _ticks(data.x, across, x)),
        LightAxis(data.y.title, _ticks(data.y, upward, y)),
        lines=tuple(_curve(series, index, x, y) for index, series in enumerate(data.series)),
        marks=tuple(_marks(data.marks, x, y)),
        rules=tuple(rules),
        notes=(*notes, *_end_labels(data, x, y, across, upward)),
    )


def _curve(series: Series, index: int, x: Scale, y: Scale) -> Line:
    plain = series.kind == ""
    return Line(
        series.name,
        colour_of(series.kind),
        1.8 if plain else 3,
        DASHES[index % len(DASHES)] if plain else "solid",
        x.places(series.x),
        y.places(series.y),
        tuple((short(one), short(other)) for one, other in zip(series.x.tolist(), series.y.tolist(), strict=True)),
    )


def colour_of(kind: str) -> str:
    """The accent for "now", a letter's own colour, else grey."""
    return FINAL if kind == NOW else PINS.get(kind, RAW)


def _marks(marks: Sequence[Mark], x: Scale, y: Scale) -> Iterator[Dot]:
    """Those that have a place on these axes."""
    for index, mark in enumerate(marks):
        (at,), (high,) = x.places([mark.x]), y.places([mark.y])
        if at is not None and high is not None:
            side, size = LABEL_PLACES[index % len(LABEL_PLACES)], 12 if mark.strong else 7
            colour, values = CUT if mark.strong else INK, (short(mark.x), short(mark.y))
            yield Dot(at, high, mark.label, side, size, mark.strong, colour, values)


def _straight_lines(data: LinesData, x: Scale, y: Scale) -> tuple[list[Rule], list[Note]]:
    """Levels and cuts, and their labels."""
    rules, notes = list[Rule](), list[Note]()
    for label, value in data.levels:
        high = y.share(value)
        rules.append(Rule((0.0, 1.0), (high, high), CUT, 1.5))
        notes.append(Note(label, 0.01, high, "left", "bottom", CUT))
    for label, value in data.cuts:
        at = x.share(value)
        rules.append(Rule((at, at), (0.0, 1.0), CUT, 1.5))
        notes.append(Note(label, at, 0.01, "left", "bottom", CUT))
    return rules, notes


def _end_labels(data: LinesData, x: Scale, y: Scale, across: Ends, upward: Ends) -> list[Note]:
    """Each curve's name at the right of its last finite point, moved apart where two would stand on each other.

    A curve that ends in the left half has its name under its own end: at the edge it would belong to nothing.
    """
    ends, early = list[tuple[float, Series]](), list[Note]()
    for series in data.series:
        finite = np.flatnonzero(np.isfinite(series.y))
        if finite.size:
            last, height = x.share(float(series.x[finite[-1]])), y.share(float(series.y[finite[-1]]))
            if across[0] < across[1] and last < 0.5:
                early.append(_name(series, last, height, "top"))
            else:
                ends.append((height, series))
    ends.sort(key=lambda end: end[0])
    bottom, top = y.share(upward[0]), y.share(upward[1])
    lines = 1 + max((series.name.count(", ") for _, series in ends), default=0)
    gap = (top - bottom) * (0.042 * lines + 0.01 * (lines > 1))  # names of two lines part from each other
    heights = _parted([min(max(height, bottom), top) for height, _ in ends], gap, top)
    return [_name(series, 1.0, at, "middle") for at, (_, series) in zip(heights, ends, strict=True)] + early


def _parted(heights: list[float], gap: float, top: float) -> list[float]:
    """Ascending heights at least ``gap`` apart and none above ``top``."""
    for index in range(1, len(heights)):
        heights[index] = max(heights[index], heights[index - 1] + gap)
    ceiling = top
    for index in reversed(range(len(heights))):  # what was pushed over the top comes down again, and no more than that
        heights[index] = ceiling = min(heights[index], ceiling)
        ceiling -= gap
    return heights


def _name(series: Series, x: float, y: float, up: Literal["top", "middle"]) -> Note:
    """A curve's name in its colour; a comma breaks it into lines."""
    colour = FINAL if series.kind == NOW else PINS.get(series.kind, INK)
    return Note(series.name.replace(", ", "\n"), x, y, "left", up, colour)


def _label_room(series: Sequence[Series]) -> int:
    """Pixels right of the curves for their names; a comma breaks a name into lines."""
    longest = max((len(part) for each in series for part in each.name.split(", ")), default=0)
    return min(14 + 6 * longest, 130)


def _bounds(data: LinesData, *, vertical: bool) -> Ends:
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


def _units(axis: Axis, ends: Ends) -> Ends:
    """The ends as a scale takes them."""
    return (math.log10(ends[0]), math.log10(ends[1])) if axis.log else ends


def _scale(axis: Axis, ends: Ends, room: float) -> Scale:
    """``room``: what stays free at both ends, as a share."""
    start, end = _units(axis, ends)
    margin = (end - start) * room
    return Scale(start - margin, end + margin, axis.log)


def _ticks(axis: Axis, ends: Ends, scale: Scale) -> Ticks:
    if not axis.log:
        return scale.even_ticks(axis.prefix, axis.suffix)
    values = log_ticks(*_units(axis, ends))
    return scale.ticks(values, [tick_text(value) for value in values])


def log_ticks(start: float, end: float) -> list[float]:
    """Values from 10^start to 10^end: 1, 2 and 5 of each decade where there is room."""
    span = max(end - start, 1e-9)
    digits = (1, 2, 5) if span <= 2.5 else (1,)
    every = max(1, math.ceil(span / 8))
    decades = range(math.floor(start), math.ceil(end) + 1)
    exact = [digit * 10.0**decade for decade in decades if decade % every == 0 for digit in digits]
    shown = [value for value in exact if start - 1e-9 <= math.log10(value) <= end + 1e-9]
    if len(shown) < 2:  # less than a third of a decade: even steps
        low, high = 10**start, 10**end
        shown = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
    return shown


def tick_text(value: float) -> str:
    """As people say it: ``2e9`` → ``2B``; powers of ten from 10^15 on."""
    if value >= 1e15 or value < 1e-4:
        return scientific(value, 0)
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
                f"{series.name}: {short(series.y[first])} at {short(series.x[first])}, "
                f"{short(series.y[last])} at {short(series.x[last])}."
            )
    parts += [f"{mark.label}: {short(mark.y)} at {short(mark.x)}." for mark in data.marks]
    parts += [f"{label}: {short(value)}." for label, value in (*data.levels, *data.cuts)]
    return " ".join(parts)
