"""The logit lens as a grid of real buttons, depths by positions: hover or focus for figures, arrows to walk, Enter to open."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.charts.lens_grid import LensGridData, lens_payload
from playground.ui.components.declare import Component

_GRID = Component(
    "lens_grid",
    html='<div class="lens">\n<div class="lensKey" aria-hidden="true"></div>\n'
    '<div class="lensScroll"><div class="lensGrid" role="grid"></div></div>\n</div>\n',
    styles=("lens_grid.css", "card.css"),
    script="lens_grid.js",
)

FOLLOWED = "lens-colours"
_SAID = ("tokens", "first", "texts", "tops", "probabilities", "entropies", "divergences", "leads")


def lens_grid(
    data: LensGridData, title: str, *, key: str, picked: tuple[int, int], on_pick: Callable[[int, int], None]
) -> None:
    """Show ``data`` in the colours chosen on the page as ``FOLLOWED``; a click or Enter on a cell calls
    ``on_pick(depth, position)``.

    ``title`` stands above the picture that can be saved. ``picked`` is the cell in view. A pick made on another text's
    grid is dropped: its place could mean another token.
    """
    payload = lens_payload(data)
    version = zlib.crc32(repr([payload[name] for name in _SAID]).encode("utf-8", "surrogatepass"))
    columns = len(data.tokens)

    def chosen() -> None:
        pick: Any = getattr(st.session_state.get(key), "picked", None)
        if not isinstance(pick, Mapping) or pick.get("version") != version:
            return
        at = pick.get("at")
        if isinstance(at, int) and 0 <= at < data.depths * columns:
            on_pick(at // columns, data.first + at % columns)

    _GRID(
        data={**payload, "title": title, "picked": list(picked), "version": version}, key=key, on_picked_change=chosen
    )
