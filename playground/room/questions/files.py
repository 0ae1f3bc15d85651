"""What a room answered as CSV: every answer a line, and votes in the form that ``votes fit`` reads.

Visitors are numbered in the order in which they first answered: their ids name a browser, and leave the server in no file.
Nicknames are written only where whoever calls hands them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from playground.downloads import csv_text, harmless
from playground.room.questions.better import answer_name, votes_of
from playground.room.questions.guess import scores_of
from playground.room.questions.types import (
    KINDS,
    Answer,
    Better,
    Guess,
    Guessed,
    Moved,
    Question,
    Round,
    ScoredToken,
    Temperature,
    Voted,
)

Names = Mapping[str, str]
COLUMNS = (
    *("series", "round", "kind", "asked", "prompt", "voter", "answered"),
    *("guess", "token", "token_id", "logprob", "rank", "real_next"),
    *("first", "second", "winner", "shown_left", "temperature"),
)


def voter_numbers(rounds: Iterable[Round]) -> dict[str, int]:
    """Each visitor's number, from 1."""
    visitors = dict.fromkeys(answer.visitor for one in rounds for answer in one.answers)
    return {visitor: place for place, visitor in enumerate(visitors, 1)}


def answers_csv(rounds: Sequence[Round], names: Names | None = None) -> str:
    """Every answer to ``rounds``, one a line. ``names``: nicknames by visitor, where they are asked for."""
    numbers, series = voter_numbers(rounds), dict[str, int]()
    rows = []
    for one in rounds:
        number = series.setdefault(one.question.series, len(series) + 1)
        scores = {answer.visitor: token for answer, token in scores_of(one)}
        for answer in one.answers:
            row = [number, *_asked(one.question), numbers[answer.visitor], time_text(answer.at)]
            row += _given(one.question, answer, scores.get(answer.visitor))
            rows.append([*row, *([] if names is None else [harmless(names.get(answer.visitor, ""))])])
    return csv_text((*COLUMNS, *(() if names is None else ("nickname",))), rows)


def votes_csv(rounds: Sequence[Round], names: Names | None = None) -> str:
    """Votes on answers: ``left``, ``right``, ``winner``, ``voter``, ``group`` as ``votes fit`` reads them, and the texts.

    ``left`` is what the voter saw there. Both bad is written as such.
    """
    numbers = voter_numbers(rounds)
    rows = []
    for vote in votes_of(rounds):
        voter = str(numbers[vote.voter]) if names is None else names.get(vote.voter) or str(numbers[vote.voter])
        winner = {"left": vote.left, "right": vote.right}.get(vote.outcome, vote.outcome)
        texts = (vote.prompt, vote.left_text, vote.right_text)
        rows.append([vote.left, vote.right, winner, harmless(voter), vote.group, *map(harmless, texts)])
    return csv_text(("left", "right", "winner", "voter", "group", "prompt", "left_text", "right_text"), rows)


def time_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def prompt_of(question: Question) -> str:
    """What was asked, in one text."""
    about = question.about
    return about.purpose if isinstance(about, Temperature) else about.prompt


def counted(number: int, word: str) -> str:
    """
    >>> counted(1, "round"), counted(3, "answer")
    ('1 round', '3 answers')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _asked(question: Question) -> list[object]:
    return [question.round, KINDS[question.kind], time_text(question.asked), harmless(prompt_of(question))]


def _given(question: Question, answer: Answer, token: ScoredToken | None) -> list[object]:
    """The cells from "guess" to the last; empty where they are another kind's."""
    about, given = question.about, answer.given
    cells: dict[str, object] = {}
    if isinstance(given, Guessed) and isinstance(about, Guess):
        cells = {"guess": harmless(given.text), "real_next": harmless(about.real_next)}
        if token is not None:
            shown = {"token": harmless(token.text), "token_id": token.id}
            cells |= shown | {"logprob": f"{token.logprob:.6f}", "rank": token.rank + 1}
    elif isinstance(given, Voted) and isinstance(about, Better):
        pair = dict(zip(("first", "second"), map(answer_name, about.pair), strict=True))
        cells = {**pair, "winner": pair.get(given.winner, given.winner), "shown_left": pair[given.left]}
    elif isinstance(given, Moved):
        cells = {"temperature": f"{given.temperature:g}"}
    return [cells.get(column, "") for column in COLUMNS[COLUMNS.index("guess") :]]
