"""Hostile text in markdown: what the reader sees is what was written, and nothing acts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from playground.ui.kit.messages import escape_markdown, said

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://example.com/x.png)",
    "https://example.com/steal",
    "www.example.com",
    "mail@example.com",
    "**bold** _it_ ~~gone~~ `code`",
    "# heading",
    "1. list",
    "- item",
    "> quote",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "$x^2$ $$\\frac{1}{2}$$",
    ":red[loud] :material/delete: :smile: :violet-badge[on]",
    "&lt;b&gt; &amp; &#60;",
    "\\*not bold\\*",
    "```\ncode\n```",
    "***",
    "a\n\nb",
]


def rendered(text: str) -> str:
    """HTML by an independent CommonMark reader with HTML, tables, links and strike-through on, as the page has."""
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_one_plain_paragraph(text: str) -> None:
    html = rendered(escape_markdown(text))
    assert re.findall(r"<(\w+)", html) == ["p"], html


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_one_plain_paragraph_at_most(text: str) -> None:
    html = rendered("Token: " + escape_markdown(text) + " end")
    assert re.findall(r"<(\w+)", html) == ["p"], html


@pytest.mark.parametrize("text", HOSTILE)
def test_no_sign_that_streamlit_acts_on_stands_bare(text: str) -> None:
    """Colours, badges, icons, emoji names and LaTeX are no CommonMark: each begins with one of these signs."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[$:\[\]<>~`*_#|&]", escape_markdown(text))


@pytest.mark.parametrize("text", ["The prompt is empty.", "စာ 😀", "50 %", "it's"])
def test_ordinary_sentences_read_as_they_are(text: str) -> None:
    from html import unescape

    assert unescape(rendered(escape_markdown(text))).strip() == f"<p>{text}</p>"


HIDDEN = "a folder of the server"


@pytest.mark.parametrize(
    ("sentence", "public"),
    [
        (
            "Runs cannot be kept in /data (read-only): see.",
            f"Runs cannot be kept in {HIDDEN} (read-only): see.",
        ),
        ("'/srv/a b/model.gguf' is damaged", f"'{HIDDEN}' is damaged"),
        ("The cache ~/.cache/llm is full.", f"The cache {HIDDEN} is full."),
        ("In postgresql+psycopg://user:***@db/name (away): see", f"In {HIDDEN} (away): see"),
        ("17 tokens/s of http://box:8000/v1 and/or 1/2", "17 tokens/s of http://box:8000/v1 and/or 1/2"),
    ],
)
def test_on_a_shared_server_nothing_is_said_of_the_disk(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sentence: str, public: str
) -> None:
    assert said(sentence) == escape_markdown(sentence)
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    assert said(sentence) == escape_markdown(public)
    assert (sentence in caplog.text) == (sentence != public), "who runs the server finds it in the log"
