"""A document of headings, tables and strangers' texts, as Markdown or as one HTML file that opens offline.

The file carries a policy that forbids the browser to load or run anything; every text is escaped, whatever a model wrote.
Knows no tuning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from playground.engine.text.display import glyphs

_HEAD = (
    "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    "<meta name=viewport content='width=device-width'>"
)
_STYLE = """
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.2rem 0.9rem 0.2rem 0; vertical-align: top; unicode-bidi: isolate; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding-left: 0.8rem; border-left: 3px solid #8888; unicode-bidi: isolate; }
details { margin: 0.4rem 0; } .lead { font-size: 1.15rem; }
"""


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``lead``: what is to be read first."""

    text: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Block:
    """A text as it stands, line by line: a stranger's, or code."""

    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Parts that are shown when they are asked for."""

    title: str
    parts: Sequence[Part]


Part = Heading | Paragraph | Items | Table | Block | Fold


def to_markdown(title: str, parts: Sequence[Part]) -> str:
    """The whole document; a fold is a heading of its own."""
    lines = [f"# {_marked(title)}", ""]
    for part in parts:
        lines += [*_markdown(part), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown(part: Part) -> list[str]:
    match part:
        case Heading(text):
            return [f"## {_marked(text)}"]
        case Paragraph(text, lead):
            return [f"**{_marked(text)}**" if lead else _marked(text)]
        case Items(texts):
            return [f"- {_marked(text)}" for text in texts]
        case Table(head, rows):
            cells = [[_marked(cell) for cell in row] for row in (head, *rows)]
            drawn = ["| " + " | ".join(row) + " |" for row in cells]
            return [drawn[0], "|---" * len(head) + "|", *drawn[1:]]
        case Block(text):
            own = visible(text)
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", own)), 3)
            return [fence + "text", *own.split("\n"), fence]
        case Fold(title, inner):
            lines = [f"### {_marked(title)}"]
            for each in inner:
                lines += ["", *_markdown(each)]
            return lines


def _marked(text: str) -> str:
    """One line in which nothing is Markdown or HTML."""
    line = " ".join(visible(text).split())
    return re.sub(r"([\\`*_\[\]<>|#~$&])", r"\\\1", line)


def to_html(title: str, parts: Sequence[Part]) -> str:
    """The whole document as one file, with no script and no request."""
    body = "\n".join(_html(part) for part in parts)
    own = escape(visible(title))
    return f"{_HEAD}<title>{own}</title><style>{_STYLE}</style></head><body><h1>{own}</h1>\n{body}\n</body></html>\n"


def _html(part: Part) -> str:
    match part:
        case Heading(text):
            return f"<h2>{_text(text)}</h2>"
        case Paragraph(text, lead):
            return f"<p class=lead>{_text(text)}</p>" if lead else f"<p>{_text(text)}</p>"
        case Items(texts):
            return "<ul>" + "".join(f"<li>{_text(text)}</li>" for text in texts) + "</ul>"
        case Table(head, rows):
            first = "".join(f"<th>{_text(cell)}</th>" for cell in head)
            lines = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f"<div class=wide><table><tr>{first}</tr>{lines}</table></div>"
        case Block(text):
            return f"<pre>{_text(text)}</pre>"
        case Fold(title, inner):
            return f"<details><summary>{_text(title)}</summary>{''.join(map(_html, inner))}</details>"


def _text(text: str) -> str:
    return escape(visible(text))


def visible(text: str) -> str:
    """Line breaks stay; other control characters become signs, and half a surrogate pair a question mark."""
    plain = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return "".join(c if c in " \n" or c.isprintable() else glyphs(c) for c in plain)
