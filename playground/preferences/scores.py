"""Scores from 1 to 7 held against votes on the same answers: how much each kind of question makes voters disagree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, pstdev

from playground.preferences.ballots import Ballot, Rating, Verdict, winner_and_loser
from playground.preferences.shares import Share, share_of


@dataclass(frozen=True, slots=True)
class VoterScores:
    """One voter's use of the scale."""

    voter: str
    count: int
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class ScoresCompared:
    """``same``: of two voters' scores of one answer, those that are equal. ``same_order``: of two answers that two voters
    scored, those that both put in one order. ``own``: of a voter's decided votes, those that the voter's own two scores
    agree with; ``own_equal`` of them got equal scores and so say nothing. ``voters``: each one's use of the scale.
    """

    same: Share
    same_order: Share
    own: Share
    own_equal: int
    voters: tuple[VoterScores, ...]


def compare_scores(ballot: Ballot, verdicts: Sequence[Verdict], ratings: Sequence[Rating]) -> ScoresCompared:
    """Over all that is there; scores of different prompts are never compared."""
    by_answer: dict[int, dict[str, int]] = defaultdict(dict)
    by_voter: dict[str, dict[int, int]] = defaultdict(dict)
    for rating in ratings:
        by_answer[rating.answer][rating.voter] = rating.score
        by_voter[rating.voter][rating.answer] = rating.score
    equal = [a == b for scores in by_answer.values() for a, b in combinations(scores.values(), 2)]
    orders = [
        (one[first] > one[second]) == (other[first] > other[second])
        for one, other in combinations(by_voter.values(), 2)
        for first, second in ballot.pairs
        if {first, second} <= one.keys() & other.keys() and one[first] != one[second] and other[first] != other[second]
    ]
    own, level = list[bool](), 0
    for verdict in verdicts:
        pair, scores = winner_and_loser(verdict), by_voter.get(verdict.voter, {})
        if pair is not None and scores.keys() >= set(pair):
            level += scores[pair[0]] == scores[pair[1]]
            if scores[pair[0]] != scores[pair[1]]:
                own.append(scores[pair[0]] > scores[pair[1]])
    voters = tuple(
        VoterScores(voter, len(scores), fmean(scores.values()), pstdev(scores.values()))
        for voter, scores in sorted(by_voter.items())
    )
    return ScoresCompared(
        share_of(sum(equal), len(equal)),
        share_of(sum(orders), len(orders)),
        share_of(sum(own), len(own)),
        level,
        voters,
    )


def scores_sentence(compared: ScoresCompared) -> str:
    """What the scores say of themselves, as far as there are any."""
    if not compared.voters:
        return "No answer has a score yet."
    parts = []
    if compared.same.share is not None:
        parts.append(
            f"two voters gave one answer the same score in {compared.same.share:.0%} of {compared.same.total} cases"
        )
    if compared.same_order.share is not None:
        order = compared.same_order
        parts.append(f"put two answers in the same order in {order.share:.0%} of {order.total}")
    if compared.own.share is not None:
        own = compared.own
        parts.append(f"a voter's own scores agree with the same voter's votes in {own.share:.0%} of {own.total} pairs")
    if compared.own_equal:
        parts.append(f"{compared.own_equal} pairs that were decided by a vote had equal scores")
    said = "; ".join(parts) or "score and vote on the same answers, and ask a second voter, to see how far they agree"
    return said[0].upper() + said[1:] + "."
