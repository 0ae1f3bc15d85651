"""The rules that documents are filtered by: a visible table. One row: what is measured, when it fails, who says so.

What is measured stands in ``measuring.py`` and the modules that it asks. A value that a document does not have is NaN, and
a NaN fails no rule. Pure data; knows no document.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from playground.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rule:
    """One dial. A document fails where its value is ``below`` or ``above`` the threshold.

    ``low``, ``high`` and ``step`` bound the slider, not what may be typed. ``unit``: "share", "count", "bands",
    "letters", "probability" or "perplexity". ``reason``: what datatrove calls it, "" where it has no such rule.
    """

    name: str
    label: str
    fails: Literal["below", "above"]
    threshold: float
    low: float
    high: float
    step: float
    unit: str
    explain: str
    source: str
    reason: str = ""

    def says(self, value: float) -> str:
        """What a value is, with the threshold: "0.42, at most 0.30"."""
        bound = "at least" if self.fails == "below" else "at most"
        return f"{number(value)}, {bound} {number(self.threshold)}"


def number(value: float) -> str:
    """Short, for a table: a count without decimals, a share with three."""
    return "none" if value != value else f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that belong together. ``on``: whether the page begins with them."""

    label: str
    about: str
    on: bool
    rules: tuple[Rule, ...]


def _read() -> dict[str, list[Rule]]:
    """The rows of ``data/rules.csv`` by group."""
    by_group: dict[str, list[Rule]] = {}
    table = files("playground.corpus").joinpath("data", "rules.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(io.StringIO(table)):
        threshold, low, high, step = (float(row[column]) for column in ("threshold", "low", "high", "step"))
        fails: Literal["below", "above"] = "below" if row["fails"] == "below" else "above"
        words = (row[column] for column in ("unit", "explain", "source", "reason"))
        rule = Rule(row["name"], row["label"], fails, threshold, low, high, step, *words)
        by_group.setdefault(row["group"], []).append(rule)
    return by_group


_ABOUT = {
    "c4": (
        "C4",
        True,
        "Lines without a full stop, of fewer than 3 words, with a word over 1,000 characters, javascript or a policy are "
        "dropped first; what is left is judged.",
    ),
    "gopher-quality": ("Gopher quality", True, "What prose looks like in numbers."),
    "gopher-repetition": ("Gopher repetition", True, "How much of a document it says again."),
    "fineweb": ("FineWeb", True, "What was left of lists and menus after the others."),
    "refinedweb": ("RefinedWeb", False, "What is left of buttons and counters."),
    "language": ("Language", True, "How sure py3langid is that the document is in the wanted language."),
    "duplicates": ("Duplicates", True, "Of each group of alike documents the first stays."),
    "perplexity": ("Perplexity", False, "How surprising the loaded model finds it."),
    "personal": (
        "Personal data",
        False,
        "Addresses and numbers of people. They are counted, then masked; the text is not kept.",
    ),
    "words": ("Blocked words", False, "Whole words of a list; C4 drops every page with one."),
    "popularity": ("Popularity", False, "GPT-2's rule: pages that Reddit linked to with at least 3 votes."),
}
_rows = _read()
GROUPS: dict[str, Group] = {
    name: Group(label, about, on, tuple(_rows[name])) for name, (label, on, about) in _ABOUT.items()
}
RULES: dict[str, Rule] = {rule.name: rule for group in GROUPS.values() for rule in group.rules}
COLUMN: dict[str, int] = {name: column for column, name in enumerate(RULES)}
GROUP_OF: dict[str, str] = {rule.name: name for name, group in GROUPS.items() for rule in group.rules}
USUAL = ("c4", "gopher-quality", "gopher-repetition", "fineweb", "language", "duplicates")


def rules_of(groups: Iterable[str]) -> tuple[str, ...]:
    """The names of their rules. Raises BadInput for a group that is none."""
    names = list[str]()
    for group in groups:
        if group not in GROUPS:
            raise BadInput(f"There is no group of rules {group[:40]!r}; there are {', '.join(GROUPS)}.", "rules")
        names += [rule.name for rule in GROUPS[group].rules]
    return tuple(dict.fromkeys(names))


def read_rule(given: str) -> dict[str, float]:
    """Thresholds out of ``NAME``, ``GROUP`` or ``NAME:THRESHOLD``. Raises BadInput.

    >>> read_rule("gopher-words:100"), read_rule("language")
    ({'gopher-words': 100.0}, {'language': 0.65})
    """
    name, colon, typed = given.partition(":")
    if name in GROUPS and name not in RULES and not colon:
        return {rule: RULES[rule].threshold for rule in rules_of([name])}
    if name not in RULES:
        groups = f"; {name!r} is a group, whose thresholds are set rule by rule" if name in GROUPS else ""
        raise BadInput(f"There is no rule {name[:40]!r}{groups}. Rules: {', '.join(RULES)}.", "rule")
    if not colon:
        return {name: RULES[name].threshold}
    try:
        threshold = float(typed)
    except ValueError:
        threshold = float("nan")
    if not abs(threshold) < float("inf"):
        raise BadInput(f"The threshold of {name} is no number: {typed[:40]!r}.", "rule")
    return {name: threshold}
