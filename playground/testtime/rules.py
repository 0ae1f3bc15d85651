"""Every way to choose one candidate, behind one function: by a column, a vote, a weighted sum, a filter, or blindly.

A rule is plain data, so that a run can keep it and a bake-off can repeat it. Re-weighting runs no model: everything
here reads scores that are there already.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.errors import BadInput
from playground.testtime.ranking import Ranking, rank_values
from playground.testtime.registry import kind_of
from playground.testtime.types import ScoredCandidates
from playground.testtime.voting import Vote, WeightKind, count_votes, vote_weights

RuleKind = Literal["column", "majority", "weighted vote", "weighted sum", "filter then rank", "first"]
Normalisation = Literal["z", "min-max"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How to choose. ``column``: what is ranked by, or weighs the votes. ``weights``: (column, weight) of a weighted
    sum. ``filters``: columns of verifiers that must all say yes. ``name`` is what people see.
    """

    name: str
    kind: RuleKind
    column: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    normalisation: Normalisation = "z"
    filters: tuple[str, ...] = ()
    weight_kind: WeightKind = "probability"
    power: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a rule chose. ``winner`` is a candidate's index, None where it chose nobody; ``note`` then says why."""

    rule: Rule
    winner: int | None
    ranking: Ranking | None = None
    vote: Vote | None = None
    note: str = ""

    @property
    def tied(self) -> bool:
        return bool((self.ranking and self.ranking.tied) or (self.vote and self.vote.tied))


def column_rule(label: str) -> Rule:
    """The best by one column."""
    return Rule(label, "column", column=label)


MAJORITY = Rule("majority", "majority")
FIRST = Rule("first candidate", "first")


def rules_beside(scored: ScoredCandidates, truth: str) -> tuple[Rule, ...]:
    """What a choice can be made by without looking at ``truth``, a column's label: blindly, by each other column that
    knows no reference, and by vote where there are answers.
    """
    columns = [one for one in scored.columns if one.label != truth and not one.problem]
    ranked = [one for one in columns if kind_of(one.spec).family != "reference"]
    votes = (MAJORITY,) if any(scored.answers) else ()
    return (FIRST, *(column_rule(column.label) for column in ranked), *votes)


def choose(rule: Rule, scored: ScoredCandidates) -> Choice:
    """Apply ``rule``. Raises BadInput for a column that was not scored or a weight that is no number."""
    return _CHOOSERS[rule.kind](rule, scored)


def rule_values(rule: Rule, scored: ScoredCandidates) -> tuple[float | None, ...] | None:
    """One value a candidate by which the rule ranks, None for one it never chooses; None for a rule that votes.

    A weighted sum is normalised over all candidates given.
    """
    if rule.kind == "column":
        return scored.column(rule.column).values
    if rule.kind == "weighted sum":
        return weighted_sum(scored, rule.weights, rule.normalisation)
    if rule.kind == "filter then rank":
        return filtered(scored, rule.filters, rule.column)
    if rule.kind == "first":
        return tuple(-float(candidate.index) for candidate in scored.candidates)
    return None


def weighted_sum(
    scored: ScoredCandidates, weights: Sequence[tuple[str, float]], normalisation: Normalisation
) -> tuple[float | None, ...]:
    """Σ weight · normalised score. None for a candidate that lacks one of the scores with a weight other than 0.

    "z": (x - mean) / standard deviation over the candidates; "min-max": (x - min) / (max - min). A column whose scores
    are all equal adds nothing. Infinite scores count as missing: they cannot be normalised.
    """
    if not weights:
        raise BadInput("A weighted sum needs at least one score with its weight.", "weights")
    total = [0.0] * len(scored.candidates)
    missing = [False] * len(scored.candidates)
    for label, weight in weights:
        if isinstance(weight, bool) or not math.isfinite(weight) or abs(weight) > 1e6:
            raise BadInput(f"weights: {label[:60]} needs a number from -1,000,000 to 1,000,000.", "weights")
        if weight == 0:
            continue
        for place, value in enumerate(normalised(scored.column(label).values, normalisation)):
            if value is None:
                missing[place] = True
            else:
                total[place] += weight * value
    return tuple(None if gone else value for gone, value in zip(missing, total, strict=True))


def normalised(values: Sequence[float | None], how: Normalisation) -> tuple[float | None, ...]:
    """Scores on a common scale; see ``weighted_sum``."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        return (None,) * len(values)
    if how == "z":
        middle, spread = statistics.fmean(finite), statistics.pstdev(finite)
    else:
        middle, spread = min(finite), max(finite) - min(finite)
    flat = max(finite) == min(finite) or spread == 0
    return tuple(
        None if value is None or not math.isfinite(value) else 0.0 if flat else (value - middle) / spread
        for value in values
    )


def filtered(scored: ScoredCandidates, filters: Sequence[str], column: str) -> tuple[float | None, ...]:
    """The column's values, with None for a candidate that a filter does not find valid."""
    if not filters:
        raise BadInput("A filter needs at least one verifier: choose one.", "filters")
    verdicts = [scored.column(label).scores for label in filters]
    return tuple(
        value if all(scores[place].valid for scores in verdicts) else None
        for place, value in enumerate(scored.column(column).values)
    )


def _by_value(rule: Rule, scored: ScoredCandidates) -> Choice:
    values = rule_values(rule, scored)
    assert values is not None
    ranking = rank_values(rule.name, [candidate.index for candidate in scored.candidates], values)
    note = "" if ranking.winner is not None else _NOBODY[rule.kind]
    return Choice(rule, ranking.winner, ranking=ranking, note=note)


_NOBODY: dict[str, str] = {
    "column": "No candidate has this score.",
    "weighted sum": "No candidate has all the scores of the sum.",
    "filter then rank": "No candidate passes the filter: generate more, or loosen it.",
    "first": "There is no candidate.",
}


def _by_vote(rule: Rule, scored: ScoredCandidates) -> Choice:
    if len(scored.answers) != len(scored.candidates):
        raise BadInput("A vote needs an answer pattern: choose how an answer is found in a text.", "answer_pattern")
    weights = None
    if rule.kind == "weighted vote":
        weights = vote_weights(scored.column(rule.column).values, rule.weight_kind, rule.power)
    order = sorted(range(len(scored.candidates)), key=lambda place: scored.candidates[place].index)
    vote = count_votes(
        [scored.answers[place] for place in order], None if weights is None else [weights[place] for place in order]
    )
    winner = None if vote.winner is None else scored.candidates[order[vote.winner]].index
    return Choice(rule, winner, vote=vote, note="" if winner is not None else "No candidate gave an answer to count.")


_CHOOSERS: dict[str, Callable[[Rule, ScoredCandidates], Choice]] = {
    "column": _by_value,
    "weighted sum": _by_value,
    "filter then rank": _by_value,
    "first": _by_value,
    "majority": _by_vote,
    "weighted vote": _by_vote,
}
