"""Bringing demonstrations in: the shipped sets, pasted ones, those of a file, those of the last visit."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import streamlit as st

from playground.errors import PlaygroundError
from playground.training.demonstrations import (
    SHIPPED,
    Demonstration,
    columns_to_choose,
    guess_columns,
    read_demonstrations,
    shipped,
    write_demonstrations,
)
from playground.ui.examples_page.demonstration_table import (
    demonstration_table,
    kept_demonstrations,
    take_back,
    take_demonstrations,
)
from playground.ui.examples_page.session import draft
from playground.ui.kit.bring_in import SHOWN, BringIn, Source
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.workspace.shared import file_uploader

PASTE = "teach_paste"
MOST_BYTES = 16_000_000
_NONE = "(none)"
_FIELDS = {"prompt": "Prompt", "response": "Response", "system": "System prompt"}
_ROWS: BringIn[Demonstration] = BringIn(
    "teach", PASTE, take_demonstrations, take_back, "Back to the former ones", parts=(PICTURES,)
)


def bring_in() -> None:
    """The shipped sets, pasting, a file, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="teach_bring_in"):
        _ROWS.sources(
            Source("Shipped sets", ":material/inventory_2:", "teach_sets", _shipped_buttons),
            Source("Paste", ":material/content_paste:", "teach_pasting", _paste),
            Source("A file", ":material/upload_file:", "teach_file", _upload),
            kept=kept_demonstrations(),
            has_former=demonstration_table().former is not None,
        )
        if draft().rows:
            rows = draft().rows
            file_button(
                "JSON lines",
                "demonstrations.jsonl",
                lambda: write_demonstrations(rows),
                "As TRL takes them.",
                quiet=True,
            )


def _shipped_buttons() -> None:
    for name, about in SHIPPED.items():
        rows = shipped(name)
        st.button(
            f"{name.capitalize()} ({len(rows)})",
            key=f"teach_set_{name}",
            help=about,
            **_ROWS.taking(rows),
        )
        st.caption(about)
    st.caption("They take the place of the present ones; the way back stands beside.")


def _paste() -> None:
    text = st.text_area(
        "Demonstrations",
        key=PASTE,
        height=140,
        placeholder="JSON lines, or a table with a heading that names prompt and response, copied from a spreadsheet.",
    )
    if not text.strip():
        st.caption("Press Ctrl+Enter or click elsewhere to see what they are read as.")
        return
    _read(text.encode("utf-8", "replace"), "pasted", "paste")


def _upload() -> None:
    given = file_uploader(
        "JSON lines (chat or Alpaca), a JSON list or CSV",
        type=["csv", "tsv", "txt", "jsonl", "ndjson", "json"],
        key="teach_upload",
        max_upload_size=MOST_BYTES // 10**6,
    )
    if given is not None:
        _read(given.getvalue(), given.name, "upload")


def _chosen(columns: Sequence[str], source: str) -> dict[str, str]:
    """Which column is which, where their names do not say it."""
    st.caption("No column is called prompt and response: say which is which.")
    version, column_of = zlib.crc32(repr(columns).encode("utf-8", "surrogatepass")), dict[str, str]()
    guessed = guess_columns(columns)
    with st.container(horizontal=True):
        for field, label in _FIELDS.items():
            options = list(columns) if field in guessed else [_NONE, *(each for each in columns if each != _NONE)]
            picked = st.selectbox(
                label,
                options,
                options.index(guessed[field]) if field in guessed else 0,
                key=f"teach_column_{source}_{field}_{version}",
                width=150,
            )
            column_of[field] = "" if field not in guessed and picked == _NONE else str(picked)
    return column_of


def _read(data: bytes, name: str, source: str) -> None:
    """What the text is read as, and taking it. What is wrong is one sentence here."""
    columns = columns_to_choose(data, name)
    try:
        demonstrations, notes = read_demonstrations(data, name, _chosen(columns, source) if columns else None)
    except PlaygroundError as error:
        show_problem(error)
        return
    lines = [
        f"{escape_markdown(row.prompt[:120])} → {escape_markdown(row.response[:120])}" for row in demonstrations[:SHOWN]
    ]
    _ROWS.preview(source, notes, lines, len(demonstrations))
    _ROWS.take_buttons(demonstrations, source)
