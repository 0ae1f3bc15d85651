"""A family tree down the years: a row for each architecture, a column for each kind, and who comes of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import FINAL, GRID, RAW

ROW_HEIGHT, AROUND = 26, 64  # pixels; rows are of one height, so that no name covers another


@dataclass(frozen=True, slots=True)
class TreeNode:
    """``lane``: the number of its column, from the left. ``differs``: a check against sources says otherwise than the notes."""

    name: str
    year: float
    lane: int
    parents: tuple[str, ...]
    differs: bool = False


def tree_figure(nodes: Sequence[TreeNode], lanes: Sequence[str]) -> go.Figure:
    """``nodes`` in order, the oldest on top. Grey lines to what each came of; open diamonds where notes and sources differ."""
    places = {node.name: (node.lane, row) for row, node in enumerate(nodes)}
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
        "opacity": 0.6,
        "hoverinfo": "skip",
    }
    marks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [node.lane for node in nodes],
        "y": list(range(len(nodes))),
        "text": [f" {escaped(node.name)} " for node in nodes],
        "textposition": [
            "middle left" if node.lane > len(lanes) / 2 else "middle right" for node in nodes
        ],  # into the picture
        "textfont": {"size": 12},
        "customdata": [node.year for node in nodes],
        "marker": {
            "color": FINAL,
            "size": 11,
            "symbol": ["diamond-open" if node.differs else "circle" for node in nodes],
            "line": {"width": 2, "color": FINAL},
        },
        "hovertemplate": "%{text}, %{customdata:.0f}<extra></extra>",
        "cliponaxis": False,
    }
    years = [int(node.year) for node in nodes]
    layout = {
        "height": AROUND + ROW_HEIGHT * len(nodes),
        "margin": {"l": 48, "r": 24, "t": 48, "b": 16},
        "showlegend": False,
        "dragmode": False,
        "xaxis": {
            "side": "top",
            "tickvals": list(range(len(lanes))),
            "ticktext": [lane.replace(" ", "<br>") for lane in lanes],
            "range": [-0.4, len(lanes) - 0.6],
            "gridcolor": GRID,
            "zeroline": False,
        },
        "yaxis": {
            "tickvals": [row for row, year in enumerate(years) if row == 0 or year != years[row - 1]],
            "ticktext": [str(year) for row, year in enumerate(years) if row == 0 or year != years[row - 1]],
            "range": [len(nodes) - 0.4, -0.6],
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
