"""Answers that are voted on, what was said of them, and what both are for a fit: votes on answers, on who wrote them, and pairs
of texts that a reward model or DPO learns from.

A ballot's answers never change; votes name them by their place. Only answers to the same prompt are compared. Knows no
page, no store and no model.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from playground.errors import BadInput
from playground.preferences.votes import Outcome, Vote

Winner = Literal["first", "second", "tie", "both_bad"]
Side = Literal["first", "second"]
MOST_ANSWERS = 4_000
MOST_VERDICTS = 20_000
LONGEST_ANSWER = 20_000  # characters
LOWEST_SCORE, HIGHEST_SCORE = 1, 7  # as InstructGPT's labelers gave them
MOST_RANKED = 7
_LETTERS = "ABCDEFG"


@dataclass(frozen=True, slots=True)
class Answer:
    """A text to a prompt. ``name``: who wrote it (a setting, a model), "" where nobody says."""

    prompt: str
    text: str
    name: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``voter`` said of two answers, by their places; ``first`` is the lower. ``left``: which of them stood left.

    ``group``: a tag of the voter's. ``seconds``: what the vote took, 0 where nobody knows. ``at``: seconds since 1970.
    """

    voter: str
    first: int
    second: int
    left: Side
    winner: Winner
    group: str = ""
    seconds: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.second:
            raise BadInput("A vote compares two different answers, the one with the lower place first.", "vote")
        if self.winner not in ("first", "second", "tie", "both_bad"):
            raise BadInput("A vote is for one of the two answers, a tie, or both bad.", "vote")


@dataclass(frozen=True, slots=True)
class Rating:
    """A score that ``voter`` gave one answer, 1 to 7, without seeing the others beside it."""

    voter: str
    answer: int
    score: int
    seconds: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        if not LOWEST_SCORE <= self.score <= HIGHEST_SCORE:
            raise BadInput(f"A score is a whole number from {LOWEST_SCORE} to {HIGHEST_SCORE}.", "score")


@dataclass(frozen=True, slots=True)
class Preference:
    """A decided vote as texts: what a reward model and DPO are given."""

    prompt: str
    chosen: str
    rejected: str
    system: str = ""


@dataclass(frozen=True, eq=False)
class Ballot:
    """What is voted on. Raises BadInput for too many answers, or none that can be compared."""

    answers: tuple[Answer, ...]

    def __post_init__(self) -> None:
        if len(self.answers) > MOST_ANSWERS:
            raise BadInput(
                f"There are {len(self.answers):,} answers; at most {MOST_ANSWERS:,} can be voted on: give a part of them.",
                "file",
            )
        if not self.pairs:
            raise BadInput(
                "There are no two different answers to the same prompt here, and only those can be compared: give a "
                "prompt at least two answers.",
                "file",
            )

    @cached_property
    def questions(self) -> tuple[tuple[int, ...], ...]:
        """The places of the answers to each prompt, prompts in the order of their first answer."""
        by_question: dict[tuple[str, str], list[int]] = {}
        for place, answer in enumerate(self.answers):
            by_question.setdefault((answer.prompt, answer.system), []).append(place)
        return tuple(map(tuple, by_question.values()))

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """All that can be asked about: two answers to one prompt whose texts differ."""
        return tuple(
            pair
            for places in self.questions
            for pair in combinations(places, 2)
            if self.answers[pair[0]].text.strip() != self.answers[pair[1]].text.strip()
        )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A short name of each answer: its prompt's number, its letter or number among that prompt's, who wrote it."""
        labels = [""] * len(self.answers)
        for number, places in enumerate(self.questions, 1):
            for order, place in enumerate(places):
                letter = chr(ord("A") + order) if order < 26 else str(order + 1)
                written = f" ({self.answers[place].name})" if self.answers[place].name else ""
                labels[place] = f"{number}{letter}{written}"
        return tuple(labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Who wrote the answers, in the order in which they appear."""
        return tuple(dict.fromkeys(answer.name for answer in self.answers if answer.name))

    def check(self, verdict: Verdict) -> None:
        """Raises BadInput for a vote on answers that are not here, or not to one prompt."""
        if verdict.second >= len(self.answers) or not self._same_prompt(verdict.first, verdict.second):
            raise BadInput("These two answers are not among those to be voted on; take the pair that is shown.", "vote")

    def _same_prompt(self, first: int, second: int) -> bool:
        one, other = self.answers[first], self.answers[second]
        return (one.prompt, one.system) == (other.prompt, other.system)


# -- what to ask ---------------------------------------------------------------------------------------------------------


