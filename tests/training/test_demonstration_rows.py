"""What an editor did to demonstrations, and which of them can be taught."""

from __future__ import annotations

from dataclasses import replace

from playground.training.demonstration_rows import EMPTY, apply_edits, taught_rows
from playground.training.demonstrations import Demonstration

BASE = (Demonstration("a", "A"), Demonstration("b", "B", earlier=("x", "y")), Demonstration("c", "C"))


def test_edits_are_applied_by_place_and_what_the_table_does_not_show_stays() -> None:
    edits = {
        "edited_rows": {1: {"response": "B2"}},
        "deleted_rows": [0],
        "added_rows": [{"prompt": "d", "response": "D", "other": 3}],
    }
    assert apply_edits(BASE, edits) == (replace(BASE[1], response="B2"), BASE[2], Demonstration("d", "D"))


def test_a_strangers_edits_are_made_harmless() -> None:
    edits = {"edited_rows": {0: {"prompt": None, "response": "\ud800"}}, "added_rows": [{"prompt": ["list"]}]}
    assert apply_edits(BASE[:1], edits) == (Demonstration("", "?"), EMPTY)


def test_rows_that_cannot_be_taught_are_named_and_empty_ones_are_not() -> None:
    rows = [*BASE, EMPTY, Demonstration("no answer", ""), *[Demonstration("", "no prompt")] * 7]
    usable, problems = taught_rows(rows)
    assert usable == BASE
    assert problems[0].startswith("Row 5 is left out: ") and "empty response" in problems[0]
    assert len(problems) == 6 and problems[-1] == "3 more rows are left out for the like."
