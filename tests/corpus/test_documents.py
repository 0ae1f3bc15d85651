"""Files of strangers: every format, and every way in which one can be broken."""

from __future__ import annotations

import gzip
import io
import json
import re
import tomllib
import tracemalloc
from pathlib import Path

import pytest

from playground.corpus.documents import LONGEST, MOST_BYTES, Document, Documents
from playground.corpus.language_id import Identified, identify
from playground.corpus.measuring import measure
from playground.corpus.near_duplicates import BANDS, Duplicates
from playground.corpus.rules import COLUMN
from playground.engine.pieces import finish
from playground.errors import BadInput
from tests.corpus.reading import read


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_every_format_gives_the_same_texts() -> None:
    texts = ["One text, with a comma.", "Zwei Zeilen,\nmit ü."]
    table = 'id,text\na,"One text, with a comma."\nb,"Zwei Zeilen,\nmit ü."\n'.encode()
    rows = lines(*({"id": name, "text": text, "domain": "x"} for name, text in zip("ab", texts, strict=True)))
    wet = b"".join(
        b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <%s>\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
        % (name.encode(), len(text.encode()), text.encode())
        for name, text in zip("ab", texts, strict=True)
    )
    for data, name in ((table, "t.csv"), (rows, "t.jsonl"), (wet, "t.wet"), ("\n---\n".join(texts).encode(), "")):
        recoded = ["\ufeff".encode(each) + data.decode().encode(each) for each in ("utf-16-le", "utf-16-be")]
        if b"Content-Length" in data:  # which counts bytes
            recoded = []
        for packed in (data, gzip.compress(data), *recoded):
            documents, notes = read(packed, name, parted=True)
            assert [document.text for document in documents] == texts and not notes
    assert read(rows)[0][1] == Document("b", texts[1], {"domain": "x"})


def test_a_fetched_page_gives_its_visible_text() -> None:
    page = (
        b"<html><head><title>x</title><script>alert('<p>')</script></head><body onload=evil()><p>Caf\xe9 &lt;b&gt;</p>"
    )
    page += b"<style>p{}</style>"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n" + page
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: %d\r\n\r\n" % len(
        http
    )
    request = b"WARC/1.0\r\nWARC-Type: request\r\nContent-Length: 3\r\n\r\nGET\r\n\r\n"
    (document,), notes = read(request + head + http + b"\r\n\r\n")
    assert document.text == "Café <b>" and document.tags == {"source": "http://a.example/"} and not notes


def test_votes_and_tags() -> None:
    documents, _ = read(
        lines({"text": "a", "upvotes": 3, "language": "en"}, {"text": "b", "votes": "many", "label": ""})
    )
    assert documents == [Document(1, "a", {"language": "en"}, 3.0), Document(2, "b")]


