"""Bringing rows into a page's table: sources in popovers, those of the last visit, a look at what was read, and taking it.

What the rows are, and how they are read, is the page's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem

T = TypeVar("T")
SHOWN = 3  # rows of what was read


@dataclass(eq=False)
class _Refusals:
    """Why what was to be taken was not, by the key of where it was to go; "" for nothing."""

    by_key: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a popover of that label and key, whose body is drawn only while it is open."""

    label: str
    icon: str
    key: str
    draw: Callable[[], None]


@dataclass(frozen=True, slots=True)
class BringIn(Generic[T]):
    """``key``: the beginning of all widgets' keys. ``paste``: the key of the field where rows are pasted, which is cleared
    once they are in the table and not before. ``take`` puts rows into the table, beside those there with ``add``, and gives
    why not; ``take_back`` brings the former ones. ``parts`` of the page look different then; the whole page for none.
    """

    key: str
    paste: str
    take: Callable[..., str]
    take_back: Callable[[], None]
    back: str
    parts: tuple[str, ...] = ()

    def sources(self, *sources: Source, kept: Sequence[T], has_former: bool) -> None:
        """To be drawn in a row. ``kept``: the rows of the last visit."""
        for source in sources:
            with st.popover(source.label, icon=source.icon, on_change="rerun", key=source.key) as box:
                if box.open:
                    source.draw()
        if kept:
            st.button(
                f"Those of the last visit ({len(kept)})",
                key=f"{self.key}_kept_rows",
                icon=":material/history:",
                type="tertiary",
                help="What stood in the table when this page was last left.",
                **self.taking(kept),
            )
        if has_former:
            st.button(
                self.back, key=f"{self.key}_back", icon=":material/undo:", on_click=self.take_back, type="tertiary"
            )

    def taking(self, rows: Sequence[T], *, add: bool = False) -> Mapping[str, Any]:
        """Of a button: what its press does."""
        return {"on_click": self._take, "args": (rows, add)}

    def preview(self, source: str, notes: Sequence[str], lines: Sequence[str], count: int) -> None:
        """What a text is read as: notes in plain words, the first rows as Markdown. Always there: buttons that move up are
        drawn twice."""
        with st.container(key=f"{self.key}_preview_{source}"):
            for note in notes:
                st.caption(escape_markdown(note))
            for number, line in enumerate(lines[:SHOWN], 1):
                st.markdown(f"{number}\\. {line}")
            if count > SHOWN:
                st.caption(f"and {count - SHOWN:,} more")

    def take_buttons(self, rows: Sequence[T], source: str) -> None:
        """In the place of those there, or beside them; below, why that was refused."""
        several = len(rows) > 1
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Take these {len(rows):,} instead" if several else "Take it instead",
                key=f"{self.key}_take_{source}",
                type="primary",
                **self.taking(rows),
            )
            st.button(
                "Add them" if several else "Add it",
                key=f"{self.key}_add_{source}",
                **self.taking(rows, add=True),
            )
        problem = session.get(_Refusals).by_key.get(self.key, "")
        if problem:
            show_problem(problem)

    def _take(self, rows: Sequence[T], add: bool) -> None:
        """From a callback."""
        problem = self.take(rows, add=add)
        session.get(_Refusals).by_key[self.key] = problem
        if not problem and self.paste in st.session_state:
            st.session_state[self.paste] = ""
        if self.parts:
            redraw(*self.parts)
