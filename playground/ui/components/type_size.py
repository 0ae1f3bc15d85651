"""How large type is in this browser, for pictures that do not grow by themselves: 1 is the usual size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.ui.components.declare import Component

_RULER = Component(
    "type_size",
    html='<div class="ruler"></div>\n<!-- one rem wide -->\n',
    css=".ruler { width: 1rem; height: 0; visibility: hidden; }\n/* never seen */\n",
    script="type_size.js",
)
SMALLEST, LARGEST = 0.5, 8.0


def type_size(size: float, on_change: Callable[[float], None], *, key: str) -> None:
    """Tell ``on_change`` where type is of another size than ``size``, between a half and eight times the usual."""

    def changed() -> None:
        size: Any = getattr(st.session_state.get(key), "size", None)
        if isinstance(size, int | float) and SMALLEST <= size <= LARGEST:
            on_change(float(size))

    _RULER(data={"size": size}, key=key, on_size_change=changed)
