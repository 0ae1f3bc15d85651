"""All rankings of the same candidates side by side, and how far they agree. Pure arithmetic on score columns.

Declared tie-break everywhere: of equal values the candidate with the lower index. Candidates without a value come last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.testtime.types import ScoreColumn, ScoredCandidates


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate indices, best first. ``tied``: all indices whose value equals the winner's, where more than one.

    ``unranked`` are the indices without a value, in order; they are not in ``order``. ``winner`` is None where nobody
    has a value.
    """

    label: str
    order: tuple[int, ...]
    winner: int | None
    tied: tuple[int, ...]
    unranked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two rankings agree over the ``count`` candidates that both have a value for.

    Kendall's tau-b and Spearman's rho (with ties), from -1 to 1; None where fewer than two candidates are shared or
    one rule gives them all the same value. ``same_winner`` is None where one has no winner.
    """

    left: str
    right: str
    kendall: float | None
    spearman: float | None
    count: int
    same_winner: bool | None


def usable(value: float | None) -> bool:
    """Whether a value can be ranked: a number, infinite ones included."""
    return value is not None and not math.isnan(value)


def rank_values(label: str, indices: Sequence[int], values: Sequence[float | None]) -> Ranking:
    """The ranking of candidates ``indices`` by their ``values``, the largest first."""
    ranked = [
        (value, index) for value, index in zip(values, indices, strict=True) if value is not None and usable(value)
    ]
    ordered = sorted(ranked, key=lambda pair: (-pair[0], pair[1]))
    best = [index for value, index in ordered if value == ordered[0][0]]
    ranked_indices = {index for _value, index in ordered}
    return Ranking(
        label=label,
        order=tuple(index for _value, index in ordered),
        winner=ordered[0][1] if ordered else None,
        tied=tuple(best) if len(best) > 1 else (),
        unranked=tuple(sorted(index for index in indices if index not in ranked_indices)),
    )


def rank_column(scored: ScoredCandidates, column: ScoreColumn) -> Ranking:
    return rank_values(column.label, [candidate.index for candidate in scored.candidates], column.values)


def rank_all(scored: ScoredCandidates) -> tuple[Ranking, ...]:
    """One ranking a column, in the order of the columns."""
    return tuple(rank_column(scored, column) for column in scored.columns)


def compare_rankings(scored: ScoredCandidates) -> tuple[Agreement, ...]:
    """Every pair of columns once, in the order of the columns."""
    rankings = rank_all(scored)
    columns = scored.columns
    return tuple(
        _agreement(columns[i], columns[j], rankings[i].winner, rankings[j].winner)
        for i in range(len(columns))
        for j in range(i + 1, len(columns))
    )


def _agreement(left: ScoreColumn, right: ScoreColumn, first: int | None, second: int | None) -> Agreement:
    pairs = [
        (a, b)
        for a, b in zip(left.values, right.values, strict=True)
        if a is not None and b is not None and usable(a) and usable(b)
    ]
    kendall, spearman = rank_correlation([a for a, _ in pairs], [b for _, b in pairs])
    same = None if first is None or second is None else first == second
    return Agreement(left.label, right.label, kendall, spearman, len(pairs), same)


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> tuple[float | None, float | None]:
    """Kendall's tau-b and Spearman's rho, or None for each where it is undefined."""
    if len(left) < 2 or len(set(left)) < 2 or len(set(right)) < 2:
        return None, None
    from scipy.stats import kendalltau, rankdata

    ranks = np.stack([rankdata(left), rankdata(right)])  # infinite scores have ranks like others
    return float(kendalltau(*ranks).statistic), float(np.corrcoef(ranks)[0, 1])
