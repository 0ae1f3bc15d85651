"""Declares a component: its markup, style and script, and that its drawings stay in the order they were made in.

Streamlit loads a component's script with its first drawing and calls it once the script is there. What is drawn meanwhile
waits for the same loading, and Chromium ends such waits in any order: without a mark of time, an old drawing could come last
and stay. ``in_order.js`` reads the mark. Knows nothing of what is drawn.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground.ui.components.assets import drawing_script, style

MARK = "drawnAt"  # the drawing's field with microseconds since 1970


class Component:
    """What a page calls to draw: ``data`` for the script, and what Streamlit's own components take."""

    def __init__(self, name: str, *, html: str, script: str, styles: tuple[str, ...] = (), css: str = "") -> None:
        """``script`` and ``styles`` are files of this folder; ``css`` is a style in place of files."""
        self._component = st.components.v2.component(
            name, html=html, css=css or style(*styles) or None, js=drawing_script(script)
        )

    def __call__(self, data: Mapping[str, Any], *, key: str, **rest: Any) -> None:  # noqa: ANN401 - Streamlit's own
        """Draw; what is the same as at the last run keeps its mark, and the browser leaves it as it is."""
        drawn_key = f"{key}_drawn"
        shape = zlib.crc32(repr(data).encode("utf-8", "surrogatepass"))
        before = st.session_state.get(drawn_key)
        if before is None or before[0] != shape:
            before = st.session_state[drawn_key] = (shape, time.time_ns() // 1_000)
        self._component(data={**data, MARK: before[1]}, key=key, **rest)
