"""The live bars: the page's hot path, painted by a few lines of script instead of a chart library.

A plotly chart is thrown away and built anew in the browser at every change, some 100 ms for thirty bars. These rows
stay and change their widths, and each is a button that mouse, keyboard and screen reader can press.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from playground.ui.components.declare import Component

_HTML = """<div class="chart" role="group">
<div class="legend" aria-hidden="true">
<span style="--look: var(--raw)">raw</span>
<span class="ifFinal" style="--look: var(--final)">final</span>
<span class="ifFinal" style="--look: transparent; --edge: var(--raw)">removed</span>
<span class="ifFinal" style="--look: var(--final); --edge: var(--st-text-color)">▶ drawn</span>
<span class="ifBounded" hidden style="--look: var(--open); --edge: var(--final)">between the bounds</span>
<span class="ifBounded noBox" hidden>▷ may be drawn</span>
</div>
<div class="rows"><div class="cutText" hidden></div></div>
<div class="axis" aria-hidden="true"></div>
</div>
"""
PROBABILITY_BARS = Component(
    "probability_bars",
    html=_HTML,
    styles=("bars.css", "card.css"),
    script="bars.js",
)


def on_picked(key: str, position: int, ids: Collection[int], on_pick: Callable[[int], None]) -> Callable[[], None]:
    """The callback of a click or Enter on a row: ``on_pick`` with the token's id, one of ``ids``.

    ``position`` tells one picture from a later one, and goes to the browser too: a pick made on an older one is dropped.
    """

    def picked() -> None:
        pick: Any = getattr(st.session_state.get(key), "picked", None)
        if isinstance(pick, Mapping) and pick.get("position") == position and pick.get("id") in ids:
            on_pick(int(pick["id"]))

    return picked