@pytest.mark.parametrize(
    ("data", "name", "text", "note"),
    [
        (b"\xef\xbb\xbfWith a mark.", "", "With a mark.", None),
        ("UTF-16 ä".encode("utf-16"), "", "UTF-16 ä", None),
        (b"caf\xe9\nna\xc3\xafve", "", "café\nnaïve", "Windows-1252"),
        (b"zero\0byte", "", "zerobyte", "Zero bytes"),
        (b'{"text": "half \\ud83d pair"}', "", "half � pair", "Half characters"),
        (b'{"text": "ok"}\n{"text": ""}', "", "ok", "Empty documents"),
        (gzip.compress(b"x y z. " * 5000, mtime=0)[:-9], "", None, "cut short"),
        (
            b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 2\r\n\r\nok\r\n\r\nWARC/1.0\r\nContent-Length: 99\r\n\r\nno",
            "",
            "ok",
            "cut short",
        ),
        (
            b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 2\r\n\r\nok\r\n\r\nWARC/1.0\r\nContent-Le",
            "",
            "ok",
            "cut short",
        ),
    ],
)
def test_what_is_mended_is_told(data: bytes, name: str, text: str | None, note: str | None) -> None:
    documents, notes = read(data, name)
    assert text is None or [document.text for document in documents] == [text]
    assert len(notes) == (note is not None) and (note is None or note in notes[0])


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "", "no text"),
        (b" \n ", "", "no text"),
        (b"%PDF-1.4", "", "no text: give"),
        (b"PK\x03\x04", "", "no text: give"),
        (b"\0\1\2" * 99, "", "no text: give"),
        (b'[{"text": "a"}]', "a.json", "one JSON list"),
        (b'{"text": "a"}\n{"text"', "", "Line 2 is no JSON"),
        (b'{"txt": "a"}', "", "Line 1 has no text"),
        (b'{"text": 5}', "", "Line 1 has no text"),
        (b"[" * 100_000, "a.jsonl", "one JSON list"),
        (b'{"a":' * 100_000, "a.jsonl", "no JSON"),
        (b"a,b\n1,2", "a.csv", "no column text"),
        (b"text\n" + b"x" * 200_000, "a.csv", "cannot be read"),
        (b'{"text": "a"}\n{"text": "b", "text": "c"}', "", "Line 2 cannot be used: it has the key 'text' twice. Keep"),
        (b'{"text": "a", "id": {"x": 1, "x": 2}}', "", "Line 1 cannot be used: it has the key 'x' twice. Keep one"),
        (b"text,id,TEXT\na,1,b", "a.csv", "two columns text: keep one"),
        (b"text,id\nHello, world,1", "a.csv", "Row 2 of the table has more cells than its heading: quote cells"),
        (b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 99\r\n\r\nhello", "", "last record is left out"),
        (b"\x1f\x8b" + b"garbage" * 9, "", "no gz file, or is damaged: pack"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(data: bytes, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        read(data, name)
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")
    for foreign in ("Expecting", "column 1", "(char", "Error", "field limit", "CRC"):
        assert foreign not in str(refused.value)


def test_what_only_looks_like_a_key_or_a_cell_is_text() -> None:
    code = 'd = {"a": 1, "a" : 2}'
    assert [document.text for document in read(lines({"text": code, "more": {"text": "b"}}))[0]] == [code]
    assert [document.text for document in read(b'text,id\n"Hello, world",1\nhi\n', "a.csv")[0]] == [
        "Hello, world",
        "hi",
    ]


def test_a_gzip_bomb_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.corpus.documents.MOST_UNPACKED", 1_000_000)
    with pytest.raises(BadInput, match="unpacks to more than"):
        read(gzip.compress(b"a" * 3_000_000))


def test_a_long_line_takes_little_memory() -> None:
    data = b"word " * 10_000_000  # one line of 50 MB
    file = io.BytesIO(data)
    tracemalloc.start()
    (document,) = Documents(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert document.cut and len(document.text) == LONGEST and peak < 60_000_000


def test_very_many_duplicates() -> None:
    duplicates = Duplicates()
    outcomes = [duplicates.add("The same again.") for _ in range(100_000)]
    assert outcomes[-1] == (99_999, BANDS, 0) and outcomes[0] == (0, 0, -1)


def test_copies_are_judged_once_and_each_has_its_own_row(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def identified(text: str) -> Identified:
        judged.append(text)
        return identify(text)

    monkeypatch.setattr("playground.corpus.measuring.identify", identified)
    texts = ["The same again.", "Another text, of jane.doe@example.org."]
    data = lines(*({"text": texts[number % 2], "votes": number} for number in range(2_000)))
    measurements = finish(measure(Documents(io.BytesIO(data))))
    assert judged == texts and len(measurements) == 2_000
    assert measurements.column("popularity").tolist() == list(range(2_000))
    assert measurements.column("duplicates-exact").tolist() == [number // 2 for number in range(2_000)]
    assert measurements.text(1_999) == "Another text, of ⟨mail address⟩." and measurements.nearest[-1] == 1
    assert (measurements.values[2:, COLUMN["gopher-words"]] == measurements.values[:-2, COLUMN["gopher-words"]]).all()


def test_what_the_page_offers_to_take_reaches_the_server() -> None:
    """Streamlit refuses what is larger than its own limit, whatever an uploader says, and so does the proxy before it."""
    root = Path(__file__).parents[2]
    streamlit = tomllib.loads((root / ".streamlit/config.toml").read_text(encoding="utf-8"))["server"]["maxUploadSize"]
    proxy = re.search(r"client_max_body_size (\d+)m", (root / "deploy/nginx/default.conf.template").read_text("utf-8"))
    assert proxy is not None
    assert MOST_BYTES <= streamlit * 2**20 < int(proxy[1]) * 2**20
