"""The table of demonstrations that a reader edits, and what takes their place: shipped ones, pasted ones, those of a file.

The table's base stays while it is edited, so that the browser keeps its place; what was done to it is applied to the base
at each edit. A row that cannot be taught yet stays in the table and is left out of the draft.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.testtime.stored_runs import available_store
from playground.training.demonstration_rows import COLUMNS, EMPTY, apply_edits, taught_rows
from playground.training.demonstrations import (
    MOST_DEMONSTRATIONS,
    Demonstration,
    read_demonstrations,
    write_demonstrations,
)
from playground.ui.examples_page.session import change_draft, draft
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.visitor import owner_id

_NOTE, _KEPT_S = "demonstrations", 30 * 24 * 3600.0
ROW_HEIGHT, MOST_HEIGHT = 66, 220  # what counts of them stands below, on the first screen


@dataclass(eq=False)
class DemonstrationTable:
    """``base``: the rows the browser's editor began with; ``rows``: as they are now; ``teachable``: those that can be taught.

    ``former``: the rows before the last replacement. ``version`` names the editor: another one, another widget. ``kept``:
    those of an earlier visit, None before it was looked.
    """

    base: tuple[Demonstration, ...] = ()
    rows: tuple[Demonstration, ...] = ()
    teachable: tuple[Demonstration, ...] | None = None
    problems: tuple[str, ...] = ()
    former: tuple[Demonstration, ...] | None = None
    version: int = 0
    kept: tuple[Demonstration, ...] | None = None

    def begin(self, rows: Sequence[Demonstration]) -> None:
        """A new editor on these rows."""
        self.base = tuple(rows) or (EMPTY,)
        self.version += 1
        self.note(self.base)

    def note(self, rows: tuple[Demonstration, ...]) -> None:
        """What the rows are now."""
        self.rows = rows
        self.teachable, self.problems = taught_rows(rows)


def demonstration_table() -> DemonstrationTable:
    """This session's table, following a draft that was replaced elsewhere, as by an experiment: a way leads back."""
    own = session.get(DemonstrationTable)
    if draft().rows != own.teachable:
        if own.teachable:
            own.former = own.rows
        own.begin(draft().rows)
    return own


def show_demonstration_table() -> None:
    """The editor, and a sentence on each row that cannot be taught."""
    own = demonstration_table()
    if _key(own) not in st.session_state and own.rows != own.base:  # the tab was left: the widget has forgotten
        own.begin(own.rows)
    column = st.column_config
    st.data_editor(
        [{name: getattr(row, name) for name in COLUMNS} for row in own.base],
        key=_key(own),
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(own.base) + 1) + 38, MOST_HEIGHT),
        column_config={
            "prompt": column.TextColumn("Prompt", width=300, help="What the model is asked."),
            "response": column.TextColumn(
                "Response", width=420, help="How it should answer: every token of it is taught."
            ),
            "system": column.TextColumn("System prompt", width=160, help="Counts in the chat template only."),
        },
        on_change=_edited,
    )
    for problem in own.problems:
        st.warning(escape_markdown(problem), icon=":material/edit_note:")


def take_demonstrations(rows: Sequence[Demonstration], *, add: bool) -> str:
    """Put demonstrations into the table, behind its own or in their place; what is wrong, or ""."""
    own = demonstration_table()
    all_rows = (*(row for row in own.rows if row != EMPTY), *rows) if add else tuple(rows)
    if len(all_rows) > MOST_DEMONSTRATIONS:
        return (
            f"Together they are {len(all_rows):,} and at most {MOST_DEMONSTRATIONS:,} are taught: take them instead of the "
            "present ones, or leave some out."
        )
    _replace(all_rows)
    return ""


def take_back() -> None:
    """From a callback: the rows before the last replacement."""
    former = demonstration_table().former
    if former is not None:
        _replace(former)
    redraw(PICTURES)


def kept_demonstrations() -> tuple[Demonstration, ...]:
    """What stood in this owner's table at an earlier visit, () where that is what stands there now."""
    own = session.get(DemonstrationTable)
    if own.kept is None:
        own.kept = ()
        store, _why = available_store(owner_id())
        with suppress(PlaygroundError):
            text = store.note(_NOTE) if store is not None else None
            own.kept = read_demonstrations(text.encode(), "kept.jsonl")[0] if text else ()
    return () if own.kept == own.teachable else own.kept


def _replace(rows: tuple[Demonstration, ...]) -> None:
    own = demonstration_table()
    own.former = own.rows
    own.begin(rows)
    _use(own)


def _edited() -> None:
    """From the editor's callback."""
    own = session.get(DemonstrationTable)
    edits: Any = st.session_state.get(_key(own))
    if edits is not None:
        own.note(apply_edits(own.base, edits))
        _use(own)
    redraw(PICTURES)


def _use(own: DemonstrationTable) -> None:
    """Into the draft, and into the store for a later visit: a page that is loaded again starts anew."""
    kept_demonstrations()  # those before, while they are there
    change_draft(rows=own.teachable)
    store, _why = available_store(owner_id())
    if store is not None:
        with suppress(PlaygroundError):  # what cannot be kept is no reason to refuse an edit
            store.put_note(_NOTE, write_demonstrations(own.teachable or ()), expires=time.time() + _KEPT_S)


def _key(own: DemonstrationTable) -> str:
    return f"teach_table_{own.version}"
