"""Reading what a person uploads: bytes to text, and JSON or a heading in which nothing is dropped silently.

Knows no format of ours; whoever reads a file turns these failures into its own sentence.
"""

from __future__ import annotations

from typing import NoReturn

from playground.json_reading import read_json, unique_object


def decode(data: bytes) -> tuple[str, bool]:
    """The text without its byte order mark, and whether its encoding is known.

    UTF-8, or UTF-16 with its mark; anything else is read as Windows-1252, which is a guess.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding), True
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), False


def parse_json(text: str) -> object:
    """The JSON value, strictly. Raises ValueError for no JSON, NaN, a depth beyond reading, or a repeated key."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    return read_json(text.removeprefix("\ufeff"), parse_constant=refuse, object_pairs_hook=unique_object)
