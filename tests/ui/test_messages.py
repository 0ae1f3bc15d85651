"""Hostile text in markdown: what the reader sees is what was written, and nothing acts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from playground.ui.kit.messages import escape_markdown

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
