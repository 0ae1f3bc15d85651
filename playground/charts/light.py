"""From a figure of curves or horizontal bars to what the light chart draws: everything placed in units of the plot area.

The figures stay plotly's (and are validated as such by the tests); only the drawing is done without plotly, which takes
longer to lay out one chart than everything else a moved slider causes. Knows scatter and bar traces, line shapes and
annotations, and logarithmic or linear axes: what ``scale_lines`` and ``scale_bars`` make. Places run from 0 to 1, left
to right and bottom to top; what lies outside of the axes is cut by the drawing.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.palette import ink_on

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_PLACES = 5  # decimals of a place: a thousandth of a pixel
Axis = dict[str, Any]


def light_payload(figure: go.Figure) -> dict[str, Any]:
    """Plain lists, numbers and texts for the script. Unknown kinds of traces are an error of ours, so KeyError."""
    spec = figure.to_plotly_json()
    layout = spec["layout"]
    x, y = layout["xaxis"], layout["yaxis"]
    lines, marks, bars = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    reached: dict[int, float] = {}
    for packed in spec["data"]:
        trace = {**packed, "x": _numbers(packed["x"]), "y": _numbers(packed["y"])}
        if trace["type"] == "bar":
            bars += _bars(trace, x, y, reached, float(layout.get("bargap", 0.2)))
        elif trace["mode"] == "lines":
            lines.append(_line(trace, x, y))
        else:
            marks += _marks(trace, x, y)
    return {
        "height": layout["height"],
        "margin": [layout["margin"][side] for side in "ltrb"],
        "x": {"title": _text(x.get("title", {}).get("text", "")), "ticks": _ticks(x)},
        "y": {"title": _text(y.get("title", {}).get("text", "")), "ticks": _ticks(y), "grid": y.get("showgrid", True)},
        "lines": lines,
        "marks": marks,
        "bars": bars,
        "rules": [_rule(shape, x, y) for shape in layout.get("shapes", ())],
        "notes": [_note(note, x, y) for note in layout.get("annotations", ())],
    }


def _numbers(packed: dict[str, Any] | Sequence[float]) -> npt.NDArray[np.float64]:
    """An array as plotly packs it for the browser, or a plain list."""
    if isinstance(packed, dict):
        unpacked = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
        return np.asarray(unpacked, dtype=np.float64)
    return np.asarray(packed, dtype=np.float64)


def _text(text: str) -> str:
    """What plotly's little HTML means, as plain text; a line break stays one."""
    raised = re.sub(r"<sup>(.*?)</sup>", lambda found: found[1].translate(_RAISED), text)
    return html.unescape(raised.replace("<br>", "\n"))


def _ends(axis: Axis) -> tuple[float, float]:
    low, high = axis["range"]
    return float(low), float(high)


