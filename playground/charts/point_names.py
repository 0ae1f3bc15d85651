"""Where the names of points stand beside them so that none covers another: pure arithmetic, for pictures of a known size.

The first points come first: one that finds no free place goes without a name, and is named on hover. Knows no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PLACES = (
    "middle right",
    "middle left",
    "top center",
    "bottom center",
    "top right",
    "bottom left",
    "top left",
    "bottom right",
)
LETTER, LINE = 6.6, 13.0  # pixels that a letter and a line take, in bold type of 10 pixels


@dataclass(frozen=True, slots=True)
class NamedPoint:
    """``x`` and ``y`` as shares of the picture's width and height, from its lower left corner; ``size`` in pixels."""

    name: str
    x: float
    y: float
    size: float


Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


def place_names(points: Sequence[NamedPoint], width: float, height: float) -> tuple[str | None, ...]:
    """For each point the place of its name, one of ``PLACES``, or None. Points outside of the picture have none.

    >>> place_names([NamedPoint("a", 0.5, 0.5, 8), NamedPoint("b", 1, 0.5, 8)], 100, 100)
    ('middle right', 'middle left')
    """
    marks = [name_box(point, "", width, height) for point in points]
    taken: list[Box] = []
    positions: list[str | None] = []
    for point, own in zip(points, marks, strict=True):
        others = [*taken, *(mark for mark in marks if mark is not own)]
        inside = 0 <= point.x <= 1 and 0 <= point.y <= 1
        place = next(
            (p for p in PLACES if inside and _is_free(name_box(point, p, width, height), others, width, height)), None
        )
        positions.append(place)
        if place is not None:
            taken.append(name_box(point, place, width, height))
    return tuple(positions)


def name_box(point: NamedPoint, place: str, width: float, height: float) -> Box:
    """What the name takes at ``place``; at "" what the mark itself takes. The distances are plotly's."""
    x, y, half = point.x * width, point.y * height, point.size / 2
    if not place:
        return (x - half, y - half, x + half, y + half)
    up, along = place.split()
    away, wide = half / 0.8 + 1, len(point.name) * LETTER
    left = {"left": x - away - wide, "center": x - wide / 2, "right": x + away}[along]
    low = {"bottom": y - away - LINE, "middle": y - LINE / 2, "top": y + away}[up]
    return (left, low, left + wide, low + LINE)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share an area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_free(box: Box, others: Sequence[Box], width: float, height: float) -> bool:
    inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
    return inside and not any(overlap(box, other) for other in others)
