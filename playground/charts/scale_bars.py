"""Horizontal bars: stacked parts against a limit (memory against a GPU), or plain values side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playground.charts.light import Bar, LightAxis, LightChart, Note, Rule, Scale, short
from playground.charts.palette import CUT, FINAL, PINS, RAW, ink_on, sequential

ROW_PX, WIDE_ROW_PX, LEAST_PX = 44, 110, 220  # of a row; of few rows, which share the least height of a picture
THICKNESS = 0.7  # of a bar, as a share of its row
LABELLED_SHARE = 0.16  # of the longest bar; a narrower part has its name in the legend only


@dataclass(frozen=True, slots=True)
class StackedData:
    """``bars``: a name and its parts (name, size) each; ``limits``: a label and a size each; ``unit`` of all sizes.

    ``order`` fixes the parts' colours, so that a part looks the same in every bar.
    """

    bars: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    order: tuple[str, ...]
    unit: str
    limits: tuple[tuple[str, float], ...] = ()


def stacked_chart(data: StackedData) -> LightChart:
    """One bar a scenario, one band a part with its colour in the legend; dashed lines where the limits are."""
    names = [name for name, _ in data.bars]
    used = [part for part in data.order if any(part in dict(parts) for _, parts in data.bars)]
    shades = {part: sequential(1.0 - data.order.index(part) / max(len(data.order) - 1, 1)) for part in used}
    ends = [sum(size for _, size in parts) for _, parts in data.bars]
    longest = max([*ends, *(size for _, size in data.limits), 1e-9])
    x, rows = Scale(0, longest * 1.06), _rows(len(names))
    bars = list[Bar]()
    for row, (name, parts) in enumerate(data.bars):
        start, sizes = 0.0, dict(parts)
        for part, shade in shades.items():
            size = sizes.get(part, 0.0)
            text = f"{part} {size:,.1f}" if size > LABELLED_SHARE * longest else ""
            band = (x.share(start), x.share(start + size))
            bars.append(Bar(band, _row(rows, row), shade, text, True, ink_on(shade), True, (name, part, short(size))))
            start += size
    at = [(label, x.share(size), size > longest * 0.6) for label, size in data.limits]
    return _chart(
        names,
        LightAxis(data.unit, x.even_ticks()),
        bars,
        rules=tuple(Rule((place, place), (0.0, 1.0), CUT, 2) for _, place, _ in at),
        notes=tuple(Note(label, place, 0.0, "right" if far else "left", "bottom", CUT) for label, place, far in at),
        legend=tuple(shades.items()),
    )


@dataclass(frozen=True, slots=True)
class PlainBar:
    """One value. ``kind``: "now" carries the accent, a letter its own colour, "" is grey. ``text`` stands beside it."""

    name: str
    value: float
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class BarsOf:
    """Values of one kind, compared. ``log``: their ratios matter, not their differences."""

    bars: tuple[PlainBar, ...]
    unit: str
    log: bool = False


def plain_chart(data: BarsOf, row_px: int = ROW_PX) -> LightChart:
    """One bar a value, with its text. ``row_px``: how high its row is."""
    positive = [bar.value for bar in data.bars if bar.value > 0]
    top = max(positive, default=1.0)
    x = Scale(0, top * 1.15)
    if data.log:
        x = Scale(math.log10(min(positive, default=0.1)) - 0.5, math.log10(top) + 0.4, log=True)
    rows, bars = _rows(len(data.bars)), list[Bar]()
    for row, bar in enumerate(data.bars):
        colour = FINAL if bar.kind == "now" else PINS.get(bar.kind, RAW)
        (end,) = x.places([bar.value])
        said = (bar.name, bar.name, short(bar.value))
        bars.append(Bar((0.0, end or 0.0), _row(rows, row), colour, bar.text, False, ink_on(colour), False, said))
    return _chart([bar.name for bar in data.bars], LightAxis(data.unit, x.even_ticks()), bars, row_px)


def _rows(count: int) -> Scale:
    """Rows 0, 1, 2 … from the top down."""
    return Scale(count - 0.45, -0.55)


def _row(rows: Scale, row: int) -> tuple[float, float]:
    """The lower and upper edge of a row's bar."""
    return rows.share(row + THICKNESS / 2), rows.share(row - THICKNESS / 2)


def _chart(names: Sequence[str], x: LightAxis, bars: Sequence[Bar], row_px: int = ROW_PX, **parts: Any) -> LightChart:
    room = min(16 + 7 * max((len(name) for name in names), default=0), 150)
    ticks = _rows(len(names)).ticks(range(len(names)), names)
    count = max(len(names), 1)
    if row_px == ROW_PX:
        row_px = min(WIDE_ROW_PX, max(ROW_PX, LEAST_PX // count))
    height = 90 + row_px * count
    return LightChart(height, (room, 12, 16, 48), x, LightAxis("", ticks, grid=False), bars=tuple(bars), **parts)


def stacked_description(data: StackedData) -> str:
    """The picture in words and numbers."""
    said = [
        f"{name}: " + ", ".join(f"{part} {size:,.2f}" for part, size in parts) + f" {data.unit}"
        for name, parts in data.bars
    ]
    return "; ".join([*said, *(f"{label} at {size:,.1f} {data.unit}" for label, size in data.limits)]) + "."


def plain_description(data: BarsOf) -> str:
    """The picture in words and numbers."""
    return "; ".join(f"{bar.name}: {bar.text}" for bar in data.bars) + "."
