"""Examples that a decision is made on: prompts, and where there are any references, checks and tags. Knows no model.

They are typed, or come as CSV, JSON lines or a JSON list that a stranger wrote: every field is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from playground.errors import BadInput
from playground.tables import UnreadableTable, read_table, text_of
from playground.testtime.registry import SCORERS, parse_spec
from playground.testtime.types import ScorerSpec

MOST_EXAMPLES = 200
LONGEST_TEXT = 20_000  # characters of a prompt, a system prompt or a reference
LONGEST_TAG = 60
MOST_CHECKS = 10
FIELDS = ("prompt", "system", "reference", "checks", "tags")


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt. ``reference`` is an answer one would be content with, "" for none.

    ``checks`` are verifiers that need no model and no reference; ``tags`` are words by which results are sliced.
    """

    prompt: str
    system: str = ""
    reference: str = ""
    checks: tuple[ScorerSpec, ...] = ()
    tags: tuple[str, ...] = ()


def read_examples(
    data: bytes, file_name: str = "", *, columns: Mapping[str, str] | None = None, needed: Sequence[str] = ("prompt",)
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """The examples in a file, and sentences on what was guessed or left out. Raises BadInput.

    ``columns``: which of the file's columns (lower case in a CSV) each of ``FIELDS`` is read from, where it is not the one
    of that name. ``needed``: the fields that no example may lack. Checks and tags are JSON lists, or texts with ``;``
    between.
    """
    source = {field: (columns or {}).get(field, field) for field in FIELDS}
    try:
        read, notes = read_table(data, file_name, [source[field] for field in needed])
        rows = list(islice(read, MOST_EXAMPLES + 1))
    except UnreadableTable as error:
        raise _bad(str(error)) from None
    if len(rows) > MOST_EXAMPLES:
        raise _bad(f"it has more than {MOST_EXAMPLES} examples; choose some of them")
    if not rows:
        raise _bad("it has no example; add a line for each")
    ignored = sorted({name for _line, row in rows for name in row if name} - set(source.values()))
    if ignored:
        notes.append(f"Left out: {', '.join(name[:30] for name in ignored[:5])}.")
    return tuple(_example(line, row, source, needed) for line, row in rows), tuple(notes)


@cache
def built_in() -> tuple[Example, ...]:
    """The 12 examples that come with the playground: support answers, extraction to JSON, product copy, four each."""
    return read_examples(files("playground.tuning").joinpath("data/examples.jsonl").read_bytes(), "examples.jsonl")[0]


def check_example(example: Example) -> Example:
    """``example`` itself, if it can be used. Raises BadInput with a clause that says what is wrong."""
    if not example.prompt.strip():
        raise BadInput("it has no prompt; fill it in", "prompt")
    for field in ("prompt", "system", "reference"):
        if len(getattr(example, field)) > LONGEST_TEXT:
            raise BadInput(f"its {field} has more than {LONGEST_TEXT:,} characters; shorten it", field)
    if len(example.checks) > MOST_CHECKS:
        raise BadInput(f"it has more than {MOST_CHECKS} checks; leave some out", "checks")
    for spec in example.checks:
        kind = SCORERS[spec.name]
        if not kind.gives_verdict or kind.needs_engine or kind.needs_reference:
            raise BadInput(
                f"{spec.name} is no check that works without a model and a reference; choose another", "checks"
            )
    if any(len(tag) > LONGEST_TAG for tag in example.tags):
        raise BadInput(f"a tag has more than {LONGEST_TAG} characters; shorten it", "tags")
    return example


def _example(line: int, row: Mapping[str, Any], source: Mapping[str, str], needed: Sequence[str]) -> Example:
    try:
        texts = {field: text_of(row.get(source[field])) for field in ("prompt", "system", "reference")}
        for field in needed:
            if not texts[field].strip():
                raise _bad(f"line {line} has no {source[field]}; fill it in")
        checks = tuple(parse_spec(text) for text in _list(row.get(source["checks"])))
        return check_example(Example(**texts, checks=checks, tags=_list(row.get(source["tags"]))))
    except UnreadableTable as error:
        raise _bad(f"line {line} {error}") from None
    except BadInput as error:
        if error.field == "file":
            raise
        raise _bad(f"line {line}: {str(error).rstrip('.')}") from None


def _list(value: object) -> tuple[str, ...]:
    """A JSON list, or a text with semicolons between."""
    items = value if isinstance(value, list) else text_of(value).split(";")
    return tuple(dict.fromkeys(text for item in items if (text := text_of(item).strip())))


def _bad(what: str) -> BadInput:
    return BadInput(f"The file of examples cannot be used: {what}.", "file")
