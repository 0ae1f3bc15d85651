"""Demonstrations (prompt, response): read from the formats they come in, checked, written in the one TRL takes. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playground.errors import BadInput
from playground.tables import UnreadableTable, read_table, text_of
from playground.training.conversation import Context, Message, foreign_marks, read_context, read_messages, too_long

MOST_DEMONSTRATIONS = 2000  # three epochs of more take hours on two cores
_LOOKED_AT = 50  # rows, for the columns of JSON lines
_FOLDER = Path(__file__).parent / "data"

SHIPPED: Mapping[str, str] = MappingProxyType(
    {
        "tone": "Answers in the voice of a ship's log: a time, dry words, no more than two sentences.",
        "format": "Facts as one JSON object with the keys answer, unit and sure.",
        "refusals": "What harms people is declined in one sentence with an offer; what is harmless is answered.",
    }
)
"""Sets written for this project, by name."""

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "prompt": ("prompt", "instruction", "question", "user", "input"),
        "response": ("response", "completion", "output", "answer", "assistant"),
        "system": ("system", "system_prompt"),
    }
)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """How the model should answer. ``earlier``: turns of user and assistant, alternating, before ``prompt``."""

    prompt: str
    response: str
    system: str = ""
    earlier: tuple[str, ...] = ()

    @property
    def context(self) -> Context:
        return Context(self.prompt, self.system, self.earlier)

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for rows that teach the same: case and spaces aside."""
        return tuple(
            " ".join(text.casefold().split()) for text in (self.system, *self.earlier, self.prompt, self.response)
        )


def check_demonstration(demonstration: Demonstration) -> None:
    """Raises BadInput where it cannot be taught."""
    if problem := _problem(demonstration):
        raise BadInput(f"This demonstration {problem}.", "demonstrations")


def _problem(row: Demonstration) -> str | None:
    if not row.prompt.strip():
        return "has an empty prompt; write what is asked"
    if not row.response.strip():
        return "has an empty response; write how the model should answer, or delete the row"
    return too_long(prompt=row.prompt, response=row.response, system=row.system)


def read_demonstrations(
    data: bytes, file_name: str = "", columns: Mapping[str, str] | None = None
) -> tuple[tuple[Demonstration, ...], tuple[str, ...]]:
    """What a file holds, and sentences on what was guessed or is odd.

    JSON lines in TRL's formats (``messages``, or ``prompt`` and ``completion``, as text or messages), Alpaca's
    (``instruction``, ``input``, ``output``), a JSON list of either, or a CSV. ``columns``: which column holds ``prompt``,
    ``response`` and ``system``; without it their usual names. Raises BadInput that names the line.
    """
    rows, notes = read_rows(data, file_name, lambda row: _demonstration(row, columns), MOST_DEMONSTRATIONS)
    checked = [(line, demonstration) for line, demonstration in rows]
    for line, demonstration in checked:
        if problem := _problem(demonstration):
            raise BadInput(f"The file cannot be used: line {line} {problem}.", "demonstrations")
    demonstrations = tuple(demonstration for _line, demonstration in checked)
    return demonstrations, (*notes, *odd(demonstrations))


def columns_to_choose(data: bytes, file_name: str = "") -> tuple[str, ...]:
    """The columns of a table whose names do not say which is the prompt and which the response; () where they do, or where
    nothing can be read.
    """
    try:
        rows, _notes = read_table(data, file_name)
        names = tuple(dict.fromkeys(str(name) for _line, row in islice(rows, _LOOKED_AT) for name in row if name))
    except UnreadableTable:
        return ()
    said = all(set(names) & set(_NAMES[field]) for field in ("prompt", "response"))
    return () if said or "messages" in names or len(names) < 2 else names


def guess_columns(names: Sequence[str]) -> dict[str, str]:
    """Of two columns or more: which may hold ``prompt`` and ``response``, by name, else in the order in which they stand.

    >>> guess_columns(("id", "prompt", "text"))
    {'prompt': 'prompt', 'response': 'id'}
    """
    columns = {
        field: column
        for field in ("prompt", "response")
        if (column := next((name for name in _NAMES[field] if name in names), None)) is not None
    }
    for field in ("prompt", "response"):
        if field not in columns:
            columns[field] = next(name for name in names if name not in columns.values())
    return columns


