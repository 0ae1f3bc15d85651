"""All layers and heads of one text as a single HTML file that opens offline, painted by the page's own scripts.

The weights travel compressed, one byte each (see ``charts.attention_bytes``); a policy forbids the file to load
anything. Every text reaches the screen through textContent.
"""

from __future__ import annotations

import base64
import json
import zlib
from html import escape
from typing import Any

from playground.charts.attention_bytes import byte_codes
from playground.charts.attention_map import map_payload
from playground.charts.attention_view import AttentionView, MatrixPanel, panel_description, panel_top, view_payload
from playground.engine.types import FloatArray
from playground.inspection.attention import Selection, shown_weights
from playground.ui.attention_page.heads import overview_data
from playground.ui.attention_page.view import AttentionPageView
from playground.ui.components.assets import read

_STYLE = """
:root { color-scheme: light dark; --st-text-color: #1b1d24; --st-background-color: #ffffff;
  --st-secondary-background-color: #f3f4f8; --st-border-color: #d5d8e0;
  --st-primary-color: #4b3fd1; --st-base-radius: 6px; --st-code-font: ui-monospace, monospace; }
@media (prefers-color-scheme: dark) { :root { --st-text-color: #eceef4; --st-background-color: #14161c;
  --st-secondary-background-color: #20232c; --st-border-color: #3a3e4a; --st-primary-color: #a79ffb; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; color: var(--st-text-color);
  background: var(--st-background-color); }
"""


def attention_html(view: AttentionPageView) -> str:
    """The whole page: the overview, and the text and heatmap of whichever head is chosen in it."""
    title = f"Attention of {view.info.name}"
    data = json.dumps(_data(view), ensure_ascii=True).replace("<", "\\u003c")  # no text can end the script element
    scripts = read("attention_core.js", "card.js", "attention_map.js", "attention_view.js", "attention_file.js")
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\"><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}{read('attention_view.css', 'attention_map.css', 'card.css')}</style>"
        f"</head><body><h1>{escape(title)}</h1><p>{escape(_facts(view))}</p>"
        "<div id=map><div class=map></div></div><div id=view><div class=attention></div></div>"
        f'<script type="application/json" id=data>{data}</script><script>{scripts}</script></body></html>\n'
    )


def _facts(view: AttentionPageView) -> str:
    hidden = " The first token is hidden and the rest renormalised." if view.options.hide_first else ""
    return (
        f"{view.info.dtype} on {view.info.device}, tokens {view.text.start:,} to {view.text.end - 1:,}. Weights here are rounded "
        f"to within 0.2 percentage points.{hidden} Attention is not an explanation: a weight says where a head took its "
        "average from."
    )


def _data(view: AttentionPageView) -> dict[str, Any]:
    overview = overview_data(view)
    tiles = byte_codes(overview.tiles, overview.top)
    shown: dict[tuple[int, int], FloatArray] = {}
    for layer in view.made.layers:
        maps = shown_weights(layer, view.made.start, hide_first=view.options.hide_first)
        shown |= {(layer.index, head): maps[head] for head in range(layer.heads)}
    weights = b"".join(byte_codes(values[None]) for values in shown.values())
    text = AttentionView(view.text.tokens, view.text.start, (), view.options.scale, view.query)
    places = list(shown)
    return {
        "tiles": len(tiles),
        "weights": base64.b64encode(zlib.compress(tiles + weights, 9)).decode("ascii"),
        "map": map_payload(overview, view.lock) | {"codes": ""},
        "view": view_payload(text),
        "panels": [_panel(text, place, values) for place, values in shown.items()],
        "note": "First token hidden, the rest renormalised." if view.options.hide_first else "",
        "first": places.index(view.lock) if view.lock in shown else 0,
    }


def _panel(text: AttentionView, place: tuple[int, int], values: FloatArray) -> dict[str, Any]:
    panel = MatrixPanel(Selection(place[0], (place[1],)).title, values)
    return {
        "place": list(place),
        "title": panel.title,
        "top": panel_top(panel),
        "description": panel_description(text, panel),
    }
