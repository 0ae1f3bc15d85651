"""The list of what a visitor has kept (tunings, searches, trainings): one line each, to open and to delete. Knows no store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from playground.errors import PlaygroundError
from playground.ui.kit.messages import show_problem

SHOWN = 12
STATES = {"paused": "paused", "stopped": "ended early", "finished": "whole", "damaged": "unreadable"}


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One of them. ``created``: seconds since 1970. ``said``: what stands behind the date, as Markdown. ``opens``: what the
    button says to a pointer, None where it cannot be opened. ``extra``: a button beside.
    """

    id: str
    created: float
    said: str
    opens: str | None = ""
    extra: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class KeptList:
    """``key``: the beginning of all widgets' keys. ``one``: "this training with its adapter". ``pause``: why none can be opened.
    ``below``: what is kept where. ``open`` and ``delete`` are callbacks with the line's id.
    """

    title: str
    key: str
    one: str
    pause: str
    open: Callable[[str], None]
    delete: Callable[[str], None]
    below: str = ""

    def draw(self, lines: Callable[[], Sequence[KeptLine]], shown: Callable[[], str], busy: Callable[[], bool]) -> None:
        """All are asked only while it is open. ``shown``: which one is in view; ``busy``: whether work on it goes on."""
        box = st.expander(
            f"Kept {self.title}", icon=":material/inventory_2:", on_change="rerun", key=f"{self.key}_kept"
        )
        if not box.open:
            return
        with box:
            try:
                kept_lines = lines()
            except PlaygroundError as error:
                show_problem(error)
                return
            if not kept_lines:
                st.caption("Nothing is kept yet.")
            for line in kept_lines[:SHOWN]:
                self._line(line, line.id == shown(), busy())
            if len(kept_lines) > SHOWN:
                st.caption(f"{len(kept_lines) - SHOWN} older ones are kept too; delete some of these to see them.")
            if self.below:
                st.caption(self.below)

    def _line(self, line: KeptLine, shown: bool, busy: bool) -> None:
        when = datetime.fromtimestamp(line.created).strftime("%d %b %H:%M")
        with st.container(horizontal=True, vertical_alignment="center", key=f"{self.key}_kept_{line.id}"):
            st.markdown(f"{when} · {line.said}{' · in view' if shown else ''}", width="stretch")
            if line.opens is not None and not shown:
                st.button(
                    "Open",
                    key=f"{self.key}_open_{line.id}",
                    on_click=self.open,
                    args=(line.id,),
                    disabled=busy,
                    help=self.pause if busy else line.opens or None,
                )
            if line.extra is not None:
                line.extra()
            st.button(
                "",
                key=f"{self.key}_delete_{line.id}",
                icon=":material/delete:",
                help=f"Delete {self.one} for good",
                on_click=self.delete,
                args=(line.id,),
                disabled=busy and shown,
            )
