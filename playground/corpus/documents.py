"""Documents out of what a stranger gives: TXT, JSON lines, CSV, WARC or WET, each also as gz. Read as they are asked for.

However large the file, one document is in memory at a time, and of each at most ``LONGEST`` characters. What was mended or
left out on the way stands in ``notes``, one sentence a kind. Nothing of the content is judged here.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from playground.corpus.warc import warc_pages
from playground.errors import BadInput
from playground.json_reading import RepeatedKey, repeated
from playground.uploads import parse_json

MOST_BYTES = 100_000_000
MOST_UNPACKED = 400_000_000
MOST_DOCUMENTS = 200_000
LONGEST = 1_000_000  # characters of a document that are read
_LONGEST_LINE = 110_000_000  # bytes of a JSON line
_PART = 1 << 18
_KEY = re.compile(rb'"\s*:')  # the end of every key, and what looks like one within a text
_TEXT_FIELDS, _VOTE_FIELDS = ("text", "content"), ("votes", "upvotes", "score")
TAGS = ("language", "domain", "dialect", "label", "source")
PARTED = "---"  # a line of a pasted text that begins another document
FORMATS = "TXT, JSON lines, CSV, WARC or WET, each also as gz"


@dataclass(frozen=True, slots=True)
class Document:
    """``tags``: what the file says of it, of ``TAGS``. ``votes``: None where it says nothing. ``cut``: it was longer."""

    id: str | int
    text: str
    tags: Mapping[str, str] = field(default_factory=dict)
    votes: float | None = None
    cut: bool = False


class _Reading(Protocol):
    """What files and packed files have: a part of the rest at a time, so that nothing read is lost with what cannot be."""

    def read1(self, size: int, /) -> bytes: ...


class _Counted(io.RawIOBase):
    """What comes out of ``file``, refused beyond ``MOST_UNPACKED`` bytes. A gz that is cut short ends quietly, with a note."""

    def __init__(self, file: _Reading, note: Callable[[str], None]) -> None:
        self._file, self._left, self._note = file, MOST_UNPACKED, note

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as io has it
        try:
            part = self._file.read1(len(buffer))
        except EOFError:
            self._note("The gz file is cut short: what could be unpacked is used.")
            return 0
        except (OSError, zlib.error):
            raise BadInput("The file is no gz file, or is damaged: pack it with gzip again.", "file") from None
        self._left -= len(part)
        if self._left < 0:
            raise BadInput(f"The file unpacks to more than {MOST_UNPACKED // 10**6} MB: split it.", "file")
        buffer[: len(part)] = part
        return len(part)


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8."""

    def __init__(self, file: _Reading, encoding: str) -> None:
        self._file, self._decoder, self._rest = file, codecs.getincrementaldecoder(encoding)("replace"), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as io has it
        while not self._rest:
            part = self._file.read1(_PART)
            self._rest = self._decoder.decode(part, final=not part).encode()
            if not part:
                break
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


