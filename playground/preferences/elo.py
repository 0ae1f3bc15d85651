"""Elo ratings of the same votes in several orders: the order changes them, which is why strengths are fitted at once.

Elo (1978): after each vote the winner takes ``k`` times what was not expected; a tie counts as half a win.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.preferences.votes import Vote, count_pairs

SCALE = 400.0  # points of difference at which ten wins are expected for one loss
START = 1000.0


def elo_orders(votes: Sequence[Vote], orders: int, *, k: float = 32.0, seed: int = 0) -> npt.NDArray[np.float64]:
    """Ratings (orders, items), items in alphabetical order: the first row in the order given, the others shuffled.

    All orders advance together, one vote of each a step. Raises BadInput without a vote or an order.
    """
    if not votes or orders < 1:
        raise BadInput("Elo needs at least one vote and one order of the votes.", "votes")
    counts = count_pairs(votes)
    pair, outcome = np.divmod(counts.cell, 3)
    first, second = counts.first[pair], counts.second[pair]
    score = np.array([1.0, 0.0, 0.5])[outcome]  # of the pair's first
    rng = np.random.default_rng(seed)
    order = np.stack([np.arange(len(votes)), *(rng.permutation(len(votes)) for _ in range(orders - 1))])
    ratings = np.full((orders, len(counts.items)), START)
    rows = np.arange(orders)
    for column in order.T:  # (orders,) one vote of each order
        a, b = first[column], second[column]
        expected = 1 / (1 + 10 ** ((ratings[rows, b] - ratings[rows, a]) / SCALE))
        change = k * (score[column] - expected)
        ratings[rows, a] += change
        ratings[rows, b] -= change
    return ratings
