"""A family tree over the years: one line of marks for each kind, and who comes of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import FINAL, GRID, RAW

HEIGHT = 340


@dataclass(frozen=True, slots=True)
class TreeNode:
    """``lane``: the number of its line, from the top. ``differs``: a check against sources says otherwise than the notes."""

    name: str
    year: float
    lane: int
    parents: tuple[str, ...]
    differs: bool = False


def tree_figure(nodes: Sequence[TreeNode], lanes: Sequence[str]) -> go.Figure:
    """Marks with their names; grey lines to what each came of. Open diamonds where notes and sources differ."""
    places = {node.name: (node.year, node.lane) for node in nodes}
    x: list[float | None] = []
    y: list[float | None] = []
    for node in nodes:
        for parent in node.parents:
            (x0, y0), (x1, y1) = places[parent], places[node.name]
            x += [x0, x1, None]
            y += [y0, y1, None]
    edges = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": RAW, "width": 1},
        "hoverinfo": "skip",
    }
    above: dict[int, int] = {}
    sides = []
    for node in nodes:  # neighbours of one line are named above and below in turn
        above[node.lane] = above.get(node.lane, 0) + 1
        sides.append("top center" if above[node.lane] % 2 else "bottom center")
    marks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [node.year for node in nodes],
        "y": [node.lane for node in nodes],
        "text": [escaped(node.name) for node in nodes],
        "textposition": sides,
        "textfont": {"size": 11},
        "marker": {
            "color": FINAL,
            "size": 11,
            "symbol": ["diamond-open" if node.differs else "circle" for node in nodes],
            "line": {"width": 2, "color": FINAL},
        },
        "hovertemplate": "%{text}, %{x:.0f}<extra></extra>",
        "cliponaxis": False,
    }
    layout = {
        "height": HEIGHT,
        "margin": {"l": 96, "r": 40, "t": 16, "b": 32},
        "showlegend": False,
        "dragmode": False,
        "xaxis": {"gridcolor": GRID, "dtick": 1, "tickformat": "d", "range": [2012, 2026.2]},
        "yaxis": {
            "tickvals": list(range(len(lanes))),
            "ticktext": list(lanes),
            "range": [len(lanes) - 0.4, -0.7],
            "showgrid": False,
            "zeroline": False,
        },
    }
    return make_figure([edges, marks], layout)


def tree_description(nodes: Sequence[TreeNode]) -> str:
    """Each with its year and parents, in words."""
    said = [
        f"{node.name} {int(node.year)}" + (f" (of {', '.join(node.parents)})" if node.parents else "") for node in nodes
    ]
    return f"Family tree: {'; '.join(said)}."