def next_pairs(
    ballot: Ballot, verdicts: Sequence[Verdict], voter: str, *, seed: str, count: int
) -> tuple[tuple[int, int, Side], ...]:
    """The next pairs for one voter with the side on which each stands; fewer where all have been judged.

    Prompts take turns; of a prompt's pairs those that fewest votes have judged come first. Sides and order are each voter's
    own coin, which always falls the same way.
    """
    judged = {(each.first, each.second) for each in verdicts if each.voter == voter}
    votes = Counter((each.first, each.second) for each in verdicts)
    turns = Counter(ballot.answers[first].prompt for first, _second in judged)
    chance = {pair: _digest(seed, voter, pair) for pair in ballot.pairs}
    open_pairs = [pair for pair in ballot.pairs if pair not in judged]
    chosen: list[tuple[int, int, Side]] = []
    while open_pairs and len(chosen) < count:
        pair = min(open_pairs, key=lambda each: (turns[ballot.answers[each[0]].prompt], votes[each], chance[each]))
        open_pairs.remove(pair)
        turns[ballot.answers[pair[0]].prompt] += 1
        chosen.append((*pair, "second" if chance[pair][0] & 1 else "first"))
    return tuple(chosen)


def ranking_order(ballot: Ballot, voter: str, question: int, *, seed: str) -> tuple[int, ...]:
    """The places of a prompt's answers as this voter is shown them, at most ``MOST_RANKED``; equal texts once."""
    distinct = {ballot.answers[place].text.strip(): place for place in reversed(ballot.questions[question])}
    return tuple(sorted(distinct.values(), key=lambda place: _digest(seed, voter, place)))[:MOST_RANKED]


def pairs_of_ranking(ranks: Sequence[tuple[int, int]]) -> tuple[tuple[int, int, Winner], ...]:
    """A ranking as comparisons. ``ranks``: (answer's place, its rank, 1 the best); equal ranks are ties.

    >>> pairs_of_ranking([(0, 1), (1, 2), (2, 3)])  # A > B > C
    ((0, 1, 'first'), (0, 2, 'first'), (1, 2, 'first'))
    """
    pairs: list[tuple[int, int, Winner]] = []
    for (one, rank), (other, below) in combinations(sorted(ranks), 2):
        winner: Winner = "tie" if rank == below else "first" if rank < below else "second"
        pairs.append((one, other, winner))
    return tuple(pairs)


def ranking_text(ranks: Sequence[int]) -> str:
    """A ranking of lettered answers and the comparisons it stands for.

    >>> ranking_text([1, 2, 3])
    'A > B > C gives A > B, A > C, B > C'
    """
    order = sorted(range(len(ranks)), key=lambda place: (ranks[place], place))
    chain = _LETTERS[order[0]]
    for before, place in zip(order, order[1:], strict=False):
        chain += f" {'=' if ranks[before] == ranks[place] else '>'} {_LETTERS[place]}"
    parts = [
        f"{_LETTERS[one]} {'=' if ranks[one] == ranks[other] else '>'} {_LETTERS[other]}"
        for one, other in combinations(order, 2)
    ]
    return f"{chain} gives {', '.join(parts)}"


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()


# -- what was said -------------------------------------------------------------------------------------------------------


def votes_on_answers(ballot: Ballot, verdicts: Iterable[Verdict], question: int | None = None) -> list[Vote]:
    """Votes with the answers' labels as names; ``question``: of one prompt's answers only."""
    wanted = None if question is None else set(ballot.questions[question])
    return [
        _vote(each, ballot.labels[each.first], ballot.labels[each.second], str(ballot.answers[each.first].prompt))
        for each in verdicts
        if wanted is None or each.first in wanted
    ]


def votes_on_names(ballot: Ballot, verdicts: Iterable[Verdict]) -> list[Vote]:
    """Votes on who wrote the answers; those between two answers of one name, or of none, say nothing and are left out."""
    votes = []
    for each in verdicts:
        one, other = ballot.answers[each.first].name, ballot.answers[each.second].name
        if one and other and one != other:
            votes.append(_vote(each, one, other, f"{each.first + 1} and {each.second + 1}"))
    return votes


def _vote(verdict: Verdict, first: str, second: str, subject: str) -> Vote:
    left, right = (first, second) if verdict.left == "first" else (second, first)
    outcome: Outcome = "tie" if verdict.winner == "tie" else "both_bad"
    if verdict.winner in ("first", "second"):
        outcome = "left" if verdict.winner == verdict.left else "right"
    return Vote(left, right, outcome, verdict.voter, verdict.group, subject)


def winner_and_loser(verdict: Verdict) -> tuple[int, int] | None:
    """The places of who was preferred and who was not; None where nobody was."""
    if verdict.winner == "first":
        return verdict.first, verdict.second
    return (verdict.second, verdict.first) if verdict.winner == "second" else None


def preferences_of(ballot: Ballot, verdicts: Iterable[Verdict]) -> tuple[Preference, ...]:
    """The decided votes as texts, in the order given."""
    preferences = []
    for each in verdicts:
        pair = winner_and_loser(each)
        if pair is not None:
            winner, loser = ballot.answers[pair[0]], ballot.answers[pair[1]]
            preferences.append(Preference(winner.prompt, winner.text, loser.text, winner.system))
    return tuple(preferences)