class Documents:
    """The documents of one file, once. ``notes`` is whole when the last has been read.

    ``name`` helps where the content does not say what it is. ``parted``: of a plain text a line of dashes begins another
    document. Reading raises BadInput with what is wrong and what to do.
    """

    def __init__(self, file: io.BufferedIOBase, name: str = "", *, parted: bool = False) -> None:
        self.notes: list[str] = []
        self._name, self._parted = name.lower().removesuffix(".gz"), parted
        head = file.read(2)
        file.seek(-len(head), 1)
        raw: _Reading = gzip.GzipFile(fileobj=file) if head == b"\x1f\x8b" else file
        self._stream: io.BufferedReader[Any] = io.BufferedReader(_Counted(raw, self._note), _PART)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def __iter__(self) -> Iterator[Document]:
        count = 0
        for document in self._documents():
            if not document.text.strip():
                self._note("Empty documents were left out.")
                continue
            if count == MOST_DOCUMENTS:
                self._note(f"The first {MOST_DOCUMENTS:,} documents were read and no more.")
                return
            if document.cut:
                self._note(f"Of documents longer than {LONGEST:,} characters the beginning is judged.")
            count += 1
            yield document
        if not count:
            raise BadInput(" ".join(["There is no text in it; give documents that have some.", *self.notes]), "file")

    def _documents(self) -> Iterator[Document]:
        mark = self._stream.peek(2)[:2]
        if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            self._stream.read(2)
            encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
            self._stream = io.BufferedReader(_Recoded(self._stream, encoding), _PART)
        head = self._stream.peek(4096)[:4096]
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"WARC/"):
            yield from self._pages()
        elif start.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")) or (
            head.count(0) * 4 > len(head)
        ):
            raise BadInput(f"The file is no text: give {FORMATS}.", "file")
        elif start.startswith(b"[") and self._name.endswith((".json", ".jsonl", ".ndjson")):
            raise BadInput("The file is one JSON list; put one object on each line (JSON lines).", "file")
        elif start.startswith(b"{") or self._name.endswith((".jsonl", ".ndjson")):
            yield from self._json_lines()
        elif self._name.endswith((".csv", ".tsv")):
            yield from self._table()
        else:
            yield from self._plain()

    # -- text ----------------------------------------------------------------------------------------------------------

    def _decoded(self, line: bytes) -> str:
        """A line as text: UTF-8, else as Windows wrote it, which is told. Zero bytes are left out."""
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("cp1252", errors="replace")
            self._note("Some of it is not UTF-8 and was read as Windows-1252: look whether its letters are right.")
        return self._clean(text)

    def _clean(self, text: str) -> str:
        if "\0" in text:
            self._note("Zero bytes in it were left out.")
            text = text.replace("\0", "")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._note("Half characters (lone surrogates) in it were replaced by �.")
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def _lines(self, most: int) -> Iterator[str]:
        """Lines of text; one of more than ``most`` bytes comes in parts. Without the byte order mark."""
        line = self._stream.readline(most).removeprefix(codecs.BOM_UTF8)
        while line:
            while len(line) >= most and (ahead := self._stream.peek(1)[:1]) and ahead[0] & 0xC0 == 0x80:
                line += self._stream.read(1)  # the rest of a character
            yield self._decoded(line).replace("\r\n", "\n")
            line = self._stream.readline(most)

    def _plain(self) -> Iterator[Document]:
        parts, size, number = list[str](), 0, 1
        for line in self._lines(_PART):
            if self._parted and line.strip() == PARTED:
                yield Document(number, "".join(parts)[:LONGEST].strip("\n"), cut=size > LONGEST)
                parts, size, number = [], 0, number + 1
                continue
            if size <= LONGEST:
                parts.append(line[: LONGEST + 1 - size])
            size += len(line)
        yield Document(number, "".join(parts)[:LONGEST].strip("\n"), cut=size > LONGEST)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _json_lines(self) -> Iterator[Document]:
        number = 0
        while line := self._stream.readline(_LONGEST_LINE):
            number += 1
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not line.strip():
                continue
            row = self._json_row(line, number)
            if not isinstance(row, dict):
                raise BadInput(f'Line {number} is no JSON object; write {{"text": …}} on each line.', "file")
            yield self._document(row, number)

    def _json_row(self, line: bytes, number: int) -> object:
        """orjson is quick and keeps the last of a repeated key; a line that may repeat one is read by ``parse_json``."""
        try:
            row: object = orjson.loads(line)
            if not isinstance(row, dict) or sum(1 for _ in _KEY.finditer(line)) == len(row):
                return row
        except orjson.JSONDecodeError:
            pass
        try:
            return parse_json(self._decoded(line))
        except RepeatedKey as error:
            raise BadInput(f"Line {number} cannot be used: {error}. Keep one of them.", "file") from None
        except ValueError as error:
            where = f"at character {error.colno}" if isinstance(error, json.JSONDecodeError) else f"({error})"
            raise BadInput(f"Line {number} is no JSON {where}: put one object on each line.", "file") from None

    def _table(self) -> Iterator[Document]:
        lines = self._lines(_PART)
        try:
            first = next(lines)
            delimiter = "\t" if "\t" in first else ";" if first.count(";") > first.count(",") else ","
            heading = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter))]
            if not set(_TEXT_FIELDS) & set(heading):
                raise BadInput(
                    f"The table has no column text; its columns are {' '.join(', '.join(heading).split())[:120]}.",
                    "file",
                )
            if twice := repeated(heading):
                raise BadInput(f"The table has two columns {twice}: keep one of them.", "file")
            for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 2):
                if len(cells) > len(heading):
                    raise BadInput(
                        f"Row {number} of the table has more cells than its heading: quote cells that hold a separator.",
                        "file",
                    )
                if cells:
                    yield self._document(dict(zip(heading, cells, strict=False)), number)
        except StopIteration:
            return
        except csv.Error:
            raise BadInput(
                f"The table cannot be read: a cell has more than {csv.field_size_limit():,} characters, or its quotes do not "
                "end. Give JSON lines instead.",
                "file",
            ) from None

    def _document(self, row: Mapping[str, Any], number: int) -> Document:
        given = next((row[name] for name in _TEXT_FIELDS if name in row), None)
        if not isinstance(given, str):
            raise BadInput(f'Line {number} has no text; give each document the field "text".', "file")
        text = self._clean(given[:LONGEST])
        own = row.get("id", number)
        tags = {
            name: self._clean(str(row[name]))[:60]
            for name in TAGS
            if isinstance(row.get(name), str | int) and row[name] != ""
        }
        return Document(
            own if isinstance(own, int) else self._clean(str(own))[:200],
            text,
            tags,
            _votes(next((row[name] for name in _VOTE_FIELDS if name in row), None)),
            len(given) > LONGEST,
        )

    # -- the web -------------------------------------------------------------------------------------------------------

    def _pages(self) -> Iterator[Document]:
        for number, page in enumerate(warc_pages(self._stream.read, self._stream.readline, self._note), 1):
            text = self._clean(page.text)
            tags = {"source": self._clean(page.address)[:60]} if page.address else {}
            yield Document(page.id or number, text[:LONGEST], tags, cut=len(text) > LONGEST or page.cut)


def _votes(given: object) -> float | None:
    try:
        value = float(str(given))
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
