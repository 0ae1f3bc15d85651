"""The text of a web page, without what no reader sees. Standard library only: no script runs, nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SILENT = frozenset(("script", "style", "noscript", "template", "svg", "head"))
_BLOCKS = frozenset(
    (
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "tr",
        "table",
        "section",
        "article",
        "header",
        "footer",
        "nav",
        "main",
        "aside",
    )
) | {f"h{level}" for level in range(1, 7)}
_SPACES, _BREAKS = re.compile(r"[^\S\n]+"), re.compile(r" ?\n ?(?:\n ?)+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent += tag in _SILENT
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data.replace("\n", " "))


def html_text(page: str) -> str:
    """Its visible text, one line a block.

    >>> html_text("<p>One <b>word</b>.</p><script>alert(1)</script><p>Two &amp; three.")
    'One word.\\nTwo & three.'
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return _BREAKS.sub("\n", _SPACES.sub(" ", "".join(reader.parts))).strip()
