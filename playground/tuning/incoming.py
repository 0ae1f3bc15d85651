"""What a person pastes or uploads, before it is examples: its columns, which field each seems to hold, plain prompts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from playground.errors import BadInput
from playground.tables import UnreadableTable, read_table
from playground.tuning.examples import FIELDS, MOST_EXAMPLES, Example, check_example

MOST_BYTES = 16_000_000
_LOOKED_AT = 50  # rows, for the columns of JSON lines

_NAMES = {
    "prompt": ("prompt", "question", "input", "instruction", "message", "query", "user", "text"),
    "system": ("system", "system_prompt", "system prompt", "instructions"),
    "reference": ("reference", "answer", "expected", "expected_output", "ideal", "output", "completion", "response"),
    "checks": ("checks", "check", "verifiers"),
    "tags": ("tags", "tag", "category", "label", "topic", "kind"),
}
"""What columns are often called, the likeliest first."""

Apart = Literal["line", "blank"]


def columns_of(data: bytes, file_name: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of a table, a CSV's in lower case, and sentences on what was guessed. Raises BadInput."""
    if len(data) > MOST_BYTES:
        raise _bad(
            f"it has {len(data) / 1e6:,.0f} MB and at most {MOST_BYTES // 10**6} are read; choose fewer examples"
        )
    try:
        rows, notes = read_table(data, file_name)
        names = dict.fromkeys(str(name) for _line, row in islice(rows, _LOOKED_AT) for name in row if name)
    except UnreadableTable as error:
        raise _bad(str(error)) from None
    if not names:
        raise _bad("it has no row with a named column; its first line has to name them")
    return tuple(names), tuple(notes)


def guess_columns(names: Sequence[str]) -> dict[str, str]:
    """By field the column that seems to hold it; the first column holds the prompt where none is called so."""
    by_lower = {name.lower(): name for name in reversed(names)}
    columns: dict[str, str] = {}
    for field in FIELDS:
        column = next((by_lower[name] for name in _NAMES[field] if name in by_lower), None)
        if column is not None and column not in columns.values():
            columns[field] = column
    if "prompt" not in columns:
        first = next((name for name in names if name not in columns.values()), names[0])
        columns = {"prompt": first} | {field: column for field, column in columns.items() if column != first}
    return columns


def read_prompts(text: str, apart: Apart) -> tuple[Example, ...]:
    """Plain prompts, one a ``line``, or with a ``blank`` line between. Raises BadInput."""
    parts = text.splitlines() if apart == "line" else re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))
    prompts = [part.strip() for part in parts if part.strip()]
    if not prompts:
        raise BadInput("There is no prompt in it: write one a line.", "prompts")
    if len(prompts) > MOST_EXAMPLES:
        raise BadInput(
            f"It has {len(prompts):,} prompts and at most {MOST_EXAMPLES} are compared: choose some of them.", "prompts"
        )
    examples = []
    for number, prompt in enumerate(prompts, 1):
        try:
            examples.append(check_example(Example(prompt)))
        except BadInput as error:
            raise BadInput(f"Prompt {number}: {str(error).rstrip('.')}.", "prompts") from None
    return tuple(examples)


def looks_like_table(text: str) -> bool:
    """Whether a pasted text seems to be JSON, or lines under a heading that names a prompt (commas, semicolons, tabs)."""
    first = text.lstrip("\ufeff \n").split("\n", 1)[0].strip()
    cells = [cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", first)]
    return first[:1] in ("{", "[") or (len(cells) > 1 and any(cell in _NAMES["prompt"] for cell in cells))


def _bad(what: str) -> BadInput:
    return BadInput(f"The file of examples cannot be used: {what}.", "file")
