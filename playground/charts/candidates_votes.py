"""The votes: one bar an answer, the winner in the accent and marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.palette import FINAL, GRID, RAW

LONGEST_ANSWER = 36


@dataclass(frozen=True, slots=True, eq=False)
class VotesData:
    """``answers``, the strongest first. ``shares``: (answers,) of all weight given. ``counts``: texts behind each.

    ``leading``: how many of the first are equally strong (1: a clear winner). ``reference``: the right answer, or "".
    """

    answers: tuple[str, ...]
    shares: npt.NDArray[np.float32]
    counts: tuple[int, ...]
    leading: int
    reference: str = ""


def votes_figure(data: VotesData) -> go.Figure:
    """Horizontal bars of shares, the strongest on top."""
    places = np.arange(len(data.answers), dtype=np.float32)
    names = [answer if len(answer) <= LONGEST_ANSWER else answer[: LONGEST_ANSWER - 1] + "…" for answer in data.answers]
    labels = [
        ("▶ " if place < data.leading else "") + escaped(name) + (" ✓" if data.answers[place] == data.reference else "")
        for place, name in enumerate(names)
    ]
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "x": data.shares.astype(np.float32),
        "y": places,
        "marker": {"color": [FINAL if place < data.leading else RAW for place in range(len(names))]},
        "text": [f"{share:.1%} ({count})" for share, count in zip(data.shares, data.counts, strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    layout: dict[str, Any] = {
        "height": 70 + 26 * len(names),
        "margin": {"l": 8, "r": 70, "t": 8, "b": 30},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            "tickformat": ".0%",
            "range": [0, min(1.0, float(data.shares.max()) * 1.15)],
            "gridcolor": GRID,
            "fixedrange": True,
        },
        "yaxis": {
            "tickvals": places,
            "ticktext": labels,
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
    }
    return make_figure([trace], layout)


def votes_description(data: VotesData) -> str:
    """The picture in words and numbers."""
    said = ", ".join(
        f"{answer} {share:.1%} by {count}"
        for answer, share, count in zip(data.answers, data.shares, data.counts, strict=True)
    )
    ending = f" The first {data.leading} are tied." if data.leading > 1 else ""
    return f"Votes by answer: {said}.{ending}"
