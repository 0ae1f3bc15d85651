"""Several settings over one row of logits: grouped bars, one colour and one letter for each setting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped
from playground.charts.numbers import percent
from playground.charts.palette import FINAL, GRID, PINS

NOW = "now"


@dataclass(frozen=True, slots=True)
class CompareData:
    """``settings``: "now" and the pinned letters; ``probabilities``: (settings, tokens) final probabilities."""

    settings: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]


def compare_figure(data: CompareData) -> go.Figure:
    """One group of bars a token, one bar a setting; a removed token's bar is missing."""
    y = np.arange(len(data.tokens), dtype=np.float32)
    thickness = 0.84 / len(data.settings)
    traces = []
    for index, name in enumerate(data.settings):
        row = data.probabilities[index]
        traces.append(
            go.Bar(
                x=row,
                y=y + (index - (len(data.settings) - 1) / 2) * thickness,
                width=thickness * 0.92,
                orientation="h",
                name="Now" if name == NOW else f"Pin {name}",
                marker={"color": FINAL if name == NOW else PINS[name]},
                text=[f"{'' if name == NOW else name + ' '}{percent(float(p))}" if p > 0 else "" for p in row],
                textposition="outside",
                textfont={"size": 10},
                cliponaxis=False,
                hovertext=[
                    f"<b>{escaped(token)}</b><br>{name}: {percent(float(p)) if p > 0 else 'removed'}"
                    for token, p in zip(data.tokens, row, strict=True)
                ],
                hoverinfo="text",
            )
        )
    figure = go.Figure(traces)
    end = min(float(data.probabilities.max()) * 1.2, 1.25)
    figure.update_layout(
        barmode="overlay",
        height=min(400, 80 + len(data.tokens) * (10 + 13 * len(data.settings))),  # within the first screen
        margin={"l": 8, "r": 16, "t": 34, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={
            "tickformat": ".0%",
            "range": [0, end],
            "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1] if end > 1 else None,  # the room beyond is for the last bar's text
            "gridcolor": GRID,
            "fixedrange": True,
        },
        yaxis={
            "range": [len(data.tokens) - 0.45, -0.55],
            "tickvals": y,
            "ticktext": [escaped(token) for token in data.tokens],
            "tickfont": {"family": "monospace", "size": 13},
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
        hoverlabel={"align": "left", "font": {"family": "monospace"}},
    )
    return figure


def compare_description(data: CompareData) -> str:
    """The picture in words and numbers."""
    parts = [
        f"{name}: " + ", ".join(f"{token} {percent(float(p))}" for token, p in zip(data.tokens[:4], row, strict=False))
        for name, row in zip(data.settings, data.probabilities, strict=True)
    ]
    return "Final probabilities under several settings. " + "; ".join(parts) + "."
