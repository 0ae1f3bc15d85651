"""Reading what a person uploads: bytes to text, and JSON or a heading in which nothing is dropped silently.

Knows no format of ours; whoever reads a file turns these failures into its own sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from playground.json_reading import read_json


class RepeatedKey(ValueError):
    """A JSON object names one key twice: a reader would keep the last and drop the others."""


def decode(data: bytes) -> tuple[str, bool]:
    """The text without its byte order mark, and whether its encoding is known.

    UTF-8, or UTF-16 with its mark; anything else is read as Windows-1252, which is a guess.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding), True
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), False


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For ``json.loads(object_pairs_hook=)``. Raises RepeatedKey."""
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _value in pairs]
        raise RepeatedKey(f"it has the key {repeated(keys)!r} twice")
    return unique


def parse_json(text: str) -> object:
    """The JSON value, strictly. Raises ValueError for no JSON, NaN, a depth beyond reading, or a repeated key."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    return read_json(text.removeprefix("\ufeff"), parse_constant=refuse, object_pairs_hook=unique_object)


def repeated(names: Iterable[str]) -> str | None:
    """The first name that is there twice, short; empty names do not count."""
    before: set[str] = set()
    for name in names:
        if name and name in before:
            return name[:40]
        before.add(name)
    return None
