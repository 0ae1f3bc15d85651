"""How far the rules agree: one cell a pair of rules, coloured by their rank correlation around zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import ink_on

# Purple to orange (Brewer's PuOr), the same in light and dark; colour-blind safe, white at zero.
DIVERGING = ("#B35806", "#F1A340", "#F7F7F7", "#998EC3", "#542788")
LONGEST_NAME = 28


@dataclass(frozen=True, slots=True, eq=False)
class AgreementData:
    """``names``: the rules. ``tau``: (rules, rules) float32, Kendall's tau-b from -1 to 1, NaN where undefined.

    ``same_winner``: (rules, rules) bool.
    """

    names: tuple[str, ...]
    tau: npt.NDArray[np.float32]
    same_winner: npt.NDArray[np.bool_]


def agreement_figure(data: AgreementData) -> go.Figure:
    """A square of cells with their numbers; ● marks two rules with the same winner."""
    places = np.arange(len(data.names), dtype=np.float32)
    names = [escaped(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…") for name in data.names]
    axis = {"tickvals": places, "ticktext": names, "fixedrange": True, "showgrid": False, "automargin": True}
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": data.tau.astype(np.float32),
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[index / 4, colour] for index, colour in enumerate(DIVERGING)],
        "colorbar": {"title": {"text": "τ"}, "thickness": 12, "outlinewidth": 0},
        "hoverinfo": "skip",
        "xgap": 2,
        "ygap": 2,
    }
    layout: dict[str, Any] = {
        "height": 150 + 34 * len(names),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "xaxis": {**axis, "tickangle": -35},
        "yaxis": {**axis, "autorange": "reversed"},
        "annotations": [_cell(data, row, column) for row in range(len(names)) for column in range(len(names))],
    }
    return make_figure([trace], layout)


def _cell(data: AgreementData, row: int, column: int) -> dict[str, Any]:
    value = float(data.tau[row, column])
    said = "–" if np.isnan(value) else f"{value:.2f}"
    mark = " ●" if row != column and data.same_winner[row, column] else ""
    font: dict[str, Any] = {"size": 11}
    if not np.isnan(value):  # an empty cell is the page's own ground
        font["color"] = ink_on(DIVERGING[min(4, max(0, round((value + 1) * 2)))])
    return {"x": column, "y": row, "text": said + mark, "showarrow": False, "font": font}


def agreement_description(data: AgreementData) -> str:
    """The picture in words and numbers."""
    said = []
    for row, name in enumerate(data.names):
        for column in range(row + 1, len(data.names)):
            value = float(data.tau[row, column])
            correlation = "undefined" if np.isnan(value) else f"{value:.2f}"
            same = "the same winner" if data.same_winner[row, column] else "different winners"
            said.append(f"{name} and {data.names[column]}: tau {correlation}, {same}")
    return "Rank correlation of the rules. " + "; ".join(said) + "."
