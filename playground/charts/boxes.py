"""Boxes with arrows between them, as one drawing. Plain SVG: a page's policy allows no other code.

It is shown as a picture, which no theme reaches: every box has a ground of its own, on which its text can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from playground.charts.palette import FINAL, INK

HEIGHT = 32
PAPER, TYPE = "#F4F4F7", "#101218"  # of a box, whatever the page's ground


@dataclass(frozen=True, slots=True)
class Box:
    """``x``, ``y``: its left upper corner."""

    x: float
    y: float
    label: str
    width: float = 140

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + HEIGHT / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width, self.y + HEIGHT / 2


def arrow(one: tuple[float, float], other: tuple[float, float]) -> str:
    """From a point to another."""
    (x, y), (u, v) = one, other
    return f'<line x1="{x}" y1="{y}" x2="{u}" y2="{v}" stroke="{INK}" marker-end="url(#a)"/>'


def note(x: float, y: float, text: str) -> str:
    """A small text around ``x`` with its baseline at ``y``, on a ground of its own as a box's is."""
    width = 5.6 * len(text) + 12
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 13}" width="{width:.1f}" height="18" rx="4" fill="{PAPER}"/>'
        f'<text x="{x}" y="{y}" text-anchor="middle" font-size="11" fill="{TYPE}">{text}</text>'
    )


def boxes_svg(
    size: tuple[int, int],
    boxes: Mapping[str, Box],
    arrows: Collection[tuple[str, str]],
    strong: Collection[str],
    more: str = "",
) -> str:
    """``arrows``: from the right of one to the left of another. ``strong``: filled with the accent. ``more``: SVG beneath."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="12">'
        f'<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{INK}"/></marker></defs>{more}'
    ]
    parts += [arrow(boxes[one].right, boxes[other].left) for one, other in arrows]
    for name, box in boxes.items():
        fill, type_colour, thick = (FINAL, "#FFFFFF", 2.5) if name in strong else (PAPER, TYPE, 1)
        parts.append(
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{INK}" '
            f'stroke-width="{thick}"/><text x="{box.x + box.width / 2}" y="{box.y + 20}" text-anchor="middle" '
            f'fill="{type_colour}">{box.label}</text>'
        )
    return "".join(parts) + "</svg>"
