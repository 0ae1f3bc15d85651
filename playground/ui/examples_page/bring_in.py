"""Bringing demonstrations in: the shipped sets, pasted ones, those of a file, those of the last visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.errors import PlaygroundError
from playground.training.demonstrations import (
    SHIPPED,
    Demonstration,
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
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.workspace.shared import file_uploader

PASTE = "teach_paste"
SHOWN, MOST_BYTES = 3, 16_000_000


@dataclass(eq=False)
class _Incoming:
    """``problem``: why what was to be taken was not."""

    problem: str = ""


def bring_in() -> None:
    """The shipped sets, pasting, a file, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", key="teach_bring_in"):
        with st.popover("Shipped sets", icon=":material/inventory_2:", on_change="rerun", key="teach_sets") as box:
            if box.open:
                _shipped_buttons()
        with st.popover("Paste", icon=":material/content_paste:", on_change="rerun", key="teach_pasting") as box:
            if box.open:
                _paste()
        with st.popover("A file", icon=":material/upload_file:", on_change="rerun", key="teach_file") as box:
            if box.open:
                _upload()
        kept = kept_demonstrations()
        if kept:
            st.button(
                f"Those of the last visit ({len(kept)})",
                key="teach_kept_rows",
                icon=":material/history:",
                on_click=_take,
                args=(kept, False),
                type="tertiary",
                help="What stood in the table when this page was last left.",
            )
        if demonstration_table().former is not None:
            st.button(
                "Back to the former ones", key="teach_back", icon=":material/undo:", on_click=take_back, type="tertiary"
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
            on_click=_take,
            args=(rows, False),
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


def _read(data: bytes, name: str, source: str) -> None:
    """What the text is read as, and taking it. What is wrong is one sentence here."""
    try:
        found, notes = read_demonstrations(data, name)
    except PlaygroundError as error:
        show_problem(error)
        return
    with st.container(key=f"teach_preview_{source}"):
        for note in notes:
            st.caption(escape_markdown(note))
        for number, row in enumerate(found[:SHOWN], 1):
            st.markdown(f"{number}\\. {escape_markdown(row.prompt[:120])} → {escape_markdown(row.response[:120])}")
        if len(found) > SHOWN:
            st.caption(f"and {len(found) - SHOWN:,} more")
    with st.container(horizontal=True, vertical_alignment="center"):
        instead = f"Take these {len(found):,} instead" if len(found) > 1 else "Take it instead"
        st.button(instead, key=f"teach_take_{source}", type="primary", on_click=_take, args=(found, False))
        st.button("Add them", key=f"teach_add_{source}", on_click=_take, args=(found, True))
    problem = session.get(_Incoming).problem
    if problem:
        show_problem(problem)


def _take(rows: Sequence[Demonstration], add: bool) -> None:
    """From a callback. What was pasted is cleared once it is in the table, and not before."""
    session.get(_Incoming).problem = problem = take_demonstrations(rows, add=add)
    if not problem and PASTE in st.session_state:
        st.session_state[PASTE] = ""
    redraw(PICTURES)
