"""PPO's four models and what flows between them, as one drawing. Plain SVG: a page's policy allows no other code."""

from __future__ import annotations

from playground.charts.palette import FINAL, INK

# box: left, top, its lines; the first two are trained
_BOXES = {
    "policy": (120, 70, "policy, trained"),
    "value": (300, 130, "value model, trained"),
    "prompt": (0, 70, "prompt"),
    "answer": (300, 70, "answer"),
    "reward": (480, 10, "reward model, frozen"),
    "reference": (480, 70, "reference, frozen"),
    "objective": (680, 40, "reward − β · KL"),
    "advantage": (680, 130, "advantage"),
}
_WIDTHS = {"prompt": 80, "answer": 140}
_ARROWS = (
    ("prompt", "policy"),
    ("policy", "answer"),
    ("answer", "reward"),
    ("answer", "reference"),
    ("reward", "objective"),
    ("reference", "objective"),
    ("objective", "advantage"),
    ("value", "advantage"),
)
_HEIGHT = 32


def ppo_svg() -> str:
    """Boxes, arrows, and the way back from the advantage to the policy."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 830 200" font-family="sans-serif" font-size="12">'
        f'<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{INK}"/></marker></defs>'
    ]
    for one, other in _ARROWS:
        (x, y), (u, v) = _right(one), _left(other)
        if (one, other) == ("objective", "advantage"):
            x, y, u, v = 750, 40 + _HEIGHT, 750, 130
        parts.append(f'<line x1="{x}" y1="{y}" x2="{u}" y2="{v}" stroke="{INK}" marker-end="url(#a)"/>')
    parts.append(f'<path d="M750,162 L750,185 L190,185 L190,102" fill="none" stroke="{INK}" marker-end="url(#a)"/>')
    parts.append(f'<text x="330" y="180" fill="{INK}">clipped steps</text>')
    for name, (x, y, label) in _BOXES.items():
        colour = FINAL if label.endswith("trained") else INK
        width = _WIDTHS.get(name, 140)
        parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="6" fill="none" stroke="{colour}"/>'
            f'<text x="{x + width / 2}" y="{y + 20}" text-anchor="middle" fill="{colour}">{label}</text>'
        )
    return "".join(parts) + "</svg>"


def _right(name: str) -> tuple[float, float]:
    x, y, _label = _BOXES[name]
    return x + _WIDTHS.get(name, 140), y + _HEIGHT / 2


def _left(name: str) -> tuple[float, float]:
    x, y, _label = _BOXES[name]
    return x, y + _HEIGHT / 2
