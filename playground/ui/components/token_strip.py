"""A text as a row of real buttons, one a token: hover or focus for details, arrow keys to walk, Enter to pick."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import streamlit as st

from playground.charts.token_strip import StripToken
from playground.ui.components.declare import Component

_STRIP = Component(
    "token_strip",
    html='<div class="strip">\n<div class="tokens" role="toolbar"></div>\n</div>\n',
    styles=("token_strip.css", "card.css"),
    script="token_strip.js",
)


_FIELDS = tuple(field.name for field in fields(StripToken))
_ALWAYS = ("text", "kind")


def token_strip(
    tokens: Sequence[StripToken],
    *,
    key: str,
    label: str,
    on_pick: Callable[[int], None],
    selected: int = -1,
    height: str = "",
) -> None:
    """Show ``tokens``; a click or Enter on one calls ``on_pick`` with its index. ``height``: the most, in CSS.

    A pick made on an older text than the one now shown is dropped: its index could mean another token.
    """
    rows = [  # asdict would copy every table; what is empty need not travel
        {name: value for name in _FIELDS if (value := getattr(token, name)) or name in _ALWAYS} for token in tokens
    ]
    version = zlib.crc32(repr([(row["text"], row["kind"]) for row in rows]).encode("utf-8", "surrogatepass"))

    def picked() -> None:
        pick: Any = getattr(st.session_state.get(key), "picked", None)
        if isinstance(pick, Mapping) and pick.get("version") == version and pick.get("index") in range(len(rows)):
            on_pick(int(pick["index"]))

    # A tuple: Streamlit looks through a list for data frames, and imports pandas to do so.
    data = {"tokens": tuple(rows), "selected": selected, "label": label, "version": version, "height": height}
    _STRIP(data=data, key=key, on_picked_change=picked)
