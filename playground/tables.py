"""Rows out of a table that a stranger uploaded: CSV, JSON lines or a JSON list, in whatever encoding it came.

Nothing is dropped silently, and nothing of the content is judged: who reads rows says what they mean, and puts what is
wrong with the file into a sentence of its own.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground.json_reading import repeated
from playground.uploads import decode, parse_json

Rows = Iterator[tuple[int, Mapping[str, Any]]]
"""Lines with their numbers, each by column; a CSV's columns are in lower case."""


class UnreadableTable(ValueError):
    """What is wrong and what to do, as a clause without a full stop: "it is empty; give …"."""


def read_table(data: bytes, file_name: str = "", needed: Sequence[str] = ()) -> tuple[Rows, list[str]]:
    """The rows, read as they are asked for, and sentences on what was guessed. A CSV must have the columns ``needed``.

    Raises UnreadableTable, also from the rows.
    """
    text, notes = _decode(data)
    stripped = text.lstrip()
    if not stripped:
        raise UnreadableTable(f"it is empty; give a CSV with the columns {_listed(needed)}, or JSON lines")
    if stripped.startswith("<"):
        raise UnreadableTable("it is XML or HTML, which is never read; give a CSV or JSON lines")
    if stripped.startswith("["):
        return _json_list(text, needed), notes
    if stripped.startswith("{") or file_name.lower().endswith((".jsonl", ".ndjson")):
        return _json_rows(text, needed), notes
    return _csv_rows(text, needed), notes


def _decode(data: bytes) -> tuple[str, list[str]]:
    """UTF-8, or UTF-16 with its mark; else as Windows wrote it, which is told."""
    if data[:2] in (b"PK", b"\x1f\x8b"):
        raise UnreadableTable("it is compressed; unpack it and give the CSV or JSON lines inside")
    text, is_sure = decode(data)
    notes: list[str] = []
    if not is_sure:
        notes.append("The file is not UTF-8 and was read as Windows-1252: look whether its letters are right.")
    if "\0" in text:
        raise UnreadableTable("it is no text (it has zero bytes); save it as CSV in UTF-8")
    return text, notes


def _csv_rows(text: str, needed: Sequence[str]) -> Rows:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096].splitlines()[0], delimiters=",;\t")
    except (csv.Error, IndexError):
        dialect = csv.excel
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
    try:
        heading = [name.strip().lower() for name in next(reader, [])]
        if twice := repeated(heading):
            raise UnreadableTable(f"it has two columns {twice}; keep one of them")
        missing = [name for name in needed if name not in heading]
        if missing:
            columns = " ".join(", ".join(heading).split())[:120]  # a quote that is not closed has lines in it
            raise UnreadableTable(f"it has no column {' and no column '.join(missing)}; its columns are {columns}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) > len(heading):
                    raise UnreadableTable(
                        f"line {reader.line_num} has more cells than the heading; quote cells that hold a separator"
                    )
                yield reader.line_num, dict(zip(heading, cells, strict=False))
    except csv.Error as error:
        raise UnreadableTable(f"line {reader.line_num}: {str(error)[:100]}; quote its cells") from None


def _json_list(text: str, needed: Sequence[str]) -> Rows:
    """One JSON list; its items are counted where a file of lines has lines."""
    try:
        items = parse_json(text)
    except ValueError as error:
        reason = str(error)[:100]
        raise UnreadableTable(f"it begins as a JSON list and cannot be read ({reason}); correct it") from None
    assert isinstance(items, list), "the text begins with a bracket"
    for number, item in enumerate(items, 1):
        yield number, _object(item, number, needed)


def _json_rows(text: str, needed: Sequence[str]) -> Rows:
    for number, line in enumerate(text.split("\n"), 1):  # a string may hold what else counts as an end of line
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            reason = str(error)[:100]
            raise UnreadableTable(f"line {number} is no JSON ({reason}); put one object on each line") from None
        yield number, _object(row, number, needed)


def _object(item: object, number: int, needed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        wanted = ", ".join(f'"{name}": …' for name in needed)
        raise UnreadableTable(f"line {number} is no JSON object; write {{{wanted}}}")
    try:
        "".join(map(text_of, item))
    except UnreadableTable:
        raise UnreadableTable(f"a name in line {number} holds half a surrogate pair; type it again") from None
    return item


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def text_of(value: object) -> str:
    """A cell as text: JSON's other values as JSON; "" for none. Raises UnreadableTable for half a surrogate pair."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnreadableTable("holds half a surrogate pair; type it again")
    return text
