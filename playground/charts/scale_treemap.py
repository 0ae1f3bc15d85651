"""A model's parameters as a treemap: one box a component, its area its share."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.figure import LABELS_FIT, escaped, make_figure
from playground.charts.palette import ink_on, sequential


@dataclass(frozen=True, slots=True)
class TreemapData:
    """``parts``: (component, parameters, those active for one token), all parameters counted once."""

    name: str
    parts: tuple[tuple[str, int, int], ...]


def treemap_figure(data: TreemapData) -> go.Figure:
    """Boxes from the largest (light) to the smallest (dark), each with its count and share."""
    parts = sorted(data.parts, key=lambda part: -part[1])
    total = max(sum(size for _, size, _ in parts), 1)
    shades = [sequential(1.0 - index / max(len(parts) - 1, 1)) for index in range(len(parts))]
    texts = [
        f"<b>{escaped(_words(name))}</b><br>{size:,}<br>{size / total:.2%}"
        + (f"<br>active {active:,}" if active != size else "")
        for name, size, active in parts
    ]
    trace = {
        "type": "treemap",
        "labels": [escaped(_words(name)) for name, _, _ in parts],
        "parents": [""] * len(parts),
        "values": [size for _, size, _ in parts],
        "text": texts,
        "texttemplate": "%{text}",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"colors": shades, "line": {"width": 1}},
        "textfont": {"color": [ink_on(shade) for shade in shades], "size": 13},
        "pathbar": {"visible": False},
        "tiling": {"pad": 2},
    }
    return make_figure([trace], {"height": 360, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uniformtext": LABELS_FIT})


def _words(name: str) -> str:
    return name.replace("_", " ")


def treemap_description(data: TreemapData) -> str:
    """The picture in words and numbers."""
    total = max(sum(size for _, size, _ in data.parts), 1)
    shares = ", ".join(f"{_words(name)} {size:,} ({size / total:.1%})" for name, size, _ in data.parts)
    return f"Parameters of {data.name} by component: {shares}."