def _place(axis: Axis, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Shares of the axis for data values; NaN where a logarithm has none."""
    low, high = _ends(axis)
    data = np.asarray(values, dtype=np.float64)
    if axis.get("type") == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            data = np.log10(data)
    with np.errstate(invalid="ignore"):
        share = np.clip((data - low) / ((high - low) or 1.0), -50.0, 50.0)
    return np.asarray(np.round(share, _PLACES), dtype=np.float64)


def _spot(axis: Axis, value: float) -> float:
    """Where an annotation or shape stands that is given in the axis' own units (exponents on a logarithmic one)."""
    low, high = _ends(axis)
    return round(min(max((float(value) - low) / ((high - low) or 1.0), -50.0), 50.0), _PLACES)


def _listed(places: npt.NDArray[np.float64]) -> list[float | None]:
    return [float(place) if math.isfinite(place) else None for place in places]


def _line(trace: dict[str, Any], x: Axis, y: Axis) -> dict[str, Any]:
    return {
        "name": _text(trace["name"]),
        "colour": trace["line"]["color"],
        "width": trace["line"]["width"],
        "dash": trace["line"]["dash"],
        "x": _listed(_place(x, trace["x"])),
        "y": _listed(_place(y, trace["y"])),
        "values": [[_short(float(a)), _short(float(b))] for a, b in zip(trace["x"], trace["y"], strict=True)],
    }


def _marks(trace: dict[str, Any], x: Axis, y: Axis) -> list[dict[str, Any]]:
    marker = trace["marker"]
    columns = (trace["text"], trace["textposition"], marker["size"], marker["symbol"], marker["color"])
    places = zip(_listed(_place(x, trace["x"])), _listed(_place(y, trace["y"])), strict=True)
    return [
        {
            "x": a,
            "y": b,
            "text": _text(text),
            "at": at,
            "size": size,
            "diamond": symbol == "diamond",
            "colour": colour,
            "values": [_short(float(trace["x"][index])), _short(float(trace["y"][index]))],
        }
        for index, ((a, b), text, at, size, symbol, colour) in enumerate(zip(places, *columns, strict=True))
        if a is not None and b is not None
    ]


def _bars(trace: dict[str, Any], x: Axis, y: Axis, reached: dict[int, float], gap: float) -> list[dict[str, Any]]:
    """Horizontal bars. ``reached`` is where each row's stack ends so far, in data units, and is moved on."""
    rows, names = len(trace["x"]), dict(zip(y["tickvals"], y["ticktext"], strict=True))
    half = abs(_spot(y, 1.0) - _spot(y, 0.0)) * (1 - gap) / 2
    colours = trace["marker"]["color"]
    found = []
    for row in range(rows):
        value, before = float(trace["x"][row]), reached.get(row, 0.0)
        reached[row] = before + value
        start, end = _place(x, [before if before else (0.0 if x.get("type") != "log" else 1e-300), reached[row]])
        middle = _spot(y, float(trace["y"][row]))
        colour = colours if isinstance(colours, str) else colours[row]
        title = _text(trace.get("name") or str(names.get(row, "")))
        found.append(
            {
                "x": [max(float(start), 0.0), float(end) if math.isfinite(end) else 0.0],
                "y": [middle - half, middle + half],
                "colour": colour,
                "text": _text(trace["text"][row]),
                "inside": trace["textposition"] == "inside",
                "ink": ink_on(colour),
                "edge": "line" in trace["marker"],
                "said": [_text(str(names.get(row, ""))), title, _short(value)],
            }
        )
    return found


def _rule(shape: dict[str, Any], x: Axis, y: Axis) -> dict[str, Any]:
    def along(axis: Axis, ends: tuple[float, float], reference: str | None) -> list[float]:
        return list(ends) if reference == "paper" else [float(place) for place in _place(axis, ends)]

    return {
        "x": along(x, (shape["x0"], shape["x1"]), shape.get("xref")),
        "y": along(y, (shape["y0"], shape["y1"]), shape.get("yref")),
        "colour": shape["line"]["color"],
        "width": shape["line"]["width"],
    }


def _note(note: dict[str, Any], x: Axis, y: Axis) -> dict[str, Any]:
    return {
        "text": _text(note["text"]),
        "x": float(note["x"]) if note.get("xref") == "paper" else _spot(x, note["x"]),
        "y": float(note["y"]) if note.get("yref") == "paper" else _spot(y, note["y"]),
        "across": note.get("xanchor", "left"),
        "up": note.get("yanchor", "middle"),
        "colour": note["font"]["color"],
        "size": note["font"]["size"],
    }


def _ticks(axis: Axis) -> list[list[Any]]:
    """(place, text) of each tick inside the axis: the figure's own, or even steps."""
    if "tickvals" in axis:
        values, texts = list(axis["tickvals"]), [_text(str(text)) for text in axis["ticktext"]]
    else:
        low, high = sorted(_ends(axis))
        if axis.get("type") == "log":
            every = max(1, math.ceil((high - low) / 8))
            values = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1) if power % every == 0]
        else:
            values = _even(low, high)
        texts = [f"{axis.get('tickprefix', '')}{_short(value)}{axis.get('ticksuffix', '')}" for value in values]
    places = _place(axis, values)
    return [
        [float(place), text] for place, text in zip(places, texts, strict=True) if -1e-3 <= float(place) <= 1 + 1e-3
    ]


def _even(low: float, high: float, wanted: int = 6) -> list[float]:
    """Steps of 1, 2 or 5 times a power of ten, about ``wanted`` of them."""
    rough = (high - low) / wanted or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    return [
        round(index * step, 12) for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def _short(value: float) -> str:
    """Four significant digits, thousands by their letter; ``2030`` stays as it is, like a year."""
    if not math.isfinite(value):
        return "none"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.4g}".replace("e+", "e")
    for letter, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e4)):
        if size >= scale:
            return f"{value / min(scale, 1e3 if letter == 'K' else scale):.4g}{letter}"
    return f"{value:.4g}"
