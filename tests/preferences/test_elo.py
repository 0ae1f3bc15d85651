"""Elo: a hand computation, and that the order of the same votes changes it while strengths stay."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import BadInput
from playground.preferences.elo import START, elo_orders
from playground.preferences.strengths import fit_strengths
from playground.preferences.votes import Vote


def by_hand(votes: list[Vote], k: float = 32) -> dict[str, float]:
    ratings = {name: 1000.0 for vote in votes for name in vote.pair}
    for vote in votes:
        ours, theirs = ratings[vote.left], ratings[vote.right]
        score = {"left": 1.0, "right": 0.0}.get(vote.outcome, 0.5)
        change = k * (score - 1 / (1 + 10 ** ((theirs - ours) / 400)))
        ratings[vote.left] += change
        ratings[vote.right] -= change
    return ratings


VOTES = [
    *[Vote("A", "B", "left")] * 6,
    *[Vote("B", "A", "left")] * 3,
    *[Vote("C", "B", "tie")] * 4,
    *[Vote("A", "C", "right")] * 3,
    Vote("A", "C", "left"),
]


def test_the_first_order_is_the_one_given_and_the_sum_stays() -> None:
    ratings = elo_orders(VOTES, 20)
    assert ratings.shape == (20, 3)
    np.testing.assert_allclose(ratings[0], list(dict(sorted(by_hand(VOTES).items())).values()))
    np.testing.assert_allclose(ratings.sum(axis=1), 3 * START)
    assert elo_orders([Vote("A", "B", "left")], 1)[0].tolist() == [1016, 984]


def test_the_order_changes_elo_and_not_strengths() -> None:
    ratings = elo_orders(VOTES, 20, seed=1)
    assert np.ptp(ratings[:, 0]) > 10
    shuffled = [VOTES[place] for place in np.random.default_rng(2).permutation(len(VOTES))]
    assert fit_strengths(VOTES).items == fit_strengths(shuffled).items
    np.testing.assert_array_equal(ratings, elo_orders(VOTES, 20, seed=1))


def test_nothing_to_rate_is_refused() -> None:
    with pytest.raises(BadInput, match="at least one vote"):
        elo_orders([], 3)
