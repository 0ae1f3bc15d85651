"""Answers and votes on them out of a stranger's file, and votes as a file: TRL's preference format, and answers alone.

Rows are JSON lines, a JSON list or CSV. Each is a decided vote (``prompt``, ``chosen``, ``rejected``: texts, or messages as TRL
has them), a vote with sides (``prompt``, ``left``, ``right``, ``winner``: left, right, tie or both bad), or an answer
(``prompt``, ``response``). ``voter``, ``group``, ``seconds`` and names may stand beside
(``name``, or ``left_name`` and ``right_name``).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from playground.errors import BadInput
from playground.preferences.ballots import (
    LONGEST_ANSWER,
    MOST_VERDICTS,
    Answer,
    Ballot,
    Side,
    Verdict,
    Winner,
    winner_and_loser,
)
from playground.preferences.votes_file import LONGEST_NAME, UNDECIDED
from playground.tables import UnreadableTable, read_table, text_of

NOBODY = "file"  # the voter where the file names none
LONGEST_VOTE_S = 3_600.0
_ROLES = [
    [*system, *user, *answer]
    for system in ([], ["system"])
    for user in ([], ["user"])
    for answer in ([], ["assistant"])
]  # in the order of a conversation of one turn
_KINDS: dict[str, tuple[str, ...]] = {
    "pair": ("chosen", "rejected"),
    "sides": ("left", "right", "winner"),
    "answer": ("response",),
}


@dataclass(frozen=True, slots=True)
class ReadBallot:
    """What a file holds. ``notes``: sentences on what was guessed, joined or left out."""

    ballot: Ballot
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


@dataclass(eq=False)
class _Reader:
    """Rows so far. ``places``: of an answer by prompt, system, text and name."""

    answers: list[Answer] = field(default_factory=list)
    places: dict[Answer, int] = field(default_factory=dict)
    verdicts: dict[tuple[str, int, int], Verdict] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def place(self, answer: Answer) -> int:
        if answer not in self.places:
            self.places[answer] = len(self.answers)
            self.answers.append(answer)
        return self.places[answer]

    def vote(self, left: Answer, right: Answer, outcome: str, row: Mapping[str, Any], line: int) -> None:
        if left.text.strip() == right.text.strip():
            self.counts["same"] += 1
            return
        one, other = self.place(left), self.place(right)
        side: Side = "first" if one < other else "second"
        winner: Winner = "tie" if outcome == "tie" else "both_bad"
        if outcome in ("left", "right"):
            winner = "first" if (outcome == "left") == (one < other) else "second"
        voter = _short(line, "voter", row) or NOBODY
        key = voter, min(one, other), max(one, other)
        self.counts["again"] += key in self.verdicts
        self.verdicts.pop(key, None)
        self.verdicts[key] = Verdict(*key, side, winner, _short(line, "group", row), _seconds(line, row))


def read_ballot(data: bytes, file_name: str = "") -> ReadBallot:
    """Raises BadInput with the line at fault."""
    reader = _Reader()
    try:
        read, notes = read_table(data, file_name)
        rows = list(islice(read, MOST_VERDICTS + 1))
    except UnreadableTable as error:
        raise _bad(str(error)) from None
    if len(rows) > MOST_VERDICTS:
        raise _bad(f"it has more than {MOST_VERDICTS:,} rows; give a part of them")
    for line, row in rows:
        _READERS[_kind(line, row)](reader, line, row)
    if not reader.answers:
        raise _bad("it has no answer; give rows with prompt and response, or with prompt, chosen and rejected")
    if count := reader.counts["same"]:
        notes.append(f"{count:,} rows compare a text with itself and were left out.")
    if count := reader.counts["again"]:
        notes.append(f"{count:,} votes are on a pair that the same voter had judged before: the last one counts.")
    return ReadBallot(Ballot(tuple(reader.answers)), tuple(reader.verdicts.values()), tuple(notes))


def _kind(line: int, row: Mapping[str, Any]) -> str:
    for kind, columns in _KINDS.items():
        if all(row.get(column) not in (None, "") for column in columns):
            return kind
    for columns in _KINDS.values():
        if all(column in row for column in columns):
            empty = next(column for column in columns if row[column] in (None, ""))
            raise _bad(f"line {line} has an empty {empty}; fill it in, or leave the line out")
    present = ", ".join(name[:20] for name in row)[:80]
    raise _bad(
        f"line {line} has neither chosen and rejected, nor left, right and winner, nor response (it has {present}); "
        "fill one of these in"
    )


def _read_pair(reader: _Reader, line: int, row: Mapping[str, Any]) -> None:
    shared, chosen = _messages(line, "chosen", row)
    shared_too, rejected = _messages(line, "rejected", row)
    system, prompt = _prompt(line, row) if "prompt" in row or not shared[1] else shared
    if "prompt" not in row and shared != shared_too:
        raise _bad(f"line {line}: chosen and rejected answer different messages; give both the same prompt")
    left = Answer(prompt, chosen, _short(line, "chosen_name", row), system)
    reader.vote(left, Answer(prompt, rejected, _short(line, "rejected_name", row), system), "left", row, line)


def _read_sides(reader: _Reader, line: int, row: Mapping[str, Any]) -> None:
    system, prompt = _prompt(line, row)
    said = _text(line, "winner", row).strip().lower()
    outcome: str = said if said in ("left", "right") else UNDECIDED.get(said, "")
    if not outcome:
        raise _bad(f"line {line}: the winner {said[:40]!r} is none of left, right, tie and both bad; write one of them")
    left, right = (
        Answer(prompt, _text(line, side, row), _short(line, f"{side}_name", row), system) for side in ("left", "right")
    )
    reader.vote(left, right, outcome, row, line)


def _read_answer(reader: _Reader, line: int, row: Mapping[str, Any]) -> None:
    system, prompt = _prompt(line, row)
    name = next((_short(line, column, row) for column in ("name", "model", "setting") if row.get(column)), "")
    reader.place(Answer(prompt, _messages(line, "response", row)[1], name, system))


_READERS = {"pair": _read_pair, "sides": _read_sides, "answer": _read_answer}


def _prompt(line: int, row: Mapping[str, Any]) -> tuple[str, str]:
    """The system prompt and the message."""
    system = _text(line, "system", row)
    if isinstance(row.get("prompt"), list):
        turns = _conversation(line, "prompt", row["prompt"])
        if not turns or turns[-1][0] != "user" or not turns[-1][1].strip():
            raise _bad(f"line {line}: prompt does not end with a user's message; write what is asked, answers apart")
        return (_only(line, turns, "system") or system), _only(line, turns, "user")
    prompt = _text(line, "prompt", row)
    if not prompt.strip():
        raise _bad(f"line {line} has no prompt; fill it in")
    return system, prompt


def _messages(line: int, column: str, row: Mapping[str, Any]) -> tuple[tuple[str, str], str]:
    """(system prompt, message) where the column has them, and the answer."""
    value = row.get(column)
    if not isinstance(value, list):
        return ("", ""), _text(line, column, row)
    turns = _conversation(line, column, value)
    if not turns or turns[-1][0] != "assistant":
        raise _bad(f"line {line}: {column} does not end with the assistant's message; put the answer last")
    return (_only(line, turns[:-1], "system"), _only(line, turns[:-1], "user")), _bounded(line, column, turns[-1][1])


def _conversation(line: int, column: str, messages: list[Any]) -> list[tuple[str, str]]:
    turns = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise _bad(
                f"line {line}: {column} has a message without a role of system, user or assistant, or without text"
            )
        turns.append((str(role), content))
    roles = [role for role, _content in turns]
    if roles not in _ROLES:
        if roles.count("user") > 1:
            raise _bad(f"line {line} is a conversation of several turns; votes here are on answers to one message")
        raise _bad(
            f"line {line}: {column} has its roles out of order ({', '.join(roles)[:80]}); write a system message or none, "
            "the user's, then the assistant's"
        )
    return turns


def _only(line: int, turns: Iterable[tuple[str, str]], role: Literal["system", "user"]) -> str:
    contents = [content for who, content in turns if who == role]
    return _bounded(line, role, contents[0]) if contents else ""


def _text(line: int, column: str, row: Mapping[str, Any]) -> str:
    try:
        return _bounded(line, column, text_of(row.get(column)))
    except UnreadableTable as error:
        raise _bad(f"line {line}: {column} {error}") from None


def _bounded(line: int, column: str, text: str) -> str:
    if len(text) > LONGEST_ANSWER:
        raise _bad(f"line {line}: {column} has more than {LONGEST_ANSWER:,} characters; shorten it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _bad(f"line {line}: {column} holds half a surrogate pair; type it again")
    return text


def _short(line: int, column: str, row: Mapping[str, Any]) -> str:
    text = _text(line, column, row).strip()
    if len(text) > LONGEST_NAME:
        raise _bad(f"line {line}: {column} has more than {LONGEST_NAME} characters; shorten it")
    return text


def _seconds(line: int, row: Mapping[str, Any]) -> float:
    given = row.get("seconds")
    if given in (None, ""):
        return 0.0
    try:
        value = float(str(given))
    except ValueError:
        value = math.nan
    if not 0 <= value <= LONGEST_VOTE_S:
        raise _bad(f"line {line}: seconds is no number from 0 to {LONGEST_VOTE_S:,.0f}; correct it")
    return value


def _bad(what: str) -> BadInput:
    return BadInput(f"The file of answers and votes cannot be used: {what}.", "file")


# -- writing ---------------------------------------------------------------------------------------------------------------


def trl_jsonl(ballot: Ballot, verdicts: Iterable[Verdict]) -> str:
    """The decided votes in TRL's conversational preference format, one a line; ``read_ballot`` reads it again."""
    lines = []
    for each in verdicts:
        pair = winner_and_loser(each)
        if pair is None:
            continue
        winner, loser = (ballot.answers[place] for place in pair)
        system = [{"role": "system", "content": winner.system}] if winner.system else []
        row: dict[str, Any] = {
            "prompt": [*system, {"role": "user", "content": winner.prompt}],
            "chosen": [{"role": "assistant", "content": winner.text}],
            "rejected": [{"role": "assistant", "content": loser.text}],
        }
        about = {"voter": each.voter, "group": each.group, "chosen_name": winner.name, "rejected_name": loser.name}
        lines.append(json.dumps(row | {name: text for name, text in about.items() if text}, ensure_ascii=False) + "\n")
    return "".join(lines)
