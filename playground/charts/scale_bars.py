"""Horizontal bars: stacked parts against a limit (memory against a GPU), or plain values side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import CUT, FINAL, GRID, PINS, RAW, ink_on, sequential

LABELLED_SHARE = 0.16  # of the longest bar; a narrower part has its name in the legend only


@dataclass(frozen=True, slots=True)
class StackedData:
    """``bars``: a name and its parts (name, size) each; ``limit``: (label, size) or None; ``unit`` of all sizes.

    ``order`` fixes the parts' colours, so that a part looks the same in every bar.
    """

    bars: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    order: tuple[str, ...]
    unit: str
    limits: tuple[tuple[str, float], ...] = ()


def stacked_figure(data: StackedData) -> go.Figure:
    """One bar a scenario, one band a part; dashed lines where the limits are. ``stacked_legend`` names the bands."""
    names = [name for name, _ in data.bars]
    positions = np.arange(len(names), dtype=np.float32)
    used = [part for part in data.order if any(part == name for _, parts in data.bars for name, _ in parts)]
    longest = max(
        [sum(size for _, size in parts) for _, parts in data.bars] + [size for _, size in data.limits] + [1e-9]
    )
    traces: list[Trace] = []
    for part in used:
        shade = _shade(data.order, part)
        sizes = [dict(parts).get(part, 0.0) for _, parts in data.bars]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": escaped(part),
                "x": np.array(sizes),
                "y": positions,
                "marker": {"color": shade, "line": {"color": "rgba(140,145,156,0.9)", "width": 0.7}},
                "text": [f"{escaped(part)} {size:,.1f}" if size > LABELLED_SHARE * longest else "" for size in sizes],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"color": ink_on(shade), "size": 11},
                "hovertemplate": f"<b>{escaped(part)}</b><br>%{{x:,.4g}} {escaped(data.unit)}<extra></extra>",
            }
        )
    layout = _layout(len(names), [escaped(name) for name in names], data.unit, longest * 1.06)
    layout["barmode"] = "stack"
    layout["showlegend"] = False
    layout["shapes"] = [
        {
            "type": "line",
            "x0": size,
            "x1": size,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": CUT, "width": 2, "dash": "dash"},
        }
        for _, size in data.limits
    ]
    layout["annotations"] = [
        {
            "x": size,
            "yref": "paper",
            "y": 0.0,
            "yanchor": "bottom",
            "showarrow": False,
            "text": escaped(label),
            "xanchor": "right" if size > longest * 0.6 else "left",
            "font": {"color": CUT, "size": 11},
        }
        for label, size in data.limits
    ]
    return make_figure(traces, layout)


def _shade(order: tuple[str, ...], part: str) -> str:
    return sequential(1.0 - order.index(part) / max(len(order) - 1, 1))


def stacked_legend(data: StackedData) -> tuple[tuple[str, str], ...]:
    """The bands' names and colours. Not plotly's own legend: that one is laid out anew, slowly, at every repaint."""
    used = [part for part in data.order if any(part == name for _, parts in data.bars for name, _ in parts)]
    return tuple((part, _shade(data.order, part)) for part in used)


@dataclass(frozen=True, slots=True)
class PlainBar:
    """One value. ``kind``: "now" carries the accent, a letter its own colour, "" is grey. ``text`` stands beside it."""

    name: str
    value: float
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class BarsOf:
    """Values of one kind, compared. ``log``: their ratios matter, not their differences."""

    bars: tuple[PlainBar, ...]
    unit: str
    log: bool = False


def plain_figure(data: BarsOf) -> go.Figure:
    """One bar a value, with its text."""
    colours = [FINAL if bar.kind == "now" else PINS.get(bar.kind, RAW) for bar in data.bars]
    values = np.array([bar.value for bar in data.bars], dtype=np.float64)
    positive = values[values > 0]
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": np.arange(len(data.bars), dtype=np.float32),
        "marker": {"color": colours},
        "text": [escaped(bar.text) for bar in data.bars],
        "textposition": "auto",
        "textangle": 0,
        "cliponaxis": False,
        "hovertext": [f"<b>{escaped(bar.name)}</b><br>{escaped(bar.text)}" for bar in data.bars],
        "hoverinfo": "text",
    }
    top = float(positive.max()) if positive.size else 1.0
    layout = _layout(len(data.bars), [escaped(bar.name) for bar in data.bars], data.unit, top * 1.15)
    if data.log:
        low = float(positive.min()) if positive.size else 0.1
        layout["xaxis"] |= {
            "type": "log",
            "range": [float(np.log10(low)) - 0.5, float(np.log10(top)) + 0.4],
            "dtick": 1,
        }
    return make_figure([trace], layout)


def _layout(count: int, names: list[str], unit: str, longest: float) -> dict[str, Any]:
    return {
        "height": 90 + 44 * max(count, 1),
        # Fixed margins: letting plotly measure its labels draws everything twice at every move of a slider.
        "margin": {"l": min(16 + 7 * max((len(name) for name in names), default=0), 150), "r": 16, "t": 12, "b": 48},
        "bargap": 0.3,
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            "title": {"text": unit},
            "range": [0, longest],
            "gridcolor": GRID,
            "fixedrange": True,
            "automargin": False,
        },
        "yaxis": {
            "tickvals": list(range(count)),
            "ticktext": names,
            "range": [count - 0.45, -0.55],
            "automargin": False,
            "fixedrange": True,
            "showgrid": False,
        },
    }


def stacked_description(data: StackedData) -> str:
    """The picture in words and numbers."""
    said = [
        f"{name}: " + ", ".join(f"{part} {size:,.2f}" for part, size in parts) + f" {data.unit}"
        for name, parts in data.bars
    ]
    return "; ".join([*said, *(f"{label} at {size:,.1f} {data.unit}" for label, size in data.limits)]) + "."


def plain_description(data: BarsOf) -> str:
    """The picture in words and numbers."""
    return "; ".join(f"{bar.name}: {bar.text}" for bar in data.bars) + "."
