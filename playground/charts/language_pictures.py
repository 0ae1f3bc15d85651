"""Premiums of many languages as pictures: a heatmap of language and tokenizer, a map, and sorted bars. Knows no streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure, shortened
from playground.charts.palette import CIVIDIS, FINAL, INK
from playground.charts.scale_bars import BarsOf, PlainBar
from playground.corpus.counting import LanguageCount
from playground.corpus.land import coasts

_ROW_PX = 17
COAST = "rgba(140,145,156,0.6)"
NAMED = 9  # marks of the map that have their names beside them, where those have room; all have them on hover
# Degrees that a letter and a line of a name take on the map of a window 1,280 wide, and of a phone (frame.css shows one of them).
_WIDE, _PHONE = (4.0, 11.0), (6.0, 16.0)
_EAST, _NORTH = (-172.0, 158.0), (-45.0, 75.0)  # where people are, nearly all
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
    "len": 1.0,
    "xpad": 0,
    "title": {"text": "premium", "side": "top"},
}


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    """A colour bar of a logarithmic scale: premiums at 1, 2, 5, 10 …"""
    marks = [mark for mark in (0.5, 1, 2, 5, 10, 20, 50) if min(values) * 0.8 <= mark <= max(values) * 1.2]
    return {
        "thickness": 10,
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
    names = [shortened(each.text.name) for each in counts]
    axis = {"fixedrange": True, "showgrid": False, "zeroline": False}
    layout: dict[str, Any] = {
        "height": 224 + _ROW_PX * len(counts),
        # Counted, not Plotly's own: that moves the cells after the colours above them have been placed.
        "margin": {"l": max(100, 16 + round(6.2 * max(map(len, names), default=0))), "r": 24, "t": 184, "b": 8},
        "dragmode": False,
        "xaxis": axis
        | {
            "side": "top",
            "tickangle": 60,  # towards the languages' names, which leave room: to the right the last would be cut off
            "tickvals": list(range(len(tokenizers))),
            "ticktext": [escaped(shortened(label)) for label in tokenizers.values()],
        },
        "yaxis": axis
        | {
            "autorange": "reversed",
            "tickvals": list(range(len(counts))),
            "ticktext": [escaped(name) for name in names],
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


def map_figure(counts: Sequence[LanguageCount], tokenizer: str, chosen: str = "") -> go.Figure:
    """A mark a language at its place on the globe, as longitude and latitude, over coasts that ship: Plotly fetches its own.

    ``chosen``: the code of a language that has its name and a ring in any case. The last two traces are the names for a wide
    picture and for a narrow one.
    """
    placed = [each for each in counts if each.text.latitude is not None and each.text.longitude is not None]
    placed.sort(key=lambda each: (each.text.code == chosen, each.premium(tokenizer)))  # the dearest above all others
    premiums = [each.premium(tokenizer) for each in placed]
    places = {
        "x": np.array([each.text.longitude for each in placed], dtype=np.float32),
        "y": np.array([each.text.latitude for each in placed], dtype=np.float32),
    }
    ringed = np.array([each.text.code == chosen for each in placed])
    marks: Trace = places | {
        "type": "scatter",
        "mode": "markers",
        "hovertext": [
            f"{escaped(each.text.name)}: {premium_text(premium)}"
            for each, premium in zip(placed, premiums, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {
            "size": np.array([6 + 7 * math.log10(max(premium, 1)) for premium in premiums], dtype=np.float32),
            "color": np.log10(np.maximum(np.array(premiums, dtype=np.float32), 0.01)),
            "colorscale": _SCALE,
            "line": {"width": np.where(ringed, 3, 1), "color": [FINAL if ring else INK for ring in ringed]},
            "colorbar": _ticks(premiums or [1.0]) | _ABOVE,
        },
    }
    axis = {"fixedrange": True, "zeroline": False, "showticklabels": False, "constrain": "domain"}
    layout: dict[str, Any] = {
        "height": 390,
        "margin": {"l": 8, "r": 8, "t": 56, "b": 8},
        "dragmode": False,
        "xaxis": axis | {"range": list(_EAST), "dtick": 60},
        # a degree is as long either way
        "yaxis": axis | {"range": list(_NORTH), "dtick": 30, "scaleanchor": "x", "constraintoward": "top"},
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
    names = [places | _names(placed, size) for size in (_WIDE, _PHONE)]
    return make_figure([lines, marks, *names], layout | {"showlegend": False})


def _names(placed: Sequence[LanguageCount], size: tuple[float, float]) -> Trace:
    """Names above the marks that have room for them."""
    named = _named(placed, size)
    return {
        "type": "scatter",
        "mode": "text",
        # a line below the name: there lies the mark
        "text": [escaped(each.text.name) + "<br> " if each.text.code in named else "" for each in placed],
        "textposition": "top center",
        "textfont": {"size": 10},
        "hoverinfo": "skip",
    }


def _named(placed: Sequence[LanguageCount], size: tuple[float, float]) -> set[str]:
    """Codes of the last ``NAMED`` languages whose names have room. ``size``: degrees that a letter and a line take."""
    letter, line = size
    taken: list[tuple[float, float, float]] = []  # of a name: its middle, half its width, its height above the equator
    codes = set[str]()
    for each in reversed(placed):
        east, north = float(each.text.longitude or 0), float(each.text.latitude or 0)
        half = letter * len(each.text.name) / 2
        if all(abs(east - other) > half + width or abs(north - up) > line for other, width, up in taken):
            taken.append((east, half, north))
            codes.add(each.text.code)
        if len(codes) == NAMED:
            break
    return codes


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
