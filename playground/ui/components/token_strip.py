"""A text as a row of real buttons, one a token: hover or focus for details, arrow keys to walk, Enter to pick."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from playground.ui.components.assets import read

_STRIP = st.components.v2.component(
    "token_strip",
    html='<div class="strip">\n<div class="tokens" role="toolbar"></div>\n</div>\n',
    css=read("token_strip.css", "card.css"),
    js=read("card.js", "token_strip.js"),
)


@dataclass(frozen=True, slots=True)
class StripToken:
    """One token as shown. ``label`` is what a screen reader says; ``lines`` and ``table`` fill the hover card.

    ``kind`` is "prompt", "step" (accepted or generated), "ghost" (stepped back over) or "special". ``background`` and
    ``ink`` are "#RRGGBB" or "" for the alternating tint. ``breaks`` starts a new line after the token.
    """

    text: str
    label: str
    kind: str = "prompt"
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    background: str = ""
    ink: str = ""
    breaks: bool = False


def token_strip(tokens: Sequence[StripToken], *, key: str, label: str, selected: int = -1) -> int | None:
    """Show ``tokens``; returns the index picked by click or Enter on this run, else None.

    A pick made on an older text than the one now shown is dropped: its index could mean another token.
    """
    rows = [asdict(token) for token in tokens]
    version = zlib.crc32(repr([(row["text"], row["kind"]) for row in rows]).encode("utf-8", "surrogatepass"))
    result = _STRIP(
        data={"tokens": rows, "selected": selected, "label": label, "version": version},
        key=key,
        on_picked_change=lambda: None,
    )
    picked = result.picked
    if not isinstance(picked, dict) or picked.get("version") != version:
        return None
    index = picked.get("index")
    return index if isinstance(index, int) and 0 <= index < len(tokens) else None