def read_rows(
    data: bytes, file_name: str, read: Callable[[Mapping[str, Any]], Any], most: int
) -> tuple[list[tuple[int, Any]], tuple[str, ...]]:
    """Rows with their line numbers, each as ``read`` makes it. Raises BadInput, also for none and for more than ``most``."""
    checked: list[tuple[int, Any]] = []
    try:
        rows, notes = read_table(data, file_name)
        for line, row in rows:
            if len(checked) == most:
                raise UnreadableTable(
                    f"it has more than {most:,} rows, which would train for hours here; take the best {most:,} of them"
                )
            try:
                checked.append((line, read(row)))
            except UnreadableTable as error:
                raise UnreadableTable(f"line {line} {error}") from None
        if not checked:
            raise UnreadableTable("it has no rows; write one a line")
    except UnreadableTable as error:
        raise BadInput(f"The file cannot be used: {error}.", "data") from None
    return checked, tuple(notes)


def _demonstration(row: Mapping[str, Any], columns: Mapping[str, str] | None) -> Demonstration:
    if columns is not None:
        lacking = [name for name in ("prompt", "response") if columns.get(name) not in row]
        if lacking:
            raise UnreadableTable(f"has no column for {' and '.join(lacking)}; choose one of {', '.join(row)[:120]}")
        given = [text_of(row.get(columns.get(name, ""))) for name in ("prompt", "response", "system")]
        return Demonstration(given[0], given[1], given[2])
    if "messages" in row:
        return _of_messages(read_messages(row["messages"]))
    if isinstance(row.get("prompt"), list) or isinstance(row.get("completion"), list):
        if not isinstance(row.get("prompt"), list) or not isinstance(row.get("completion"), list):
            raise UnreadableTable("has prompt and completion of two kinds; write both as messages or both as text")
        return _of_messages((*read_messages(row["prompt"]), *read_messages(row["completion"])))
    if "instruction" in row and "output" in row:  # Alpaca's
        parts = [text_of(row["instruction"]), text_of(row.get("input"))]
        return Demonstration(
            "\n\n".join(part for part in parts if part.strip()), text_of(row["output"]), text_of(row.get("system"))
        )
    prompt, response, system = (next((name for name in aliases if name in row), None) for aliases in _NAMES.values())
    if prompt is None or response is None:
        raise UnreadableTable(
            "has no demonstration; give messages, or prompt and completion, or instruction and output "
            f"(it has {', '.join(row)[:120] or 'nothing'})"
        )
    return Demonstration(text_of(row[prompt]), text_of(row[response]), text_of(row[system]) if system else "")


def _of_messages(messages: tuple[Message, ...]) -> Demonstration:
    if messages[-1].role != "assistant":
        raise UnreadableTable("does not end with the assistant's message, which is what would be taught")
    context = read_context(messages[:-1])
    return Demonstration(context.prompt, messages[-1].content, context.system, context.earlier)


def odd(rows: Sequence[Demonstration]) -> tuple[str, ...]:
    """Sentences on what can be taught and may not be meant: rows given twice, another template's marks."""
    notes = []
    twice = len(rows) - len({row.key for row in rows})
    if twice:
        notes.append(f"{twice} of {len(rows)} rows are there more than once: what is repeated counts more.")
    marks = [mark for row in rows if (mark := foreign_marks(row.prompt, row.response, row.system))]
    if marks:
        notes.append(
            f"{len(marks)} rows spell marks of a chat template ({marks[0]}): the model's own template is put around the "
            "texts, so give them without."
        )
    return tuple(notes)


def write_demonstrations(rows: Sequence[Demonstration]) -> str:
    """JSON lines of ``messages``, as TRL's SFTTrainer takes them."""
    lines = [
        {
            "messages": [
                *({"role": message.role, "content": message.content} for message in row.context.messages),
                {"role": "assistant", "content": row.response},
            ]
        }
        for row in rows
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def shipped(name: str) -> tuple[Demonstration, ...]:
    """One of ``SHIPPED``. Raises BadInput."""
    if name not in SHIPPED:
        raise BadInput(f"There is no set {name[:40]!r}: choose one of {', '.join(SHIPPED)}.", "data")
    return read_demonstrations((_FOLDER / f"{name}.jsonl").read_bytes(), f"{name}.jsonl")[0]
