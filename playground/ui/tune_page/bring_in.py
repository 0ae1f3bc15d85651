"""Bringing examples in: the ready ones, typed or pasted ones, those of a file whose columns are mapped on screen."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from playground.errors import PlaygroundError
from playground.tuning.examples import FIELDS, Example, built_in, read_examples
from playground.tuning.incoming import MOST_BYTES, columns_of, guess_columns, looks_like_table, read_prompts
from playground.ui.kit import session
from playground.ui.kit.bring_in import SHOWN, BringIn, Source
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.tune_page.example_table import example_table, kept_examples, take_back, take_examples
from playground.ui.tune_page.session import READY, ready_examples
from playground.ui.workspace.shared import file_uploader

T = TypeVar("T")
PASTE = "tune_paste"
_ROWS: BringIn[Example] = BringIn("tune", PASTE, take_examples, take_back, "Back to the former examples")
_LABELS = {"prompt": "Prompt", "system": "System prompt", "reference": "Reference", "checks": "Checks", "tags": "Tags"}
_NONE = "none"


@dataclass(eq=False)
class _Incoming:
    """``read``: what was read of the file or text with this ``content``."""

    content: tuple[int, int] = (0, 0)
    read: dict[str, Any] = field(default_factory=dict)


def bring_in() -> None:
    """Ready examples, typing and pasting, a file, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", key="tune_bring_in"):
        _ROWS.sources(
            Source("Ready examples", ":material/inventory_2:", "tune_ready", _ready_buttons),
            Source("Type or paste", ":material/content_paste:", "tune_typing", _paste),
            Source("A file", ":material/upload_file:", "tune_file", _upload),
            kept=kept_examples(),
            has_former=example_table().former is not None,
        )


def _ready_buttons() -> None:
    for purpose, about in READY.items():
        st.button(
            f"{about} ({len(ready_examples(purpose))})",
            key=f"tune_ready_{purpose}",
            **_ROWS.taking(ready_examples(purpose)),
        )
    st.button("All twelve", key="tune_ready_all", **_ROWS.taking(built_in()))
    st.caption("They take the place of the present ones; the way back stands beside.")


def _paste() -> None:
    text = st.text_area(
        "Prompts",
        key=PASTE,
        height=140,
        placeholder="One prompt a line; or a table with a heading, copied from a spreadsheet; or JSON lines.",
    )
    if not text.strip():
        st.caption("Press Ctrl+Enter or click elsewhere to see what they are read as.")
        return
    if looks_like_table(text):
        _table(text.encode("utf-8", "replace"), "pasted", "paste")
        return
    apart = st.segmented_control(
        "They are parted by",
        ["line", "blank"],
        default="line",
        format_func={"line": "Lines: one prompt each", "blank": "Blank lines between them"}.__getitem__,
        key="tune_apart",
        required=True,
    )
    try:
        prompts = read_prompts(text, "blank" if apart == "blank" else "line")
    except PlaygroundError as error:
        show_problem(error)
        return
    st.caption(
        f"{len(prompts)} {'prompt' if len(prompts) == 1 else 'prompts'}; references and checks can be added below."
    )
    _ROWS.take_buttons(prompts, "paste")


def _upload() -> None:
    given = file_uploader(
        "CSV, JSON lines or a JSON list",
        type=["csv", "tsv", "txt", "jsonl", "ndjson", "json"],
        key="tune_upload",
        max_upload_size=MOST_BYTES // 10**6,
        help="Which column is what is said on screen after it was read. At most 200 examples.",
    )
    if given is not None:
        _table(given.getvalue(), given.name, "upload")


def _table(data: bytes, name: str, source: str) -> None:
    """Which column is which field, what the table is read as, and taking it. What is wrong is one sentence here."""
    try:
        columns, notes = _remembered("columns", data, lambda: columns_of(data, name))
        chosen = _mapping(columns, source)
        examples, more = _remembered(chosen, data, lambda: read_examples(data, name, columns=chosen))
    except PlaygroundError as error:
        show_problem(error)
        return
    lines = [
        escape_markdown(each.prompt[:160]) + (f" → {escape_markdown(each.reference[:120])}" if each.reference else "")
        for each in examples[:SHOWN]
    ]
    _ROWS.preview(source, tuple(dict.fromkeys((*notes, *more, *_read_twice(chosen)))), lines, len(examples))
    _ROWS.take_buttons(examples, source)


def _mapping(columns: Sequence[str], source: str) -> dict[str, str]:
    guessed, chosen = guess_columns(columns), dict[str, str]()
    version = zlib.crc32(repr(columns).encode("utf-8", "surrogatepass"))
    with st.container(horizontal=True):
        for name in FIELDS:
            options = list(columns) if name == "prompt" else [_NONE, *(each for each in columns if each != _NONE)]
            default = guessed.get(name, _NONE)
            picked = st.selectbox(
                _LABELS[name],
                options,
                options.index(default) if default in options else 0,
                key=f"tune_column_{source}_{name}_{version}",
                width=170,
            )
            chosen[name] = "" if picked == _NONE and name != "prompt" else str(picked)
    return chosen


def _read_twice(chosen: dict[str, str]) -> list[str]:
    columns = [column for column in chosen.values() if column]
    twice = {column for column in columns if columns.count(column) > 1}
    return [f"Two fields are read from the column {column[:40]}." for column in twice]


def _remembered(what: object, data: bytes, read: Callable[[], T]) -> T:
    """What was read of the last file: each redraw would read it again. Raises BadInput."""
    incoming, content = session.get(_Incoming), (zlib.crc32(data), len(data))
    if incoming.content != content:
        incoming.content, incoming.read = content, {}
    key = repr(what)
    if key not in incoming.read:
        incoming.read[key] = read()
    cached: T = incoming.read[key]
    return cached
