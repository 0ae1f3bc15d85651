"""Reports: what stands in them comes back whole, and hostile texts stay texts in Markdown and in HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.tuning.decision import decide
from playground.tuning.document import Block, Paragraph, Part, Table, to_html, to_markdown
from playground.tuning.plan import read_plan
from playground.tuning.report import Report
from playground.tuning.running import write_texts

HOSTILE = "<script>alert(1)</script> ``` | **b** [x](javascript:y)\n# h\n\x1b[2J\ud800"


def report_of(**changes: Any) -> Report:
    fields: dict[str, Any] = {
        "examples": [{"prompt": "ab <b>", "reference": "<i>"}, {"prompt": "hello"}],
        "settings": {"to|day": {"temperature": 2}, "cold": {"temperature": 0.5}},
        "samples": 2,
        "max_new_tokens": 6,
        "measures": ["tokens", "distinct-2"],
    }
    plan = read_plan(fields | changes, lambda file: ())
    texts = finish(write_texts(FakeEngine(), plan))
    values = {measure.name: texts.values(measure, plan) for measure in plan.measures}
    return Report("My tuning", 0.0, origin_of(fake_info()), plan, texts, decide(plan.arms, values, plan.measures))


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of()


HEAD, BODY = ("html", "head", "meta", "title", "style", "body"), ("h1", "h2", "p", "ul", "li", "div", "pre")
TAGS = {*HEAD, *BODY, "table", "tr", "th", "td", "details", "summary"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.blocks: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "pre":
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if self.blocks:
            self.blocks[-1] += data


def test_the_decision_comes_first_and_the_plan_comes_back(report: Report) -> None:
    read = _Reader()
    read.feed(report.html())
    assert set(read.tags) <= TAGS
    plan = next(block for block in read.blocks if block.startswith("{"))
    back = read_plan(json.loads(plan[: plan.rindex("}") + 1]), lambda file: ())
    assert back.settings == report.plan.settings and back.examples == report.plan.examples
    marked = report.markdown()
    assert marked.index("Keep 'to\\|day'") < marked.index("## Settings")
    assert "tune run --plan plan.json --model=fake" in marked and "1970-01-01 00:00 UTC" in marked
    fences = re.findall(r"```text\n(\{.*?\n\})\n```", marked, re.DOTALL)
    assert read_plan(json.loads(fences[-1]), lambda file: ()).settings == report.plan.settings
    for samples in report.texts.texts["cold"]:
        assert all(sample.text in marked or not sample.text.isprintable() for sample in samples)


def test_tables_keep_their_columns_whatever_stands_in_a_cell(report: Report) -> None:
    tokens = MarkdownIt().enable("table").parse(report.markdown())
    rows = sum(token.type == "tr_open" for token in tokens)
    assert rows == (1 + 3) + (1 + 3) + (1 + 2 * 2)


def test_hostile_texts_stay_texts() -> None:
    parts: list[Part] = [Paragraph(HOSTILE, lead=True), Block(HOSTILE), Table((HOSTILE,), [(HOSTILE,)])]
    html = to_html(HOSTILE, parts)
    assert "<script" not in html and "\x1b" not in html and "\ud800" not in html
    assert "default-src 'none'" in html
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(to_markdown(HOSTILE, parts))
    assert [token.type for token in tokens if token.level == 0 and token.nesting >= 0] == [
        "heading_open",
        "paragraph_open",
        "fence",
        "table_open",
    ]
    inline = [child.type for token in tokens for child in token.children or ()]
    assert not {"html_inline", "link_open", "code_inline"} & set(inline)


def test_a_long_one_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    monkeypatch.setattr("playground.tuning.report.MOST_TEXTS", 6)
    assert report.html().count("<details>") == 2 and "Of the other 1 examples" in report.html()
