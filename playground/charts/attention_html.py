"""All layers and heads of one text as a single HTML file that opens offline, painted by the scripts it is given.

The weights travel compressed, one byte each (see ``charts.attention_bytes``); a policy forbids the file to load
anything. Every text reaches the screen through textContent. The caller gives scripts and styles; knows no page.
"""

from __future__ import annotations

import base64
import json
import zlib
from html import escape
from typing import Any

from playground.charts.attention_bytes import byte_codes, largest
from playground.charts.attention_map import map_payload, overview_map, thumbnails
from playground.charts.attention_view import AttentionView, MatrixPanel, panel_description, view_payload
from playground.engine.attention_data import AttentionPass
from playground.engine.types import FloatArray
from playground.inspection.attention import Selection, head_figures, shown_weights
from playground.models.info import ModelInfo

_HIDDEN = "First token hidden, the rest renormalised."
_STYLE = """
:root { color-scheme: light dark; --st-text-color: #1b1d24; --st-background-color: #ffffff;
  --st-secondary-background-color: #f3f4f8; --st-border-color: #d5d8e0;
  --st-primary-color: #4b3fd1; --st-base-radius: 6px; --st-code-font: ui-monospace, monospace; }
@media (prefers-color-scheme: dark) { :root { --st-text-color: #eceef4; --st-background-color: #14161c;
  --st-secondary-background-color: #20232c; --st-border-color: #3a3e4a; --st-primary-color: #a79ffb; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; color: var(--st-text-color);
  background: var(--st-background-color); }
"""


def attention_html(
    attention: AttentionPass,
    tokens: tuple[str, ...],
    info: ModelInfo,
    *,
    script: str,
    style: str,
    scale: str = "linear",
    hide_first: bool = False,
    query: int = -1,
    lock: tuple[int, int] = (-1, -1),
) -> str:
    """The whole page: the overview, and the text and heatmap of whichever head is chosen in it.

    ``script`` and ``style``: the texts that paint the maps. ``tokens``: the window's readable tokens. ``query``: the
    position marked in the whole text. ``lock``: the layer and head shown at first.
    """
    title = f"Attention of {info.name}"
    data = _data(attention, tokens, info, scale=scale, hide_first=hide_first, query=query, lock=lock)
    island = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")  # no text can end the script element
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\"><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style>"
        f"</head><body><h1>{escape(title)}</h1><p>{escape(_summary(attention, info, hide_first))}</p>"
        "<div id=map><div class=map></div></div><div id=view><div class=attention></div></div>"
        f'<script type="application/json" id=data>{island}</script><script type="module">{script}</script></body></html>\n'
    )


def _summary(attention: AttentionPass, info: ModelInfo, hide_first: bool) -> str:
    hidden = f" {_HIDDEN}" if hide_first else ""
    return (
        f"{info.dtype} on {info.device}, tokens {attention.start:,} to {attention.end - 1:,}. Weights here are rounded to within "
        f"0.4 percentage points.{hidden} Attention is not an explanation: a weight says where a head took its average from."
    )


def _data(
    attention: AttentionPass,
    tokens: tuple[str, ...],
    info: ModelInfo,
    *,
    scale: str,
    hide_first: bool,
    query: int,
    lock: tuple[int, int],
) -> dict[str, Any]:
    tiles = thumbnails(attention, hide_first=hide_first)
    overview = overview_map(attention, head_figures(attention), tiles, name=info.name, scale=scale)
    shown: dict[tuple[int, int], FloatArray] = {}
    for layer in attention.layers:
        maps = shown_weights(layer, attention.start, hide_first=hide_first)
        shown |= {(layer.index, head): maps[head] for head in range(layer.heads)}
    small = byte_codes(overview.tiles)
    weights = b"".join(byte_codes(values[None]) for values in shown.values())
    text = AttentionView(tokens, attention.start, (), scale, query)
    return {
        "tiles": len(small),
        "weights": base64.b64encode(zlib.compress(small + weights, 9)).decode("ascii"),
        "map": map_payload(overview, lock) | {"codes": ""},
        "view": view_payload(text),
        "panels": [_panel(text, place, values) for place, values in shown.items()],
        "note": _HIDDEN if hide_first else "",
        "first": list(shown).index(lock) if lock in shown else 0,
    }


def _panel(text: AttentionView, place: tuple[int, int], values: FloatArray) -> dict[str, Any]:
    panel = MatrixPanel(Selection(place[0], (place[1],)).title, values)
    return {
        "place": list(place),
        "title": panel.title,
        "top": largest(values),
        "description": panel_description(text, panel),
    }
