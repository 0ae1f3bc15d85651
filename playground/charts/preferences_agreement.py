"""How much voters agree, as one line with its marks: what was measured, chance for two choices, and InstructGPT's labelers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import make_figure
from playground.charts.palette import CUT, GRID, INK, ROOM

INSTRUCTGPT = 0.73  # Ouyang et al. 2022: how often two trained labelers said the same


@dataclass(frozen=True, slots=True)
class AgreementData:
    """``share``: of pairs of voters on one comparison, those who said the same."""

    share: float


def agreement_figure(data: AgreementData) -> go.Figure:
    """A dot on a line from 0 to 100%."""
    marks = ((0.5, "a coin", INK), (INSTRUCTGPT, "InstructGPT's labelers, 73%", CUT))
    trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": np.array([data.share]),
        "y": np.array([0.0]),
        "text": [f"{data.share:.0%}"],
        "textposition": "bottom center",
        "marker": {"size": 16, "color": ROOM, "symbol": "diamond"},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    layout = {
        "height": 120,
        "margin": {"l": 12, "r": 12, "t": 24, "b": 32},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {"range": [0, 1], "tickformat": ".0%", "gridcolor": GRID, "fixedrange": True, "zeroline": False},
        "yaxis": {"visible": False, "range": [-1, 1], "fixedrange": True},
        "shapes": [
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": colour, "width": 1.5, "dash": "dash"},
            }
            for x, _said, colour in marks
        ],
        "annotations": [
            {
                "text": said,
                "x": x,
                "yref": "paper",
                "y": 1.02,
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11},
            }
            for x, said, _colour in marks
        ],
    }
    return make_figure([trace], layout)


def agreement_description(data: AgreementData) -> str:
    """The picture in words."""
    return f"Two voters said the same in {data.share:.0%} of cases; a coin would give 50%, InstructGPT's labelers 73%."
