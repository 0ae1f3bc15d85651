"""Which answer is better?: which two are compared in which round, on which sides a voter sees them, and the votes.

A vote is stored by the pair's own order, so it can be read without knowing who saw what where; the side is stored too, so
that a leaning to the left can be counted. Knows no page and no fit of strengths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from playground.errors import BadInput
from playground.room.questions.types import Better, Round, Voted, Winner

Side = Literal["left", "right", "tie", "bad"]
First = Literal["first", "second"]


def pairs(answers: int) -> tuple[tuple[int, int], ...]:
    """All pairs, neighbours first: after ``answers - 1`` rounds every answer is linked to every other.

    >>> pairs(3)
    ((0, 1), (1, 2), (0, 2))
    """
    return tuple(sorted(combinations(range(answers), 2), key=lambda pair: (pair[1] - pair[0], pair[0])))


def left_of(visitor: str, question: str) -> First:
    """Which of the pair this visitor sees on the left: a coin that always falls the same way for these two."""
    coin = hashlib.sha256(f"{question}:{visitor}".encode()).digest()[0] & 1
    return "second" if coin else "first"


def vote_for(side: Side, left: First) -> Voted:
    """A press on what stands on a side as a vote by the pair's own order. Raises BadInput for another word."""
    right: First = "second" if left == "first" else "first"
    winners: dict[str, Winner] = {"left": left, "right": right, "tie": "tie", "bad": "bad"}
    if side not in winners:
        raise BadInput("A vote is for one of the two answers, a tie, or both bad.", "vote")
    return Voted(winners[side], left)


def answer_name(place: int) -> str:
    """How an answer of a series is called."""
    return f"Answer {place + 1}"


@dataclass(frozen=True, slots=True)
class TextVote:
    """What a reward model can be trained on. ``left``, ``right``: names within the series, as the voter saw them.

    ``outcome``: "left", "right", "tie" or "both_bad". ``group``: votes on the same texts, to be held out together.
    """

    prompt: str
    left: str
    right: str
    left_text: str
    right_text: str
    outcome: Literal["left", "right", "tie", "both_bad"]
    voter: str
    group: str


def votes_of(rounds: Iterable[Round]) -> tuple[TextVote, ...]:
    """All votes of a series' rounds, in their order."""
    votes = []
    for one in rounds:
        about = one.question.about
        for answer in one.answers:
            given = answer.given
            if not isinstance(about, Better) or not isinstance(given, Voted):
                continue
            left, right = about.pair if given.left == "first" else about.pair[::-1]
            votes.append(
                TextVote(
                    prompt=about.prompt,
                    left=answer_name(left),
                    right=answer_name(right),
                    left_text=about.answers[left],
                    right_text=about.answers[right],
                    outcome=_outcome(given),
                    voter=answer.visitor,
                    group=one.question.series,
                )
            )
    return tuple(votes)


def _outcome(given: Voted) -> Literal["left", "right", "tie", "both_bad"]:
    if given.winner == "tie":
        return "tie"
    if given.winner == "bad":
        return "both_bad"
    return "left" if given.winner == given.left else "right"
