"""Votes among answers: majority, weighted, and what the majority says as more candidates come.

Self-consistency (Wang et al. 2023, "Self-Consistency Improves Chain of Thought Reasoning in Language Models") samples
several reasonings and takes the commonest answer. A weighted vote adds up scores in place of ones. Knows only answers
(None abstains) and numbers: any string that stands for an answer will do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from playground.errors import BadInput

WeightKind = Literal["as-is", "probability", "borda"]
_SAME = 1e-9  # relative; weights that differ by rounding are a tie


@dataclass(frozen=True, slots=True)
class Tally:
    """One answer's votes. ``members``: places of those who gave it, in order. ``share`` of all weight given."""

    answer: str
    count: int
    weight: float
    share: float
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """All answers, the strongest first; equally strong ones by their first voter.

    ``majority`` is the first one's answer and ``winner`` the place of the candidate that stands for it: its heaviest
    member, the first of equals. ``tied``: all answers as strong as the majority, where that is more than one. Both
    winners are None where nobody voted, or nobody with weight. ``abstained`` counts texts without an answer.
    """

    tallies: tuple[Tally, ...]
    majority: str | None
    winner: int | None
    tied: tuple[str, ...]
    abstained: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """The majority among the first ``n`` candidates, its share of their votes and whether it was tied."""

    n: int
    majority: str | None
    share: float
    tied: bool


def count_votes(answers: Sequence[str | None], weights: Sequence[float] | None = None) -> Vote:
    """Count the answers; with ``weights`` (one each, 0 or more) add those up in place of ones.

    Declared tie-break: of equally strong answers the one given first. Raises BadInput for a negative or infinite
    weight.

    >>> count_votes(["4", "5", "5", None]).majority
    '5'
    >>> count_votes(["4", "5"]).tied
    ('4', '5')
    """
    given = [1.0] * len(answers) if weights is None else [float(weight) for weight in weights]
    if len(given) != len(answers) or any(not math.isfinite(weight) or weight < 0 for weight in given):
        raise BadInput("A vote needs a weight of 0 or more for each answer: choose another score to vote by.", "vote")
    members: dict[str, list[int]] = {}
    for place, answer in enumerate(answers):
        if answer is not None:
            members.setdefault(answer, []).append(place)
    sums = {answer: math.fsum(given[place] for place in places) for answer, places in members.items()}
    whole = math.fsum(sums.values())
    # Rounding must not decide: weights are ranked by classes of equals, then by the first voter.
    ordered = sorted(members, key=lambda answer: (-sums[answer], members[answer][0]))
    top = sums[ordered[0]] if ordered else 0.0
    leaders = sorted(
        (answer for answer in ordered if math.isclose(sums[answer], top, rel_tol=_SAME)),
        key=lambda answer: members[answer][0],
    )
    ordered = [*leaders, *(answer for answer in ordered if answer not in leaders)]
    tallies = tuple(
        Tally(a, len(members[a]), sums[a], sums[a] / whole if whole else 0.0, tuple(members[a])) for a in ordered
    )
    decided = bool(ordered) and top > 0
    return Vote(
        tallies=tallies,
        majority=ordered[0] if decided else None,
        winner=max(members[ordered[0]], key=lambda place: (given[place], -place)) if decided else None,
        tied=tuple(leaders) if decided and len(leaders) > 1 else (),
        abstained=sum(answer is None for answer in answers),
    )


def vote_weights(values: Sequence[float | None], kind: WeightKind, power: float = 1.0) -> tuple[float, ...]:
    """Scores as weights of 0 or more; a candidate without a score weighs nothing.

    "as-is": the score itself, which must not be negative. "probability": exp(score - the largest), for
    log-probabilities (their ratios are those of the probabilities). "borda": (n - rank + 1)^power with rank 1 the best
    (Kang et al. 2025, "Scalable Best-of-N Selection for Large Language Models via Self-Certainty", their Borda voting); equal
    scores share the mean of their ranks' points.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        return (0.0,) * len(values)
    if kind == "as-is":
        if min(finite) < 0:
            raise BadInput("A negative score cannot be a weight: vote by probability or by rank.", "vote")
        return tuple(0.0 if value is None or not math.isfinite(value) else value for value in values)
    if kind == "probability":
        top = max(finite)
        return tuple(0.0 if value is None or math.isnan(value) else math.exp(value - top) for value in values)
    if not (math.isfinite(power) and 0 <= power <= 10):
        raise BadInput(f"power: must be a number from 0 to 10, not {power!r}.", "power")
    points = _borda(finite, power)
    return tuple(0.0 if value is None or not math.isfinite(value) else points[value] for value in values)


def _borda(values: Sequence[float], power: float) -> dict[float, float]:
    ordered = sorted(values, reverse=True)
    count = len(ordered)
    shared: dict[float, list[float]] = {}
    for rank, value in enumerate(ordered, start=1):
        shared.setdefault(value, []).append(float(count - rank + 1) ** power)
    return {value: math.fsum(points) / len(points) for value, points in shared.items()}


def self_consistency(answers: Sequence[str | None]) -> tuple[Agreement, ...]:
    """The majority among the first 1, 2, … candidates, in the order in which they came."""
    counts: dict[str, int] = {}
    result = []
    for n, answer in enumerate(answers, start=1):
        if answer is not None:
            counts[answer] = counts.get(answer, 0) + 1
        top = max(counts.values(), default=0)
        leaders = [key for key, count in counts.items() if count == top]  # in the order of first votes
        voted = sum(counts.values())
        result.append(Agreement(n, leaders[0] if leaders else None, top / voted if voted else 0.0, len(leaders) > 1))
    return tuple(result)
