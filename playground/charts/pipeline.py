"""How the distribution changes from stage to stage: one stacked column a stage, the likeliest tokens as its bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped
from playground.charts.numbers import percent
from playground.charts.palette import GRID, INK, RAW, ink_on, sequential


@dataclass(frozen=True, slots=True)
class PipelineData:
    """``probabilities``: (tokens, columns) of the likeliest tokens by raw rank; ``others``: (columns,) of all the rest.

    ``columns`` are the stages' labels with "Raw" first; ``kept``: (columns,) tokens still in the race.
    """

    columns: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    others: npt.NDArray[np.float32]
    kept: tuple[int, ...]


def pipeline_figure(data: PipelineData) -> go.Figure:
    """Stacked columns that always reach 100%: what one token loses the others share."""
    x = np.arange(len(data.columns), dtype=np.float32)
    traces = []
    for index, token in enumerate(data.tokens):
        shade = sequential(1.0 - index / max(len(data.tokens) - 1, 1))
        row = data.probabilities[index]
        traces.append(
            go.Bar(
                x=x,
                y=row,
                name=escaped(token),
                marker={"color": shade, "line": {"color": "rgba(140,145,156,0.9)", "width": 0.7}},
                text=[f"{escaped(token)} {percent(float(p))}" if p > 0.045 else "" for p in row],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"color": ink_on(shade), "size": 11},
                hovertext=[f"<b>{escaped(token)}</b><br>{percent(float(p))}" for p in row],
                hoverinfo="text",
            )
        )
    traces.append(
        go.Bar(
            x=x,
            y=data.others,
            name="all others",
            marker={"color": RAW, "pattern": {"shape": "/", "size": 5}},
            hovertext=[f"all other tokens<br>{percent(float(p))}" for p in data.others],
            hoverinfo="text",
        )
    )
    figure = go.Figure(traces)
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        height=380,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        dragmode=False,
        showlegend=False,
        xaxis={
            "tickvals": x,
            "ticktext": [f"{name}<br>{count:,} kept" for name, count in zip(data.columns, data.kept, strict=True)],
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "tickformat": ".0%",
            "range": [0, 1.001],
            "gridcolor": GRID,
            "fixedrange": True,
            "tickfont": {"color": INK},
        },
        hoverlabel={"align": "left", "font": {"family": "monospace"}},
    )
    return figure


def pipeline_description(data: PipelineData) -> str:
    """The picture in words and numbers."""
    first = [
        f"{name}: {data.tokens[0]} {percent(float(p))}, {kept:,} kept"
        for name, p, kept in zip(data.columns, data.probabilities[0], data.kept, strict=True)
    ]
    return "Stacked columns of the distribution after each stage. " + "; ".join(first) + "."
