"""A picture of curves, marks or horizontal bars as the light chart draws it: every part placed in units of the plot area.

``scale_lines`` and ``scale_bars`` make one; ``ui/components/light_chart.js`` draws it in a few lines, since laying out one
chart with a charting library takes longer than everything else that a moved slider causes. Places run from 0 to 1, left to
right and bottom to top; what lies outside is cut by the drawing. Texts are plain, a line break in one is a line break.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from playground.scaling.quantity import significant

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_DECIMALS = 5  # of a place: a thousandth of a pixel
_FAR = 50.0  # plot areas away: nothing is drawn farther out

Ticks = tuple[tuple[float, str], ...]  # a place along the axis, and what is written there
Place = float | None  # None: no such point, a gap in a curve


@dataclass(frozen=True, slots=True)
class Scale:
    """From data to places along one axis: ``low`` and ``high`` are its ends, powers of ten on a logarithmic one."""

    low: float
    high: float
    log: bool = False

    def shares(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n,) places of data values; NaN where a logarithm has none."""
        data = np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = np.log10(data) if self.log else data
            share = np.clip((units - self.low) / ((self.high - self.low) or 1.0), -_FAR, _FAR)
        return np.asarray(np.round(share, _DECIMALS), dtype=np.float64)

    def share(self, value: float) -> float:
        """The place of one value; far out at the lower end where a logarithm has none."""
        place = float(self.shares(value))
        return place if math.isfinite(place) else -_FAR

    def places(self, values: npt.ArrayLike) -> tuple[Place, ...]:
        """Places with None for what has none."""
        return tuple(place if math.isfinite(place) else None for place in self.shares(values).tolist())

    def ticks(self, values: Sequence[float], texts: Sequence[str]) -> Ticks:
        """The ticks inside of the axis."""
        placed = zip(self.shares(values).tolist(), texts, strict=True)
        return tuple((place, text) for place, text in placed if -1e-3 <= place <= 1 + 1e-3)

    def even_ticks(self, prefix: str = "", suffix: str = "", wanted: int = 6) -> Ticks:
        """Powers of ten on a logarithmic axis, else about ``wanted`` steps of 1, 2 or 5 times a power of ten."""
        low, high = sorted((self.low, self.high))
        if self.log:
            every = max(1, math.ceil((high - low) / 8))
            powers = range(math.ceil(low), math.floor(high) + 1)
            values = [10.0**power for power in powers if power % every == 0]
        else:
            rough = (high - low) / wanted or 1.0
            power_of_ten = 10.0 ** math.floor(math.log10(rough))
            step = next(step * power_of_ten for step in (1, 2, 5, 10) if step * power_of_ten >= rough * 0.999)
            numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
            values = [round(number * step, 12) for number in numbers]
        return self.ticks(values, [f"{prefix}{short(value)}{suffix}" for value in values])


@dataclass(frozen=True, slots=True)
class LightAxis:
    """What stands along one side. ``grid``: a line across the picture at each tick."""

    title: str
    ticks: Ticks
    grid: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A curve. ``values``: what is said of each point, as text."""

    name: str
    colour: str
    width: float
    dash: str
    x: tuple[Place, ...]
    y: tuple[Place, ...]
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """A marked point with its label ``at`` one of its sides, "top right"; ``size`` in pixels."""

    x: float
    y: float
    text: str
    at: str
    size: int
    diamond: bool
    colour: str
    values: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar from ``x[0]`` to ``x[1]``. ``ink``: of a text inside. ``said``: row, name and value as text."""

    x: tuple[float, float]
    y: tuple[float, float]
    colour: str
    text: str
    inside: bool
    ink: str
    edge: bool
    said: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A dashed straight line between two points."""

    x: tuple[float, float]
    y: tuple[float, float]
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Note:
    """A text at a point: ``across`` and ``up`` say which side of the text that is."""

    text: str
    x: float
    y: float
    across: Literal["left", "center", "right"]
    up: Literal["top", "middle", "bottom"]
    colour: str
    size: int = 11


@dataclass(frozen=True, slots=True)
class LightChart:
    """The whole picture. ``height`` and ``margin`` (left, top, right, bottom) in pixels; ``legend``: names and colours."""

    height: int
    margin: tuple[int, int, int, int]
    x: LightAxis
    y: LightAxis
    lines: tuple[Line, ...] = ()
    marks: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()
    rules: tuple[Rule, ...] = ()
    notes: tuple[Note, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()


def light_payload(chart: LightChart) -> dict[str, Any]:
    """Plain texts, numbers and tuples for the script, by the names of the fields."""
    whole = _shallow(chart)
    parts = {name: [_shallow(part) for part in whole[name]] for name in ("lines", "marks", "bars", "rules", "notes")}
    return {**whole, **parts, "x": _shallow(chart.x), "y": _shallow(chart.y)}


def _shallow(part: DataclassInstance) -> dict[str, Any]:
    """``dataclasses.asdict`` copies every number of every curve, which takes as long as making them."""
    return {each.name: getattr(part, each.name) for each in fields(part)}


def short(value: float) -> str:
    """Four significant digits, thousands by their letter; ``2030`` stays as it is, like a year."""
    if not math.isfinite(value):
        return "none"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return significant(value, 4)
    for letter, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e4)):
        if size >= scale:
            return f"{value / min(scale, 1e3 if letter == 'K' else scale):.4g}{letter}"
    return f"{value:.4g}"
