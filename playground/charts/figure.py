"""Figures without plotly's validation, which costs more than everything else on the path from slider to picture.

Validating a small bar chart takes some 30 ms at every move. The tests validate every figure of this package once, in
full; at run time the parts go out as they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

Trace = dict[str, Any]


@lru_cache(maxsize=4)
def _template(name: str) -> dict[str, Any]:
    template: dict[str, Any] = pio.templates[name].to_plotly_json() if name else {}
    return template


def make_figure(traces: list[Trace], layout: dict[str, Any]) -> go.Figure:
    """A figure from plain traces (each with its "type") and a plain layout, under the current default template."""
    import pandas  # noqa: F401 - plotly takes it half-loaded, where another reader's first table is just importing it

    plain = {"data": traces, "layout": {"template": _template(str(pio.templates.default or "")), **layout}}
    return go.Figure(plain, _validate=False)


def escaped(text: str) -> str:
    """Plotly reads a little HTML in its labels; a token is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# A name that its band or box has no room for is left out (hover and the text beside tell it), not written too small to read.
LABELS_FIT = {"minsize": 10, "mode": "hide"}
LONGEST_NAME = 24  # characters beside a picture


def shortened(name: str) -> str:
    """Uploads name their languages, texts and fields at any length: a longer name would leave the picture no room."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


USUAL_FONT = 12.0  # pixels: type that names no size of its own
_PIXELS = {"size", "thickness", "xshift", "yshift", "ax", "ay"}  # wherever they stand
_PIXELS_OF = {"line": {"width"}, "margin": {"l", "r", "t", "b"}, "layout": {"height"}}  # as parts of these


def enlarged(figure: go.Figure, factor: float) -> go.Figure:
    """``figure`` with type, marks, margins and height ``factor`` times as large; its width is the page's."""
    if factor == 1:
        return figure
    plain = {"data": figure._data, "layout": figure._layout}  # as given: the public form encodes all numbers
    layout: dict[str, Any] = _grown(
        {key: each for key, each in plain["layout"].items() if key != "template"}, "layout", factor
    )
    font = {"size": USUAL_FONT * factor}
    for name in {"font", "legend", "hoverlabel", "xaxis", "yaxis", *(key for key in layout if "axis" in key)}:
        part = layout.setdefault(name, {})
        if name == "font":
            layout[name] = font | part
        elif "axis" in name:
            title = part.get("title")
            title = {"text": title} if isinstance(title, str) else title or {}
            part |= {
                "tickfont": font | part.get("tickfont", {}),
                "title": title | {"font": font | title.get("font", {})},
            }
        else:
            part["font"] = font | part.get("font", {})
    data = [_grown(trace, "trace", factor) for trace in plain["data"]]
    return go.Figure({"data": data, "layout": {"template": plain["layout"].get("template"), **layout}}, _validate=False)


def _grown(part: Any, name: str, factor: float) -> Any:  # noqa: ANN401 - a tree of plain values
    if isinstance(part, dict):
        return {key: _sized(value, name, key, factor) for key, value in part.items()}
    if isinstance(part, list | tuple) and part and isinstance(part[0], dict):
        return [_grown(each, name, factor) for each in part]
    return part


def _sized(value: Any, name: str, key: str, factor: float) -> Any:  # noqa: ANN401 - a tree of plain values
    if key in _PIXELS or key in _PIXELS_OF.get(name, ()):
        return [factor * each for each in value] if isinstance(value, list | tuple) else factor * value
    return _grown(value, key, factor)
