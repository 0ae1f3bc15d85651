"""Whose preference?: groups of voters side by side, and what one reward of all of them hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.preferences.ballots import Verdict, winner_and_loser
from playground.preferences.reward import DecidedVotes, fit_head, margins_of
from playground.preferences.shares import Share, share_of
from playground.preferences.strengths import Strengths

EVERYBODY = "everybody"
MOST_GROUPS = 8


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two groups that order two things differently, each beyond its own 95% interval. ``gap``: how far apart, in ln."""

    one: str
    other: str
    preferred_by_one: str
    preferred_by_other: str
    gap: float


def disagreements(by_group: dict[str, Strengths]) -> tuple[Disagreement, ...]:
    """The widest first."""
    differences = []
    groups = list(by_group)
    for place, one in enumerate(groups):
        for other in groups[place + 1 :]:
            names = [item.name for item in by_group[one].items]
            for number, first in enumerate(names):
                for second in names[number + 1 :]:
                    here, low, high = by_group[one].difference(first, second)
                    there, low_there, high_there = by_group[other].difference(first, second)
                    if low > 0 > high_there:
                        differences.append(Disagreement(one, other, first, second, here - there))
                    elif high < 0 < low_there:
                        differences.append(Disagreement(one, other, second, first, there - here))
    return tuple(sorted(differences, key=lambda each: -each.gap))


def group_labels(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The group of each decided vote, in the order of ``reward.decided_votes``."""
    return tuple(verdict.group for verdict in verdicts if winner_and_loser(verdict) is not None)


@dataclass(frozen=True, slots=True, eq=False)
class GroupMatrix:
    """``agreement[row][column]``: of the votes of group ``columns[column]`` those that the head learnt from ``rows[row]`` agrees
    with, each vote judged by heads that have not seen its prompt (or pair). The last row is learnt from everybody.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    agreement: tuple[tuple[Share, ...], ...]


def group_matrix(
    features: npt.NDArray[np.floating],
    votes: DecidedVotes,
    labels: Sequence[str],
    scale: npt.NDArray[np.float64],
    penalty: float,
    *,
    folds: int = 5,
    seed: int = 0,
) -> GroupMatrix:
    """Raises BadInput where there are fewer than two groups, too many, or nothing to hold out."""
    groups = tuple(sorted({label for label in labels if label}))
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise BadInput(
            f"Groups are compared where votes carry 2 to {MOST_GROUPS} tags, and these carry {len(groups)}: type a group beside "
            "Voting as, upload votes with a column group, or let synthetic voters vote.",
            "group",
        )
    units = np.unique(votes.unit)
    if len(units) < 2:
        raise BadInput("All votes are on one pair, so nothing can be held out: vote on other pairs.", "votes")
    own = np.array(labels)
    rng = np.random.default_rng([seed, 6])
    fold_of = dict(zip(rng.permutation(units).tolist(), np.arange(len(units)) % folds, strict=True))
    fold = np.array([fold_of[unit] for unit in votes.unit.tolist()])
    rows = (*groups, EVERYBODY)
    right = np.zeros((len(rows), len(groups)), dtype=int)
    total = np.zeros_like(right)
    for number in np.unique(fold):
        for row, name in enumerate(rows):
            train = (fold != number) & ((own == name) | (name == EVERYBODY))
            if not train.any():
                continue
            weights = fit_head(features, votes.part(train), scale, penalty)
            for column, group in enumerate(groups):
                judged = (fold == number) & (own == group)
                if judged.any():
                    margins = margins_of(features, weights, votes.part(judged))
                    right[row, column] += int((margins > 0).sum())
                    total[row, column] += int(judged.sum())
    shares = tuple(
        tuple(share_of(int(a), int(b)) for a, b in zip(r, t, strict=True)) for r, t in zip(right, total, strict=True)
    )
    return GroupMatrix(rows, groups, shares)


def hidden_sentence(matrix: GroupMatrix) -> str:
    """What one reward of everybody costs the group that it serves worst."""
    own = [matrix.agreement[place][place].share for place in range(len(matrix.columns))]
    pooled = [share.share for share in matrix.agreement[-1]]
    losses = [
        (own_share - pooled_share, group, own_share, pooled_share)
        for own_share, pooled_share, group in zip(own, pooled, matrix.columns, strict=True)
        if own_share is not None and pooled_share is not None
    ]
    if not losses:
        return "No group has enough votes to hold one out."
    loss, group, own_share, pooled_share = max(losses)
    if loss <= 0:
        return (
            "One reward of everybody agrees with each group's votes at least as often as the group's own reward does."
        )
    return (
        f"One reward of everybody agrees with {pooled_share:.0%} of the votes of {group!r}, a reward of its own votes "
        f"with {own_share:.0%}: that difference is what the average hides."
    )
