"""Pictures of a reward head: its learning curve, how far its probabilities can be believed, and what it likes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.charts.figure import make_figure
from playground.charts.interval_lines import interval_layout, interval_trace
from playground.charts.palette import FINAL, GRID, INK, RAW
from playground.preferences.liking import Liking
from playground.preferences.reward import Calibration, LearningCurve


def learning_bands(curve: LearningCurve, by_length: tuple[str, float] | None) -> BandsData:
    """Held-out accuracy against votes, beside always preferring the longer answer, or the shorter."""
    x = curve.sizes.astype(np.float64)
    drawn = [BandCurve("reward head, held-out votes", x, curve.mean, curve.low, curve.high, STRONG)]
    if by_length is not None:
        word, share = by_length
        drawn.append(BandCurve(f"always the {word} answer", x, np.full(len(x), share), kind="grey"))
    return BandsData("votes fitted to", "agreement with votes", tuple(drawn), percent=True)


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationData:
    """``said``, ``happened`` (bins,): the mean probability of a bin and the share of its votes that went so; ``counts`` votes."""

    said: npt.NDArray[np.float64]
    happened: npt.NDArray[np.float64]
    counts: npt.NDArray[np.intp]
    error: float


def calibration_data(calibration: Calibration) -> CalibrationData:
    return CalibrationData(calibration.said, calibration.happened, calibration.counts, calibration.error)


def calibration_figure(data: CalibrationData) -> go.Figure:
    """A dot a bin, with the diagonal of a probability that means what it says."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.array([0.0, 1.0]),
            "y": np.array([0.0, 1.0]),
            "line": {"color": RAW, "dash": "dash", "width": 1.5},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": data.said,
            "y": data.happened,
            "marker": {"size": 9, "color": FINAL},
            "line": {"color": FINAL, "width": 2},
            "text": [f"{count} votes" for count in data.counts],
            "hovertemplate": "said %{x:.0%}, happened %{y:.0%}, %{text}<extra></extra>",
        },
    ]
    axis = {"range": [-0.03, 1.03], "tickformat": ".0%", "gridcolor": GRID, "fixedrange": True}
    layout = {
        "height": 330,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {**axis, "title": {"text": "probability that the head gave"}},
        "yaxis": {**axis, "title": {"text": "share of votes that went so"}, "automargin": True},
    }
    return make_figure(traces, layout)


def calibration_description(data: CalibrationData) -> str:
    """The picture in words and numbers."""
    bins = zip(data.said, data.happened, data.counts, strict=True)
    said = "; ".join(f"said {one:.0%}, happened {other:.0%} of {count}" for one, other, count in bins)
    return f"Calibration on held-out votes: {said}. Mean distance {data.error:.1%}."


@dataclass(frozen=True, slots=True, eq=False)
class LikingData:
    """``names`` from top to bottom; ``values``, ``low``, ``high`` (names,): correlations from -1 to 1."""

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def liking_data(likings: tuple[Liking, ...]) -> LikingData:
    """The strongest on top."""
    values, low, high = np.array([(one.correlation, one.low, one.high) for one in likings]).reshape(-1, 3).T
    return LikingData(tuple(one.feature for one in likings), values, low, high)


def liking_figure(data: LikingData) -> go.Figure:
    """A correlation and its interval a line."""
    trace = interval_trace(data.values, data.low, data.high, [f"{value:+.2f}" for value in data.values], FINAL)
    axis = {
        "title": {"text": "Spearman's correlation"},
        "range": [-1.1, 1.1],
        "gridcolor": GRID,
        "zerolinecolor": INK,
    }
    return make_figure([trace], interval_layout(data.names, 36, axis, bottom_px=48))


def liking_description(data: LikingData) -> str:
    """The picture in words and numbers."""
    rows = zip(data.names, data.values, data.low, data.high, strict=True)
    said = "; ".join(f"{name} {value:+.2f} ({low:+.2f} to {high:+.2f})" for name, value, low, high in rows)
    return f"What the reward goes along with: {said}."
