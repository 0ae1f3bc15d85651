"""The attention pictures: the overview of all heads, and the text with the heatmaps of the chosen ones.

Both are painted by script on a canvas from a few bytes a weight. A plotly heatmap takes megabytes and is built anew at
every change; and it has no keyboard.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.charts.attention_map import HeadMap, map_payload
from playground.charts.attention_view import AttentionView, view_payload
from playground.ui.components.assets import script, style
from playground.ui.components.declare import Component

_VIEW = Component(
    "attention_view",
    html='<div class="attention">\n</div>\n',
    styles=("attention_view.css",),
    script="attention_view.js",
)
_MAP = Component(
    "attention_map",
    html='<div class="map">\n</div>\n',
    styles=("attention_map.css", "card.css"),
    script="attention_map.js",
)

# what the file that opens offline is painted with (see ``charts.attention_html``)
FILE_SCRIPT = script("attention_file.js")
FILE_STYLE = style("attention_view.css", "attention_map.css", "card.css")


def attention_view(data: AttentionView, *, key: str, on_pick: Callable[[int], None]) -> None:
    """Text and heatmaps; a click or Enter on a token or a row calls ``on_pick`` with its position in the whole text.

    A pick made on an older text than the one now shown is dropped.
    """
    version = zlib.crc32(repr((data.start, data.tokens)).encode("utf-8", "surrogatepass"))

    def picked() -> None:
        pick: Any = getattr(st.session_state.get(key), "picked", None)
        inside = range(data.start, data.start + len(data.tokens))
        if isinstance(pick, Mapping) and pick.get("version") == version and pick.get("query") in inside:
            on_pick(int(pick["query"]))

    _VIEW(data={**view_payload(data), "version": version}, key=key, on_picked_change=picked)


def attention_map(data: HeadMap, *, key: str, locked: tuple[int, int], on_lock: Callable[[int, int], None]) -> None:
    """All heads; a click or an arrow key calls ``on_lock`` with a layer and a head."""
    heads = {(tile.layer, tile.head) for tile in data.heads}

    def moved() -> None:
        place: Any = getattr(st.session_state.get(key), "locked", None)
        if isinstance(place, Mapping) and (place.get("layer"), place.get("head")) in heads:
            on_lock(int(place["layer"]), int(place["head"]))

    _MAP(data=map_payload(data, locked), key=key, on_locked_change=moved)
