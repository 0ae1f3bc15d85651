"""Demonstrations as rows of an editable table: what an editor did to them, and those that can be taught. Knows no browser.

A row may hold what is no demonstration yet; it stays in the table, and a sentence says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground.errors import BadInput
from playground.training.demonstrations import MOST_DEMONSTRATIONS, Demonstration, check_demonstration

EMPTY = Demonstration("", "")
COLUMNS = ("prompt", "response", "system")
_MOST_SENTENCES = 5


def taught_rows(rows: Sequence[Demonstration]) -> tuple[tuple[Demonstration, ...], tuple[str, ...]]:
    """The rows that can be taught, and a sentence on each of the others. Rows without any text are no matter."""
    demonstrations: list[Demonstration] = []
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        if row == EMPTY:
            continue
        if len(demonstrations) == MOST_DEMONSTRATIONS:
            problems.append(f"From row {number:,} on they are left out: at most {MOST_DEMONSTRATIONS:,} are taught.")
            break
        try:
            check_demonstration(row)
        except BadInput as error:
            problems.append(f"Row {number} is left out: {str(error).rstrip('.')}.")
        else:
            demonstrations.append(row)
    more = len(problems) - _MOST_SENTENCES
    return tuple(demonstrations), (
        *problems[:_MOST_SENTENCES],
        *([f"{more} more rows are left out for the like."] if more > 0 else []),
    )


def apply_edits(base: Sequence[Demonstration], edits: Mapping[str, Any]) -> tuple[Demonstration, ...]:
    """``base`` after what a browser's editor says was done: ``edited_rows`` by place, ``deleted_rows``, ``added_rows``.

    A stranger's data: what is no text is dropped, broken characters are replaced.
    """
    edited, deleted = edits.get("edited_rows") or {}, set(edits.get("deleted_rows") or ())
    kept = [_changed(row, edited.get(place, {})) for place, row in enumerate(base) if place not in deleted]
    return (*kept, *(_changed(EMPTY, values) for values in edits.get("added_rows") or ()))


def _changed(row: Demonstration, values: Mapping[str, Any]) -> Demonstration:
    texts: dict[str, Any] = {
        name: value if isinstance(value, str) else "" for name, value in values.items() if name in COLUMNS
    }
    return replace(row, **{name: text.encode("utf-8", "replace").decode("utf-8") for name, text in texts.items()})
