"""A short list of tokens with a bar each: one button a row, arrow keys to walk, Enter to choose."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from playground.ui.components.declare import Component

_LIST = Component(
    "choice_list",
    html='<div class="choices" role="group">\n</div>\n<!-- rows are made by the script -->\n',
    styles=("choice_list.css",),
    script="choice_list.js",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One row. ``share`` is the bar's part of the full width, 0 to 1; ``label`` is what a screen reader says."""

    text: str
    value: str
    share: float
    label: str


def choice_list(rows: Sequence[Choice], *, key: str, label: str, chosen: int, on_choose: Callable[[int], None]) -> None:
    """Show ``rows``; a click or Enter calls ``on_choose`` with the index. ``chosen`` -1: none is marked.

    A choice made on an older list is dropped.
    """
    shown = [asdict(row) for row in rows]
    version = zlib.crc32(repr(shown).encode("utf-8", "surrogatepass"))

    def choose() -> None:
        choice: Any = getattr(st.session_state.get(key), "chosen", None)
        if (
            isinstance(choice, Mapping)
            and choice.get("version") == version
            and choice.get("index") in range(len(shown))
        ):
            on_choose(int(choice["index"]))

    data = {"rows": shown, "label": label, "chosen": chosen, "version": version}
    _LIST(data=data, key=key, on_chosen_change=choose)
