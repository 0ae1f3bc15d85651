"""The text and the heatmaps of chosen heads: what the browser paints, and what the pictures show in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.charts.attention_bytes import largest, matrix_codes
from playground.charts.numbers import percent
from playground.charts.palette import CIVIDIS
from playground.engine.types import FloatArray

LOG_FLOOR = 1e-4  # weights below it share the darkest colour on the log scale
SCALES: dict[str, str] = {
    "linear": "from 0 to 100%, so that pictures can be compared",
    "stretched": "from 0 to the largest weight shown",
    "log": "by decades from 0.01% to 100%, for small weights",
}


@dataclass(frozen=True, slots=True)
class MatrixPanel:
    """One heatmap. ``values`` (W, W): NaN is blank. ``note`` is said under its title."""

    title: str
    values: FloatArray
    note: str = ""


@dataclass(frozen=True, slots=True)
class AttentionView:
    """``tokens``: the window's readable tokens, whose first has position ``start``. ``query``: the one marked.

    ``scale`` None: the browser colours by the scale chosen on the page, and another one needs no new data.
    """

    tokens: tuple[str, ...]
    start: int
    panels: tuple[MatrixPanel, ...]
    scale: str | None = None
    query: int = -1
    verbs: tuple[str, str] = ("attends to", "attended by")  # how a token stands to those before it, and to those after
    locked: tuple[int, int] = (-1, -1)  # layer and head, where the first panel shows a single one


def view_payload(view: AttentionView) -> dict[str, Any]:
    """``view`` as plain JSON values; weights as bytes, see ``attention_bytes``."""
    return {
        "tokens": list(view.tokens),
        "start": view.start,
        "panels": [
            {
                "title": panel.title,
                "note": panel.note,
                "codes": matrix_codes(panel.values),
                "top": largest(panel.values),
                "description": panel_description(view, panel),
            }
            for panel in view.panels
        ],
        "scale": view.scale,
        "floor": LOG_FLOOR,
        "colours": list(CIVIDIS),
        "query": view.query,
        "verbs": list(view.verbs),
        "locked": list(view.locked),
    }


def token_name(view: AttentionView, index: int) -> str:
    """A token of the window by its position in the text and its text, so that repeated ones are told apart."""
    return f"{view.start + index} {view.tokens[index]}"


def panel_description(view: AttentionView, panel: MatrixPanel) -> str:
    """What a heatmap shows, with its numbers, for readers who do not see it."""
    width = len(view.tokens)
    weights = np.nan_to_num(panel.values, nan=-1.0)
    cells, most = weights.ravel(), 3 * width  # sorting all cells of 128 tokens took a millisecond a move
    large = np.flatnonzero(cells >= np.partition(cells, -most)[-most]) if cells.size > most else np.arange(cells.size)
    order = large[np.argsort(-cells[large], kind="stable")][:most]
    away = [divmod(int(cell), width) for cell in order]
    # a first token that can only look at itself says nothing about the head
    strongest = [(query, key) for query, key in away if weights[query, key] > 0 and query + view.start > 0][:3]
    listed = ", ".join(
        f"{token_name(view, query)} to {token_name(view, key)} {percent(float(weights[query, key]))}"
        for query, key in strongest
    )
    size = f"{width:,} queries by {width:,} keys" if width > 1 else "one query and one key"
    return f"{panel.title}: attention of {size}. " + (f"Strongest: {listed}." if listed else "Nothing to show.")
