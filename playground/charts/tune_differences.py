"""Each setting's difference to the present one, by one measure, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.interval_lines import error_bars
from playground.charts.numbers import p_value
from playground.charts.palette import CUT, FINAL, GRID, RAW
from playground.charts.tune_results import arm_text
from playground.tuning.plan import CONTROL
from playground.tuning.statistics import Difference


@dataclass(frozen=True, slots=True, eq=False)
class DifferencesData:
    """Of one measure: each arm's ``differences`` to ``present``, the control last. ``better``: as ``Measure.better``."""

    measure: str
    unit: str
    better: int
    present: str
    arms: tuple[str, ...]
    differences: tuple[Difference, ...]


def differences_figure(data: DifferencesData) -> go.Figure:
    """A point and its 95% interval a line: filled where the difference holds after the correction, the control a square."""
    places = np.arange(len(data.arms), dtype=np.float32)
    differences = [each.difference or 0.0 for each in data.differences]
    low = [own if each.low is None else each.low for own, each in zip(differences, data.differences, strict=True)]
    high = [own if each.high is None else each.high for own, each in zip(differences, data.differences, strict=True)]
    colours = [FINAL if each.significant else RAW for each in data.differences]
    trace: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": np.array(differences, dtype=np.float32),
        "y": places,
        "cliponaxis": False,
        "marker": {
            "size": 11,
            "color": colours,
            "symbol": [
                ("square" if arm == CONTROL else "circle") + ("" if each.significant else "-open")
                for arm, each in zip(data.arms, data.differences, strict=True)
            ],
            "line": {"width": 2},
        },
        "error_x": error_bars(np.array(differences), np.array(low), np.array(high), RAW),
        "hovertext": [
            escaped(_difference_said(arm, each, data.unit))
            for arm, each in zip(data.arms, data.differences, strict=True)
        ],
        "hoverinfo": "text",
    }
    side = {1: "better →", -1: "← better", 0: ""}[data.better]
    layout: dict[str, Any] = {
        "height": 76 + 32 * len(data.arms),
        "margin": {"l": 8, "r": 16, "t": 12, "b": 44},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            "title": {"text": escaped(f"{data.measure}: difference to {data.present}  {side}")},
            "gridcolor": GRID,
            "zeroline": True,
            "zerolinecolor": CUT,
            "zerolinewidth": 2,
            "fixedrange": True,
        },
        "yaxis": {
            "tickvals": places,
            "ticktext": [escaped(arm_text(arm, data.present)) for arm in data.arms],
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    }
    return make_figure([trace], layout)


def differences_description(data: DifferencesData) -> str:
    """The picture in words and numbers."""
    said = "; ".join(
        _difference_said(arm, each, data.unit) for arm, each in zip(data.arms, data.differences, strict=True)
    )
    return f"Differences of {data.measure} to {data.present}, with 95% intervals: {said}."


def _difference_said(arm: str, difference: Difference, unit: str) -> str:
    if difference.difference is None:
        return f"{arm} no value"
    unit = "" if unit == "share" else f" {unit}"
    bounds = (
        ""
        if difference.low is None or difference.high is None
        else f" ({difference.low:+.3g} to {difference.high:+.3g})"
    )
    p = "" if difference.p_adjusted is None else f", p = {p_value(difference.p_adjusted)} after the correction"
    return f"{arm} {difference.difference:+.3g}{unit}{bounds}{p}"
