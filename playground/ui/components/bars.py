"""The live bars: the page's hot path, painted by a few lines of script instead of a chart library.

A plotly chart is thrown away and built anew in the browser at every change, some 100 ms for thirty bars. These rows
stay and change their widths, and each is a button that mouse, keyboard and screen reader can press.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.charts.bars import BarsData, bars_payload
from playground.ui.components.assets import script, style

_HTML = """<div class="chart" role="group">
<div class="legend" aria-hidden="true">
<span style="--look: var(--raw)">raw</span>
<span style="--look: var(--final)">final</span>
<span style="--look: transparent; --edge: var(--raw)">removed</span>
<span style="--look: var(--final); --edge: var(--st-text-color)">▶ drawn</span>
</div>
<div class="rows"><div class="cutText" hidden></div></div>
<div class="axis" aria-hidden="true"></div>
</div>
"""
_BARS = st.components.v2.component(
    "probability_bars",
    html=_HTML,
    css=style("bars.css", "card.css"),
    js=script("bars.js"),
)


def probability_bars(data: BarsData, *, key: str, position: int, on_pick: Callable[[int], None]) -> None:
    """Show ``data``; a click or Enter on a row calls ``on_pick`` with the token's id.

    ``position`` is the number of tokens before these bars: a pick made on an older picture is dropped.
    """
    shown = {row.id for row in data.rows}

    def picked() -> None:
        pick: Any = st.session_state[key].picked
        if isinstance(pick, Mapping) and pick.get("position") == position and pick.get("id") in shown:
            on_pick(int(pick["id"]))

    # Tuples: Streamlit looks through lists for data frames, and imports pandas to do so.
    payload = {name: tuple(value) if isinstance(value, list) else value for name, value in bars_payload(data).items()}
    _BARS(data={**payload, "position": position}, key=key, on_picked_change=picked)
