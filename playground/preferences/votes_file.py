"""Votes out of a table that a stranger wrote: every line is checked, and what does not fit is one sentence with its line.

Columns ``left``, ``right`` and ``winner``, and where there are any ``voter``, ``group`` and ``subject``; others are left
out, and said. ``winner`` is the left's or the right's name, ``tie`` or ``both bad``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from playground.errors import BadInput
from playground.preferences.votes import Outcome, Vote
from playground.tables import UnreadableTable, read_table, text_of

MOST_VOTES = 200_000
LONGEST_NAME = 200  # characters
NEEDED = ("left", "right", "winner")
OPTIONAL = ("voter", "group", "subject")
UNDECIDED: dict[str, Outcome] = {"tie": "tie", "both bad": "both_bad", "both_bad": "both_bad", "both-bad": "both_bad"}


def read_votes(data: bytes) -> tuple[tuple[Vote, ...], tuple[str, ...]]:
    """The votes, and sentences on what was guessed or left out. Raises BadInput."""
    try:
        read, notes = read_table(data, needed=NEEDED)
        rows = list(islice(read, MOST_VOTES + 1))
    except UnreadableTable as error:
        raise _bad(str(error)) from None
    if len(rows) > MOST_VOTES:
        raise _bad(f"it has more than {MOST_VOTES:,} votes; fit a part of them")
    if not rows:
        raise _bad("it has a heading and no vote; add a line for each")
    ignored = sorted({name for _line, row in rows for name in row if name} - {*NEEDED, *OPTIONAL})
    if ignored:
        notes.append(f"Left out: {', '.join(name[:30] for name in ignored[:5])}.")
    return tuple(_vote(line, row) for line, row in rows), tuple(notes)


def _vote(line: int, row: Mapping[str, Any]) -> Vote:
    cells = {name: _name(line, name, row.get(name)) for name in (*NEEDED, *OPTIONAL)}
    left, right = cells["left"], cells["right"]
    for side in NEEDED:
        if not cells[side]:
            raise _bad(f"line {line} has no {side}; fill it in")
    for side, name in (("left", left), ("right", right)):
        if name.lower() in UNDECIDED:
            raise _bad(f"line {line}: {side} is called {name!r}, which the winner column needs for itself; rename it")
    if left == right:
        raise _bad(f"line {line} compares {left[:40]!r} with itself; name two things")
    return Vote(left, right, _outcome(line, left, right, cells["winner"]), *(cells[name] for name in OPTIONAL))


def _name(line: int, column: str, value: object) -> str:
    try:
        name = text_of(value).strip()
    except UnreadableTable as error:
        raise _bad(f"line {line}: {column} {error}") from None
    if len(name) > LONGEST_NAME:
        raise _bad(f"line {line}: {column} has more than {LONGEST_NAME} characters; shorten it")
    return name


def _outcome(line: int, left: str, right: str, winner: str) -> Outcome:
    if winner == left:
        return "left"
    if winner == right:
        return "right"
    undecided = UNDECIDED.get(winner.lower())
    if undecided is None:
        raise _bad(
            f"line {line}: the winner {winner[:40]!r} is neither {left[:40]!r} nor {right[:40]!r}, tie or both bad; "
            "write one of them"
        )
    return undecided


def _bad(what: str) -> BadInput:
    return BadInput(f"The file of votes cannot be used: {what}.", "file")
