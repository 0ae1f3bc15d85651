"""Strengths of the answers that a room compared, with their intervals, one a line. A log scale: its zero is the average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import make_figure
from playground.charts.interval_lines import interval_layout, interval_trace
from playground.charts.palette import GRID, INK, ROOM
from playground.preferences.strengths import Strengths
from playground.room.questions.standing import Standing


@dataclass(frozen=True, slots=True, eq=False)
class StrengthsData:
    """``names`` from top to bottom; ``strengths``, ``low``, ``high``: (names,) natural logarithms, of mean 0.

    ``votes``: how many they are fitted to. ``interval``, ``level``: what the intervals are.
    """

    names: tuple[str, ...]
    strengths: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    votes: int
    interval: str = "Wald"
    level: float = 0.95


def strengths_data(fitted: Strengths) -> StrengthsData:
    """The fit as a picture, the strongest on top."""
    items = sorted(fitted.items, key=lambda item: (-item.strength, item.name))
    strengths, low, high = np.array([(item.strength, item.low, item.high) for item in items]).reshape(-1, 3).T
    names = tuple(item.name for item in items)
    return StrengthsData(names, strengths, low, high, fitted.votes, fitted.interval, fitted.level)


def strengths_figure(data: StrengthsData) -> go.Figure:
    """A point and its interval a line."""
    said = [f"{value:+.2f}" for value in data.strengths]
    trace = interval_trace(data.strengths, data.low, data.high, said, ROOM, size=12, symbol="diamond")
    reach = float(np.max(np.abs([*data.low, *data.high]), initial=1.0)) * 1.1
    axis = {
        "title": {"text": "strength (ln), 0 = average"},
        "range": [-reach, reach],
        "gridcolor": GRID,
        "zerolinecolor": INK,
    }
    return make_figure([trace], interval_layout(data.names, 44, axis, bottom_px=48))


def strengths_description(data: StrengthsData) -> str:
    """The picture in words and numbers."""
    rows = zip(data.names, data.strengths, data.low, data.high, strict=True)
    said = "; ".join(f"{name} {value:+.2f} ({low:+.2f} to {high:+.2f})" for name, value, low, high in rows)
    return f"Log strengths from {data.votes} votes, with {data.level:.0%} {data.interval} intervals: {said}."


def agreement_sentence(standing: Standing) -> str:
    """How much the room agrees, and how its votes fell by side."""
    agreement, side = standing.agreement, standing.side
    parts = []
    if agreement.share is not None:
        parts.append(f"Two voters of the room said the same in {agreement.share:.0%} of cases")
    if agreement.alpha is not None:
        parts.append(f"Krippendorff's alpha is {agreement.alpha:.2f} (1 full agreement, 0 chance)")
    if side.share is not None:
        parts.append(f"{side.left} of {side.left + side.right} decided votes went to the left, on shuffled sides")
    return "; ".join(parts) + "." if parts else "Too few votes to say how much the room agrees."
