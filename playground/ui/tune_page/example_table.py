"""The table of examples that a reader edits, and what takes their place: ready ones, pasted ones, those of a file.

The table's base stays while it is edited, so that the browser keeps its place; what was done to it is applied to the base
at each edit. A row that is no example yet stays in the table and is left out of the draft.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.testtime.stored_runs import available_store
from playground.tuning.example_rows import Row, apply_edits, read_rows, rows_of
from playground.tuning.examples import MOST_EXAMPLES, Example, read_examples
from playground.tuning.plan import example_values
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.tune_page.session import change_draft, draft
from playground.ui.visitor import owner_id

_NOTE, _KEPT_S = "tune examples", 30 * 24 * 3600.0
ROW_HEIGHT, MOST_HEIGHT = 88, 500
COMMON_CHECKS = ("length:10-80w", "json", "regex:PATTERN", "forbidden:word, another", "python", "sql")


@dataclass(eq=False)
class ExampleTable:
    """``base``: the rows the browser's editor began with; ``rows``: as they are now; ``examples``: those they make.

    ``former``: the rows before the last replacement. ``version`` names the editor: another one, another widget. ``kept``:
    those of an earlier visit, None before it was looked.
    """

    base: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = ()
    examples: tuple[Example, ...] | None = None
    problems: tuple[str, ...] = ()
    former: tuple[Row, ...] | None = None
    version: int = 0
    kept: tuple[Example, ...] | None = None

    def begin(self, rows: Sequence[Row]) -> None:
        """A new editor on these rows."""
        self.base = tuple(rows) or (Row(),)
        self.version += 1
        self.note(self.base)

    def note(self, rows: tuple[Row, ...]) -> None:
        """What the rows are now."""
        self.rows = rows
        self.examples, self.problems = read_rows(rows)


def example_table() -> ExampleTable:
    """This session's table, following a draft that was replaced elsewhere, as by an experiment: a way leads back."""
    own = session.get(ExampleTable)
    if draft().examples != own.examples:
        if own.examples:
            own.former = own.rows
        own.begin(rows_of(draft().examples))
    return own


def show_example_table() -> None:
    """The editor, and a sentence on each row that is no example."""
    own = example_table()
    if _key(own) not in st.session_state and own.rows != own.base:  # the tab was left: the widget has forgotten
        own.begin(own.rows)
    st.data_editor(
        [
            {
                "prompt": row.prompt,
                "reference": row.reference,
                "checks": list(row.checks),
                "tags": list(row.tags),
                "system": row.system,
            }
            for row in own.base
        ],
        key=_key(own),
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(own.base) + 1) + 38, MOST_HEIGHT),
        column_config=_columns(own.base),
        on_change=_edited,
    )
    for problem in own.problems:
        st.warning(escape_markdown(problem), icon=":material/edit_note:")


def take_examples(examples: Sequence[Example], *, add: bool) -> str:
    """Put examples into the table, behind its own or in their place; what is wrong, or ""."""
    own = example_table()
    own_rows = tuple(row for row in own.rows if row != Row())
    rows = (*own_rows, *rows_of(examples)) if add else rows_of(examples)
    if len(rows) > MOST_EXAMPLES:
        return (
            f"Together they are {len(rows)} examples and at most {MOST_EXAMPLES} are compared: take them instead of the "
            "present ones, or leave some out."
        )
    _replace(rows)
    return ""


def take_back() -> None:
    """The rows before the last replacement."""
    former = example_table().former
    if former is not None:
        _replace(former)


def _replace(rows: tuple[Row, ...]) -> None:
    own = example_table()
    own.former = own.rows
    own.begin(rows)
    _use(own)


def _edited() -> None:
    """From the editor's callback."""
    own = session.get(ExampleTable)
    edits: Any = st.session_state.get(_key(own))
    if edits is None:
        return
    own.note(apply_edits(own.base, edits))
    _use(own)


def _use(own: ExampleTable) -> None:
    """Into the draft, and into the store for a later visit: a page that is loaded again starts anew."""
    kept_examples()  # those before, while they are there
    change_draft(examples=own.examples)
    store, _why = available_store(owner_id())
    if store is not None:
        text = json.dumps([example_values(each) for each in own.examples or ()])
        with suppress(PlaygroundError):  # what cannot be kept is no reason to refuse an edit
            store.put_note(_NOTE, text, expires=time.time() + _KEPT_S)


def kept_examples() -> tuple[Example, ...]:
    """What stood in this owner's table at an earlier visit, () where that is what stands there now."""
    own = session.get(ExampleTable)
    if own.kept is None:
        own.kept = ()
        store, _why = available_store(owner_id())
        with suppress(PlaygroundError):
            text = store.note(_NOTE) if store is not None else None
            own.kept = read_examples(text.encode(), "kept.json")[0] if text else ()
    return () if own.kept == own.examples else own.kept


def _key(own: ExampleTable) -> str:
    return f"tune_examples_{own.version}"


def _columns(rows: Sequence[Row]) -> dict[str, Any]:
    checks = dict.fromkeys(check for row in rows for check in row.checks)
    tags = dict.fromkeys(tag for row in rows for tag in row.tags)
    column = st.column_config
    return {
        "prompt": column.TextColumn("Prompt", width=250, help="What the model is asked."),
        "system": column.TextColumn("System prompt", width=150, help="Counts in a chat only."),
        "reference": column.TextColumn("Reference", width=230, help="An answer that you would be content with."),
        "checks": column.MultiselectColumn(
            "Checks",
            width=190,
            options=[*checks, *(each for each in COMMON_CHECKS if each not in checks)],
            accept_new_options=True,
            help="Choose one, or type it and press Enter. What there is stands under “The checks, and how they are written”.",
        ),
        "tags": column.MultiselectColumn(
            "Tags",
            width=90,
            options=list(tags),
            accept_new_options=True,
            help="Words by which results are parted.",
        ),
    }
