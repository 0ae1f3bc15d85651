"""Scored candidates taken away: CSV for a spreadsheet, JSON lines for a program, HTML for a reader.

What the model wrote is hostile: a spreadsheet must not run it as a formula and a browser not as markup. The HTML opens
offline and may load nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from playground.downloads import csv_text, harmless
from playground.engine.text.display import glyphs
from playground.testtime.registry import kind_of
from playground.testtime.rules import Choice
from playground.testtime.types import Candidate, ScoredCandidates

_STYLE = """
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0; }
.text { font-family: ui-monospace, monospace; white-space: pre-wrap; min-width: 20rem; } .wide { overflow-x: auto; }
.chosen { font-weight: 600; border-left: 4px solid; padding-left: 0.4rem; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PLAIN_COLUMNS = (
    "index",
    "text",
    "n_tokens",
    "finish_reason",
    "sum_logprob",
    "avg_logprob",
    "elapsed_ms",
    "origin",
    "setting",
    "seed",
    "random_stream",
    "beam_score",
    "valid",
    "answer",
)


def rows(scored: ScoredCandidates) -> Iterator[dict[str, Any]]:
    """One plain dict a candidate: numbers finite or None, scores under their rule's label."""
    valid = scored.valid()
    for place, candidate in enumerate(scored.candidates):
        yield {
            "index": candidate.index,
            "text": candidate.text,
            "ids": list(candidate.ids),
            "finish_reason": candidate.finish_reason,
            "n_tokens": candidate.n_tokens,
            "sum_logprob": finite(candidate.sum_logprob),
            "avg_logprob": finite(candidate.avg_logprob),
            "elapsed_ms": candidate.elapsed_ms,
            "origin": candidate.origin,
            "setting": candidate.setting,
            "seed": candidate.seed,
            "random_stream": candidate.random_stream,
            "beam_score": finite(candidate.beam_score),
            "scores": {column.label: finite(column.scores[place].value) for column in scored.columns},
            "notes": {
                column.label: column.scores[place].note for column in scored.columns if column.scores[place].note
            },
            "valid": valid[place],
            "answer": scored.answers[place] if scored.answers else None,
        }


def finite(value: float | None) -> float | None:
    """A float for JSON: None where it is missing, undefined or infinite."""
    return float(value) if value is not None and math.isfinite(value) else None


def to_jsonl(scored: ScoredCandidates) -> str:
    """One JSON object a line and candidate."""
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in map(_whole, rows(scored)))


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """Half a surrogate pair cannot be written as UTF-8."""
    return {name: _encodable(value) if isinstance(value, str) else value for name, value in row.items()}


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def to_csv(scored: ScoredCandidates) -> str:
    """One line a candidate, a column a rule. Text that a spreadsheet would run as a formula is quoted."""
    labels = [column.label for column in scored.columns]
    lines = []
    for row in map(_whole, rows(scored)):
        cells = [row[name] for name in PLAIN_COLUMNS] + [row["scores"][label] for label in labels]
        lines.append([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return csv_text([*PLAIN_COLUMNS, *map(harmless, labels)], lines)


def to_html(scored: ScoredCandidates, choices: Sequence[Choice] = (), *, title: str, prompt: str) -> str:
    """A page with every rule's choice and the table of candidates. No script, no request, every text escaped."""
    parts = [
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>",
        f'<meta http-equiv=Content-Security-Policy content="{_POLICY}"><meta name=viewport content="width=device-width">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>Asked: <span class=text>{escape(_visible(prompt))}</span></p>",
        "<p>A larger score is the better one under its rule. A log-probability says how expected a text is, not whether "
        "it is true.</p>",
        _choices_html(scored, choices),
        _table_html(scored, {choice.winner for choice in choices}),
        "<h2>The rules</h2><ul>",
        *(_rule_html(scored, place) for place in range(len(scored.columns))),
        "</ul></body></html>\n",
    ]
    return "\n".join(parts)


def _choices_html(scored: ScoredCandidates, choices: Sequence[Choice]) -> str:
    if not choices:
        return ""
    texts = {candidate.index: candidate.text for candidate in scored.candidates}
    lines = []
    for choice in choices:
        said = choice.note if choice.winner is None else f"candidate {choice.winner}: {_visible(texts[choice.winner])}"
        tied = " (tied; the first of equals)" if choice.tied else ""
        lines.append(f"<tr><td>{escape(choice.rule.name + tied)}</td><td class=text>{escape(said)}</td></tr>")
    return f"<h2>Who wins</h2><table><tr><th>rule</th><th>chosen</th></tr>{''.join(lines)}</table>"


def _table_html(scored: ScoredCandidates, chosen: set[int | None]) -> str:
    labels = [column.label for column in scored.columns]
    head = (
        "candidate",
        "text",
        "tokens",
        "ended by",
        "sum ln p",
        "mean ln p",
        "ms",
        "setting",
        "valid",
        "answer",
        *labels,
    )
    valid = scored.valid()
    lines = []
    for place, candidate in enumerate(scored.candidates):
        answer = scored.answers[place] if scored.answers else None
        cells = [*_figures(candidate), _verdict(valid[place]), _visible(answer or "")]
        cells += [_number(column.scores[place].value) for column in scored.columns]
        kind = "text chosen" if candidate.index in chosen else "text"
        text = f'<td class="{kind}">{escape(_visible(candidate.text))}</td>'
        rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr><td>{candidate.index}</td>{text}{rest}</tr>")
    heading = "".join(f"<th>{escape(label)}</th>" for label in head)
    return f"<h2>Candidates</h2><div class=wide><table><tr>{heading}</tr>{''.join(lines)}</table></div>"


def _figures(candidate: Candidate) -> list[str]:
    setting = candidate.setting or candidate.origin
    numbers = [f"{candidate.n_tokens}", candidate.finish_reason, _number(candidate.sum_logprob)]
    return [*numbers, _number(candidate.avg_logprob), f"{candidate.elapsed_ms:.0f}", setting]


def _rule_html(scored: ScoredCandidates, place: int) -> str:
    column = scored.columns[place]
    kind = kind_of(column.spec)
    said = f"{kind.label}: {kind.formula} ({kind.source}). {kind.purpose} {kind.fails} {column.problem}"
    return f"<li><b>{escape(column.label)}</b> {escape(said.strip())}</li>"


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.3f}"


def _verdict(valid: bool | None) -> str:
    return {True: "valid", False: "not valid", None: ""}[valid]


def _visible(text: str) -> str:
    """Line breaks stay; other control characters become signs, and half a surrogate pair U+FFFD."""
    lines = _encodable(text).split("\n")
    return "\n".join("".join(c if c == " " or c.isprintable() else glyphs(c) for c in line) for line in lines)
