"""FineWeb's rules (Penedo et al. 2024) and RefinedWeb's rule of lines (Penedo et al. 2023, appendix G.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.corpus.gopher import repeated
from playground.corpus.words import ends_sentences

SHORT_LINE = 30
_NAN = float("nan")
_COUNTER = re.compile(
    r"[\d.,]+\s?[kKmM]?\s+(?:likes?|shares?|comments?|retweets?|reposts?|quotes?|bookmarks?|upvotes?|downvotes?|downloads?"
    r"|views?|followers?)",
    re.IGNORECASE,
)
_BUTTON = re.compile(r"^\s*sign[- ]in\b|read more(?:\.{3}|…)?\s*$|items in cart", re.IGNORECASE)
_BUTTON_WORDS = 10  # a longer line is none
_MAINLY = 0.5  # of a line's letters are capitals


def fineweb_values(text: str, words: Sequence[str]) -> dict[str, float]:
    """Over the lines that are not blank. A text without any fails by its punctuation, as datatrove's "empty" does."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return {"fineweb-punctuation": 0.0} | dict.fromkeys(
            ("fineweb-short-lines", "fineweb-repeated-characters", "fineweb-line-ends"), _NAN
        )
    return {
        "fineweb-punctuation": sum(ends_sentences(line[-1]) for line in lines) / len(lines),
        "fineweb-short-lines": sum(len(line) <= SHORT_LINE for line in lines) / len(lines),
        "fineweb-repeated-characters": repeated(lines)[1] / (len(text) - text.count("\n")),
        "fineweb-line-ends": text.count("\n") / len(words) if words else _NAN,
    }


def button_line(line: str) -> str:
    """Why RefinedWeb takes a line for a button or a counter: one word, or "" where it does not."""
    words = line.split()
    if not words:
        return ""
    letters = [character for character in line if character.isalpha()]
    if letters and sum(map(str.isupper, letters)) > _MAINLY * len(letters):
        return "capitals"
    if len(words) == 1:
        return "one word"
    if not letters and any(map(str.isdigit, line)):
        return "numbers"
    if _COUNTER.fullmatch(line.strip()):
        return "counter"
    if len(words) <= _BUTTON_WORDS and _BUTTON.search(line):
        return "button"
    return ""


def refinedweb_values(text: str) -> dict[str, float]:
    """The share of the text's words that stand in such lines."""
    flagged = total = 0
    for line in text.split("\n"):
        count = len(line.split())
        total += count
        flagged += count if count and button_line(line) else 0
    return {"refinedweb-lines": flagged / total if total else _NAN}
