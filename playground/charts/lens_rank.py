"""One token's rank through the depths of a model, at one position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.numbers import percent
from playground.charts.palette import CUT, FINAL, GRID, RAW
from playground.engine.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RankLine:
    """A token's ``ranks`` (0 the likeliest) and ``logprobs`` at each depth, (D,) both."""

    name: str
    ranks: npt.NDArray[np.int32]
    logprobs: FloatArray
    leads_from: int | None


@dataclass(frozen=True, slots=True)
class RankData:
    """``lines``: the followed token first; ``depth``: the cell in view; ``vocab_size``: the lowest rank there is."""

    lines: tuple[RankLine, ...]
    depth: int
    vocab_size: int


def rank_figure(data: RankData) -> go.Figure:
    """Rank 1 at the top, on a logarithmic axis; the followed token in the accent, the answer beside it in grey."""
    traces = []
    for index, line in enumerate(data.lines):
        said = [
            f"<b>{escaped(line.name)}</b><br>depth {depth}: rank {rank + 1:,}, {percent(float(np.exp(value)))}"
            for depth, (rank, value) in enumerate(zip(line.ranks.tolist(), line.logprobs, strict=True))
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": escaped(line.name),
                "x": np.arange(len(line.ranks)),
                "y": line.ranks.astype(np.int64) + 1,
                "line": {
                    "color": RAW if index else FINAL,
                    "width": 1.8 if index else 3,
                    "dash": "dash" if index else "solid",
                },
                "marker": {"size": 4 if index else 6, "color": RAW if index else FINAL},
                "hovertext": said,
                "hoverinfo": "text",
            }
        )
    top = np.log10(max(data.vocab_size, 2))
    layout = {
        "height": 330,
        "margin": {"l": 54, "r": 10, "t": 28, "b": 44},
        "dragmode": False,
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "xaxis": {"title": {"text": "depth (0: embedding)"}, "gridcolor": GRID, "fixedrange": True, "zeroline": False},
        "yaxis": {
            "type": "log",
            "title": {"text": "rank"},
            "range": [top + 0.1, -0.15],
            "tickvals": [10**power for power in range(int(top) + 1)],
            "ticktext": [f"{10**power:,}" for power in range(int(top) + 1)],
            "gridcolor": GRID,
            "fixedrange": True,
        },
        "shapes": [
            {
                "type": "line",
                "x0": data.depth,
                "x1": data.depth,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": CUT, "width": 1.5, "dash": "dot"},
            }
        ],
    }
    return make_figure(traces, layout)


def rank_description(data: RankData) -> str:
    """The picture in words and numbers."""
    parts = []
    for line in data.lines:
        ranks = line.ranks.tolist()
        leads = "it never leads at the end" if line.leads_from is None else f"it leads from depth {line.leads_from} on"
        parts.append(
            f"{line.name}: rank {ranks[0] + 1:,} at the embedding, {ranks[len(ranks) // 2] + 1:,} at depth "
            f"{len(ranks) // 2}, {ranks[-1] + 1:,} in the answer; {leads}."
        )
    return "Rank through the depths, 1 being the likeliest. " + " ".join(parts)
