"""What is taken away holds what was scored, and what the model wrote stays text."""

from __future__ import annotations

import csv
import io
import json
import math
from html.parser import HTMLParser

import pytest

from playground.testtime.export import to_csv, to_html, to_jsonl
from playground.testtime.rules import MAJORITY, choose, column_rule
from playground.testtime.types import Score, ScoreColumn, ScoredCandidates, ScorerSpec
from tests.testtime.making import candidate, column

HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "<script>alert(1)</script>",
    'a\nb,"c"',
    "\ud800",
)


def table() -> ScoredCandidates:
    candidates = tuple(candidate(place, text) for place, text in enumerate(HOSTILE))
    values = [float(place) for place in range(len(HOSTILE) - 2)] + [None, math.inf]
    verdict = ScoreColumn(ScorerSpec("regex", "=x"), tuple(Score(1.0, True, "<b>") for _ in candidates))
    return ScoredCandidates(candidates, (column("avg-logprob", values), verdict), tuple(HOSTILE))


def test_a_spreadsheet_runs_nothing() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(table()), newline="")))
    assert len(rows) == len(HOSTILE) + 1 and len({len(row) for row in rows}) == 1
    numbers = {"sum_logprob", "avg_logprob"}
    for row in rows:
        for name, cell in zip(rows[0], row, strict=True):
            assert name in numbers or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)
    by_name = dict(zip(rows[0], rows[1], strict=True))
    assert by_name["text"] == "'" + HOSTILE[0] and by_name["avg-logprob"] == "0.0" and by_name["valid"] == "True"


def test_json_lines_are_strict_and_whole() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    rows = [json.loads(line, parse_constant=refuse) for line in to_jsonl(table()).splitlines()]
    assert [row["text"] for row in rows] == [*HOSTILE[:-1], "?"]
    assert [row["scores"]["avg-logprob"] for row in rows[-3:]] == [6.0, None, None]
    assert rows[0]["valid"] is True and rows[0]["sum_logprob"] == pytest.approx(-3.0)
    assert set(rows[0]) >= {"index", "ids", "finish_reason", "n_tokens", "avg_logprob", "answer", "setting", "seed"}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        attributes = dict(attrs)
        assert not any(name.startswith("on") or name in ("src", "href") for name in attributes)
        self.policy = attributes.get("content") or self.policy if attributes.get("http-equiv") else self.policy


def test_the_page_runs_nothing_and_shows_everything() -> None:
    scored = table()
    choices = [choose(column_rule("avg-logprob"), scored), choose(MAJORITY, scored)]
    page = to_html(scored, choices, title="<i>Run</i>", prompt="<script>alert(2)</script>")
    reader = Page()
    reader.feed(page)
    assert not {"script", "i", "b" * 2, "a", "img"} & set(reader.tags)
    assert "default-src 'none'" in reader.policy
    assert "&lt;script&gt;alert(1)" in page and "alert(2)&lt;/script&gt;" in page
    assert "It prefers the bland" in page, "when a rule fails is told where its choice is"
    page.encode("utf-8")
