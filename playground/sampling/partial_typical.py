"""Typical-p on a partial row: the order by distance from the entropy, of which only bounds are known.

With log-weights z and Z their sum's logarithm, the distance | -ln p - H | is | z + h | for the single number h = H - Z, the
mean of -z. So whether one token is nearer than another changes at one value of h, and the ends of its interval decide.
"""

from __future__ import annotations

import numpy as np

from playground.sampling.partial_order import EDGE, Order, keep_prefix
from playground.sampling.partial_row import BoolArray, FloatArray, PartialRow

_FURTHEST = 1e12  # stands for infinity in products


def typical_p(row: PartialRow, mass: float) -> PartialRow:
    """Keep the nearest tokens up to ``mass``; equal distances stay together."""
    low, high = row.mean_surprise()
    means = (low - EDGE, min(high, _FURTHEST) + EDGE)  # no bound at all where nothing is left for certain
    return keep_prefix(row, _by_distance(row, means), mass)


def _by_distance(row: PartialRow, means: tuple[float, float]) -> Order:
    """Nearest first, for every mean between the two."""
    nearer, perhaps = _pairs(row, means)
    others = ~np.eye(len(row.low), dtype=np.bool_)
    nearest = [max(0.0, -(row.rest.log_cap + mean)) for mean in means]  # of the rest, from each mean
    _least, most = _distances(row, means)
    rest_perhaps = np.zeros(len(row.low), dtype=np.bool_)
    if not row.rest.gone:
        # A larger mean brings the rest nearer and takes the listed tokens, which lie above it, further away.
        rest_perhaps = (np.abs(row.high + means[1]) > nearest[1]) | (row.low < row.rest.log_cap)
        rest_perhaps |= (most > nearest[1]) & (row.low != row.high)
    return Order(
        sure=nearer & others & row.kept[None, :],
        perhaps=perhaps & others & row.possible[None, :],
        rest_perhaps=rest_perhaps,
        before_rest=~rest_perhaps,
    )


def _pairs(row: PartialRow, means: tuple[float, float]) -> tuple[BoolArray, BoolArray]:
    """[i, j]: j is nearer than i for every mean, and for some mean."""
    if bool((row.low == row.high)[row.possible].all()):
        z = np.maximum(row.low, -_FURTHEST)  # -inf less -inf is no number
        both = [(z[None, :] - z[:, None]) * (z[None, :] + z[:, None] + 2 * mean) for mean in means]
        return (both[0] < 0) & (both[1] < 0), (both[0] < 0) | (both[1] < 0)
    least, most = _distances(row, means)
    return most[None, :] < least[:, None], least[None, :] < most[:, None]


def _distances(row: PartialRow, means: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Bounds of each listed token's distance, (k,) each."""
    ends = np.abs([row.low + means[0], row.high + means[1]])
    across = (row.low + means[0] < 0) & (row.high + means[1] > 0)
    return np.where(across, 0.0, ends.min(axis=0)), ends.max(axis=0)
