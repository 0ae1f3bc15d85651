"""Examples as rows of an editable table: what an editor did to them, and the examples they make. Knows no browser.

A row may hold what is no example yet; it stays in the table, and a sentence says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from playground.errors import BadInput
from playground.testtime.registry import parse_spec
from playground.tuning.examples import MOST_EXAMPLES, Example, check_example


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, as it was typed. ``checks``: as ``parse_spec`` reads them."""

    prompt: str = ""
    system: str = ""
    reference: str = ""
    checks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def rows_of(examples: Iterable[Example]) -> tuple[Row, ...]:
    """Each example as a row."""
    return tuple(
        Row(each.prompt, each.system, each.reference, tuple(spec.label for spec in each.checks), each.tags)
        for each in examples
    )


def read_rows(rows: Sequence[Row]) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """The examples that the rows make, and a sentence on each row that makes none. Rows without any text are no matter."""
    examples: list[Example] = []
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        if row == Row():
            continue
        if len(examples) == MOST_EXAMPLES:
            problems.append(f"From row {number:,} on they are left out: at most {MOST_EXAMPLES} examples are compared.")
            break
        try:
            checks = tuple(parse_spec(text) for text in row.checks)
            examples.append(check_example(Example(row.prompt, row.system, row.reference, checks, row.tags)))
        except BadInput as error:
            problems.append(f"Row {number} is left out: {str(error).rstrip('.')}.")
    return tuple(examples), tuple(problems)


def apply_edits(base: Sequence[Row], edits: Mapping[str, Any]) -> tuple[Row, ...]:
    """``base`` after what a browser's editor says was done: ``edited_rows`` by place, ``deleted_rows``, ``added_rows``.

    A stranger's data: what is no text is dropped, broken characters are replaced.
    """
    edited, deleted = edits.get("edited_rows") or {}, set(edits.get("deleted_rows") or ())
    kept = [_changed(row, edited.get(place, {})) for place, row in enumerate(base) if place not in deleted]
    added = [_changed(Row(), values) for values in edits.get("added_rows") or ()]
    return (*kept, *added)


def _changed(row: Row, values: Mapping[str, Any]) -> Row:
    new: dict[str, Any] = {}
    for name, value in values.items():
        if name in ("prompt", "system", "reference"):
            new[name] = _text(value)
        elif name in ("checks", "tags"):
            items = value if isinstance(value, (list, tuple)) else ()
            new[name] = tuple(dict.fromkeys(text for item in items if (text := _text(item).strip())))
    return replace(row, **new)


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
