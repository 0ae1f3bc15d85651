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
    plain = {"data": traces, "layout": {"template": _template(str(pio.templates.default or "")), **layout}}
    return go.Figure(plain, _validate=False)


def escaped(text: str) -> str:
    """Plotly reads a little HTML in its labels; a token is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
