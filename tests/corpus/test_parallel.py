"""The declaration that ships, and what is made of texts that are uploaded."""

from __future__ import annotations

import json
import unicodedata

import pytest

from playground.corpus.build_parallel import read_articles
from playground.corpus.counting import digest_of
from playground.corpus.parallel import ARTICLES, FAR_WHOLE, declaration, read_parallel
from playground.errors import BadInput


def lines(*rows: dict[str, object]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def row(language: str, key: object, text: str) -> dict[str, object]:
    return {"language": language, "key": key, "text": text}


def test_the_declaration_is_whole_in_many_languages_and_scripts() -> None:
    languages = declaration().languages
    assert len(languages) >= 60 and len({each.script for each in languages.values()}) >= 20
    for each in languages.values():
        assert list(each.texts) == [str(number) for number in range(1, ARTICLES + 1)]
        assert all(text.strip() for text in each.texts.values())
        assert unicodedata.is_normalized("NFC", each.whole)
    eng, mya = languages["eng"].whole, languages["mya"].whole
    assert len(mya.encode()) / len(eng.encode()) == pytest.approx(4.23, abs=0.005)


def test_articles_are_read_from_the_packages_pages_without_their_headings() -> None:
    body = "".join(
        f'<article data-number="{number}"><h2>Heading</h2><p> a&amp;<b>b</b> {number} </p><ul><li>cafe\u0301</li></ul></article>'
        for number in range(1, 31)
    )
    articles = read_articles(f"<header><p>preamble</p></header>{body}")
    assert articles[6] == "a&b 7\ncafé" and len(articles) == 30
    with pytest.raises(ValueError, match="article 30"):
        read_articles(body.replace('data-number="30"', 'data-number="31"'))


def test_an_upload_is_held_against_its_baseline_by_the_same_keys_only() -> None:
    text = read_parallel(lines(row("eng", 1, "one"), row("eng", 2, "two"), row("xx", 2, "zwei")))
    own, base = text.aligned("xx")
    assert own.whole == "zwei" and base.whole == "two" and text.baseline == "eng"
    assert any("1 keys" in note for note in text.notes)
    assert read_parallel(lines(row("a", 1, "x"), row("b", 1, "y"))).baseline == "a"


def test_texts_that_are_not_parallel_are_told_by_their_lengths() -> None:
    rows = [row("eng", key, "some words of a text") for key in range(6)]
    rows += [row("xx", key, "einige Worte im Text" if key else "ganz " * 80) for key in range(6)]
    assert any("same text?" in note and "(0)" in note for note in read_parallel(lines(*rows)).notes)
    assert read_parallel(lines(*rows[:6], *(row("xx", key, "einige Worte im Text") for key in range(6)))).notes == ()


def test_a_language_far_longer_than_the_baseline_is_told_and_none_that_ships_is() -> None:
    longer = read_parallel(lines(row("eng", 1, "some words"), row("xx", 1, "viele Worte " * 9)))
    assert longer.notes == ("xx: its texts are 11 times as long as eng's: are they the same texts?",)
    shorter = read_parallel(lines(row("eng", 1, "some words " * 9), row("xx", 1, "wenig")))
    assert shorter.notes == ("xx: its texts are 0.051 times as long as eng's: are they the same texts?",)
    lengths = [len(each.whole) for each in declaration().languages.values()]
    assert max(lengths) / min(lengths) < FAR_WHOLE


def test_combining_marks_are_composed_and_a_mark_of_the_encoding_is_no_text() -> None:
    data = "\ufeff".encode() + lines(row("a", 1, "e\u0301"), row("b", 1, "x"))
    assert read_parallel(data).languages["a"].whole == "é"
    assert (
        read_parallel(lines(row("a", 1, "é"), row("b", 1, "x")).decode().encode("utf-16")).languages["a"].whole == "é"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "at least two languages"),
        (lines(row("a", 1, "x")), "at least two languages"),
        (b"no json", "Line 1 is not a JSON object"),
        (b"[1]", "no object"),
        (lines(row("a", 1, "x"), row("a", 1, "y")), "Line 2: a has the key '1' twice"),
        (lines(row("a", 1, " "), row("b", 1, "y")), "'text' is missing or empty"),
        (lines({"language": "", "key": 1, "text": "x"}), "'language' is missing"),
        (b'{"language": "a", "key": 1, "text": "\\ud83d"}', "half a character"),
        (b'{"language": "a", "key": 1, "text": "x"}\x00', "NUL"),
        (b'{"language": "a", "language": "b", "key": 1, "text": "x"}', "twice"),
        (b"x" * 20_000_001, "at most 20,000,000"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_what_cannot_be_compared_is_said_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=".") as refused:
        read_parallel(data)
    assert said in str(refused.value)


def test_a_language_without_a_key_in_common_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="b has no key in common with a: give both the same keys"):
        read_parallel(lines(row("a", 1, "x"), row("b", 2, "y")))
    text = read_parallel(lines(row("a", 1, "x"), row("a", 2, "x"), row("b", 1, "y"), row("c", 2, "z")))
    with pytest.raises(BadInput, match="c has no key in common with b"):
        text.with_baseline("b").aligned("c")


def test_what_identifies_a_text_is_its_file_and_its_baseline() -> None:
    data = lines(row("a", 1, "x"), row("b", 1, "y"))
    text, other = read_parallel(data), read_parallel(data + b"\n" + lines(row("a", 2, "z")))
    digests = [digest_of(each) for each in (text, text.with_baseline("b"), other, declaration())]
    assert len(set(digests)) == 4 and digest_of(read_parallel(data)) == digests[0]
