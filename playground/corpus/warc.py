"""The pages of a WARC or WET file (ISO 28500), one at a time: text of conversions, visible text of fetched HTML.

Hand-written because a record of any stated length must be read within bounds: the rest of a long one is skipped, not held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground.corpus.html_text import html_text

MOST_PAGE = 4_000_000  # bytes of a record that are read
_LONGEST_HEADER = 8192
_CHARSET = re.compile(rb"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_SKIP = 1 << 18

Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """``cut``: its record was longer than is read."""

    id: str
    address: str
    text: str
    cut: bool


def warc_pages(read: Read, readline: Read, note: Callable[[str], None]) -> Iterator[Page]:
    """Pages as they come; ``note`` is told in a sentence what was left out."""
    while True:
        line = readline(_LONGEST_HEADER)
        while line and not line.strip():
            line = readline(_LONGEST_HEADER)
        if not line:
            return
        header = _header(readline) if line.startswith(b"WARC/") else None
        if header is None or not header.get("content-length", "").isdigit():
            note("The WARC file is damaged or cut short: what stands before the damage is used.")
            return
        length = int(header["content-length"])
        body, whole = _body(read, length)
        if not whole:
            note("The WARC file is cut short: its last record is left out.")
            return
        text = _text(header, body)
        if text is not None:
            yield Page(header.get("warc-record-id", ""), header.get("warc-target-uri", ""), text, length > MOST_PAGE)


def _header(readline: Read) -> dict[str, str] | None:
    """Its fields by lower-case name; None where it does not end."""
    headers = dict[str, str]()
    for _ in range(200):
        line = readline(_LONGEST_HEADER)
        if not line:
            return None
        if not line.strip():
            return headers
        name, _, value = line.decode("utf-8", "replace").partition(":")
        headers[name.strip().lower()] = value.strip()
    return None


def _body(read: Read, length: int) -> tuple[bytes, bool]:
    """The first ``MOST_PAGE`` bytes of a record, and whether all its bytes were there."""
    parts, left, kept = list[bytes](), length, 0
    while left:
        part = read(min(left, _SKIP))
        if not part:
            return b"", False
        left -= len(part)
        if kept < MOST_PAGE:
            parts.append(part)
            kept += len(part)
    return b"".join(parts), True


def _text(header: dict[str, str], body: bytes) -> str | None:
    """The page's text; None of a record that is no page."""
    kind = header.get("warc-type")
    if kind == "conversion":
        return body.decode("utf-8", "replace")
    if kind != "response":
        return None
    http, _, page = body.partition(b"\r\n\r\n")
    if not http.startswith(b"HTTP/") or b"html" not in http.lower():
        return None
    named = _CHARSET.search(http) or _CHARSET.search(page[:2048])
    try:
        return html_text(page.decode(named[1].decode() if named else "utf-8", "replace"))
    except LookupError:  # no such encoding
        return html_text(page.decode("utf-8", "replace"))
