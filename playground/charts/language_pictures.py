"""Premiums of many languages as pictures: a heatmap of language and tokenizer, a map, and sorted bars. Knows no streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import CIVIDIS, INK
from playground.charts.scale_bars import BarsOf, PlainBar
from playground.corpus.counting import LanguageCount
from playground.corpus.land import coasts

_ROW_PX = 17
COAST = "rgba(140,145,156,0.6)"
NAMED = 9  # marks of the map that have their names beside them, where those have room; all have them on hover
_LETTER, _LINE = 4.4, 13.0  # degrees that a letter and a line of a name take on the map of a window 1,280 wide
_SCALE = [[place / (len(CIVIDIS) - 1), colour] for place, colour in enumerate(CIVIDIS)]


def premium_text(times: float) -> str:
    """``21.8×``, and two decimals below ten.

    >>> premium_text(21.818), premium_text(0.956)
    ('21.8×', '0.96×')
    """
    return f"{times:.1f}×" if times >= 10 else f"{times:.2f}×"


_ABOVE = {
    "orientation": "h",
    "yref": "container",
    "y": 1.0,
    "yanchor": "top",
    "title": {"text": "premium", "side": "top"},
}
_ABOVE |= {
    "xref": "container",
    "x": 0.5,
    "len": 0.9,
}  # of the whole picture: on a phone the cells have no room for its numbers
_BELOW = {"orientation": "h", "y": 0.0, "yanchor": "top", "len": 0.7, "title": {"text": "premium", "side": "top"}}


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    """A colour bar of a logarithmic scale: premiums at 1, 2, 5, 10 …"""
    marks = [mark for mark in (0.5, 1, 2, 5, 10, 20, 50) if min(values) * 0.8 <= mark <= max(values) * 1.2]
    return {
        "thickness": 10,
        "title": {"text": "premium"},
        "tickangle": 0,
        "tickvals": [math.log10(mark) for mark in marks],
        "ticktext": [f"{mark:g}×" for mark in marks],
    }


def heat_figure(counts: Sequence[LanguageCount], tokenizers: Mapping[str, str]) -> go.Figure:
    """A row a language, a column a tokenizer (name: label); the colour is the premium's logarithm."""
    z = np.array([[each.premium(name) for name in tokenizers] for each in counts], dtype=np.float32)
    said = [
        [
            f"{escaped(each.text.name)}, {escaped(label)}: {premium_text(each.premium(name))}, {each.tokens[name]:,} tokens"
            for name, label in tokenizers.items()
        ]
        for each in counts
    ]
    heat: Trace = {
        "type": "heatmap",
        "x": list(range(len(tokenizers))),
        "y": list(range(len(counts))),
        "z": np.log10(np.maximum(z, 0.01)),
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": _SCALE,
        "xgap": 1,
        "colorbar": _ticks(z.ravel().tolist()) | _ABOVE,
    }
    axis = {"fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True}
    layout: dict[str, Any] = {
        "height": 224 + _ROW_PX * len(counts),
        "margin": {"l": 8, "r": 24, "t": 184, "b": 8},
        "dragmode": False,
        "xaxis": axis
        | {
            "side": "top",
            "tickangle": 60,  # towards the languages' names, which leave room: to the right the last would be cut off
            "tickvals": list(range(len(tokenizers))),
            "ticktext": [escaped(label) for label in tokenizers.values()],
        },
        "yaxis": axis
        | {
            "autorange": "reversed",
            "tickvals": list(range(len(counts))),
            "ticktext": [escaped(each.text.name) for each in counts],
            "tickfont": {"size": 11},
        },
    }
    return make_figure([heat], layout)


def heat_description(counts: Sequence[LanguageCount], tokenizers: Mapping[str, str]) -> str:
    """Each tokenizer's dearest language, and the spread."""
    said = []
    for name, label in tokenizers.items():
        top = max(counts, key=lambda each: each.premium(name))
        median = float(np.median([each.premium(name) for each in counts]))
        said.append(
            f"{label}: median {premium_text(median)}, dearest {top.text.name} {premium_text(top.premium(name))}"
        )
    return f"Premiums of {len(counts)} languages under {len(tokenizers)} tokenizers. " + "; ".join(said) + "."


def map_figure(counts: Sequence[LanguageCount], tokenizer: str) -> go.Figure:
    """A mark a language at its place on the globe, as longitude and latitude, over coasts that ship: Plotly fetches its own."""
    placed = [each for each in counts if each.text.latitude is not None and each.text.longitude is not None]
    placed.sort(key=lambda each: each.premium(tokenizer))  # the dearest above all others
    premiums = [each.premium(tokenizer) for each in placed]
    named = _named(placed)
    marks: Trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": np.array([each.text.longitude for each in placed], dtype=np.float32),
        "y": np.array([each.text.latitude for each in placed], dtype=np.float32),
        "text": [escaped(each.text.name) if each.text.code in named else "" for each in placed],
        "textposition": "top center",
        "textfont": {"size": 10},
        "hovertext": [
            f"{escaped(each.text.name)}: {premium_text(premium)}"
            for each, premium in zip(placed, premiums, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {
            "size": np.array([8 + 10 * math.log10(max(premium, 1)) for premium in premiums], dtype=np.float32),
            "color": np.log10(np.maximum(np.array(premiums, dtype=np.float32), 0.01)),
            "colorscale": _SCALE,
            "line": {"width": 1, "color": INK},
            "colorbar": _ticks(premiums or [1.0]) | _BELOW,
        },
    }
    axis = {"fixedrange": True, "zeroline": False, "showticklabels": False, "constrain": "domain"}
    layout: dict[str, Any] = {
        "height": 440,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "xaxis": axis | {"range": [-180, 180], "dtick": 60},
        "yaxis": axis | {"range": [-58, 84], "dtick": 30, "scaleanchor": "x"},  # a degree is as long either way
    }
    land = coasts()
    lines: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": land[:, 0],
        "y": land[:, 1],
        "line": {"width": 1, "color": COAST},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return make_figure([lines, marks], layout | {"showlegend": False})


def _named(placed: Sequence[LanguageCount]) -> set[str]:
    """Codes of the dearest languages whose names have room above their marks. ``placed``: the cheapest first."""
    taken: list[tuple[float, float, float]] = []  # of a name: its middle, half its width, its height above the equator
    found = set[str]()
    for each in reversed(placed):
        east, north = float(each.text.longitude or 0), float(each.text.latitude or 0)
        half = _LETTER * len(each.text.name) / 2
        if all(abs(east - other) > half + width or abs(north - up) > _LINE for other, width, up in taken):
            taken.append((east, half, north))
            found.add(each.text.code)
        if len(found) == NAMED:
            break
    return found


def map_description(counts: Sequence[LanguageCount], tokenizer: str) -> str:
    """The dearest five with their places."""
    placed = [each for each in counts if each.text.latitude is not None]
    top = sorted(placed, key=lambda each: -each.premium(tokenizer))[:5]
    said = "; ".join(
        f"{each.text.name} at {each.text.latitude:.0f}°, {each.text.longitude:.0f}°: {premium_text(each.premium(tokenizer))}"
        for each in top
    )
    return f"{len(placed)} languages by longitude and latitude, coloured by premium. The dearest: {said}."


def premium_bars(counts: Sequence[LanguageCount], tokenizer: str, chosen: str) -> BarsOf:
    """Sorted bars; ``chosen`` (a code) carries the accent. Characters and bytes stand in the table, which has room for them."""
    bars = []
    for each in counts:
        times = each.premium(tokenizer)
        kind = "now" if each.text.code == chosen else ""
        bars.append(PlainBar(each.text.name, times, premium_text(times), kind))
    return BarsOf(tuple(bars), "tokens against the baseline, same text", log=False)
