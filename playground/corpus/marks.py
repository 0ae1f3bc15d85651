"""Which lines of a document offend which rules: what the page marks. Only rules that look at lines have any."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from playground.corpus.c4 import dropped_line
from playground.corpus.fineweb import SHORT_LINE, button_line
from playground.corpus.words import ends_sentences


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """``reasons``: what is wrong with it, in a few words each."""

    text: str
    reasons: tuple[str, ...]


def marked_lines(text: str, rules: Collection[str]) -> list[MarkedLine]:
    """The lines of ``text`` with what makes it fail ``rules``, the names of those that it fails."""
    earlier, marked = set[str](), list[MarkedLine]()
    for line in text.split("\n"):
        bare, reasons = line.strip(), list[str]()
        if bare:
            if "c4-sentences" in rules and (why := dropped_line(bare)):
                reasons.append(f"C4 drops it: {why}")
            if "c4-curly-bracket" in rules and "{" in bare:
                reasons.append("curly bracket")
            if "c4-lorem-ipsum" in rules and "lorem ipsum" in bare.lower():
                reasons.append("lorem ipsum")
            if "gopher-bullets" in rules and bare.startswith(("•", "-")):
                reasons.append("bullet")
            if "gopher-ellipsis-lines" in rules and bare.endswith(("...", "…")):
                reasons.append("ends in …")
            if bare in earlier and any(name.startswith(("repeated", "fineweb-repeated", "top-")) for name in rules):
                reasons.append("stood there before")
            if "fineweb-punctuation" in rules and not ends_sentences(bare[-1]):
                reasons.append("no stop at its end")
            if "fineweb-short-lines" in rules and len(line) <= SHORT_LINE:
                reasons.append("short")
            if "refinedweb-lines" in rules and (why := button_line(line)):
                reasons.append(why)
            earlier.add(bare)
        marked.append(MarkedLine(line, tuple(reasons)))
    return marked
