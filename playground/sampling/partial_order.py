"""Which tokens of a partial row come before which, and how much weight stands before each: what top-p, top-k and a draw ask.

``Order`` says of each pair of listed tokens whether one comes first for certain or perhaps, and the same of the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from playground.sampling.partial_row import NO_REST, BoolArray, FloatArray, PartialRow, Rest, share, share_at_most

EDGE = 2e-6  # what float32 leaves open of a sum of probabilities, and of a value beside a threshold


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """``sure[i, j]``, ``perhaps[i, j]`` (k, k): listed token j stands before i. ``rest_perhaps`` (k,): some of the rest may
    stand before i; ``before_rest`` (k,): i stands before all of the rest for certain. The rest never surely stands before.
    """

    sure: BoolArray
    perhaps: BoolArray
    rest_perhaps: BoolArray
    before_rest: BoolArray

    @property
    def first(self) -> BoolArray:
        """(k,): no other token can stand before it."""
        return ~self.perhaps.any(axis=1) & ~self.rest_perhaps


def by_weight(row: PartialRow, *, equals: str = "undecided") -> Order:
    """Likeliest first. Of ``equals`` neither is surely first ("undecided"), none is before the other ("together"), or the
    lower id is ("by id")."""
    low, high = row.low, row.high
    possible = row.possible[None, :] & ~np.eye(len(low), dtype=np.bool_)
    same = (low[None, :] == high[None, :]) & (low[:, None] == high[:, None]) & (low[None, :] == low[:, None])
    sure, perhaps = low[None, :] > high[:, None], high[None, :] >= low[:, None]
    if equals != "undecided":
        earlier = (row.ids[None, :] < row.ids[:, None]) if equals == "by id" else np.zeros_like(same)
        sure, perhaps = np.where(same, earlier, sure), np.where(same, earlier, perhaps)
    sure &= possible & row.kept[None, :]
    return Order(sure, perhaps & possible, _rest_above(row), ~_rest_above(row))


def _rest_above(row: PartialRow) -> BoolArray:
    """(k,): some of the rest may weigh more than the token. The cap itself is reached by none."""
    if row.rest.gone:
        return np.zeros(len(row.low), dtype=np.bool_)
    return np.asarray(row.rest.log_cap > row.low)


def shares_before(row: PartialRow, order: Order) -> tuple[FloatArray, FloatArray]:
    """Bounds of the share of all weight that stands before each listed token, (k,) each."""
    before, after = _around(row, order)
    low, high = row.weights
    return share(before[0], high + after[1]), share_at_most(before[1], low + after[0])


def shares_through(row: PartialRow, order: Order) -> tuple[FloatArray, FloatArray]:
    """Bounds of the share that stands before each listed token or is its own, (k,) each."""
    before, after = _around(row, order)
    low, high = row.weights
    return share(before[0] + low, after[1]), share_at_most(before[1] + high, after[0])


def least_before_rest(row: PartialRow, order: Order) -> float:
    """The least share that stands before every token of the rest."""
    low, high = row.weights
    ahead = order.before_rest & row.kept
    return float(share(float(low[ahead].sum()), float(high[row.possible & ~ahead].sum()) + row.rest.mass[1]))


def _around(row: PartialRow, order: Order) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Bounds of the weight before each listed token, and of the weight after it."""
    low, high = row.weights
    sure, most = np.where(row.kept, low, 0.0), np.where(row.possible, high, 0.0)
    own = np.eye(len(low), dtype=np.bool_)
    before_low = _sums(order.sure, sure)
    before_high = _sums(order.perhaps, most) + np.where(order.rest_perhaps, row.rest.mass[1], 0.0)
    after_low = _sums(~(order.perhaps | own), sure) + np.where(order.rest_perhaps, 0.0, row.rest.mass[0])
    after_high = _sums(~(order.sure | own), most) + row.rest.mass[1]
    return (before_low, before_high), (after_low, after_high)


def _sums(chosen: BoolArray, weights: FloatArray) -> FloatArray:
    """Of the weights (k,) that each row of ``chosen`` (k, k) takes."""
    return np.asarray(chosen @ weights, dtype=np.float64)


def keep_prefix(row: PartialRow, order: Order, mass: float) -> PartialRow:
    """The shortest prefix of ``order`` that holds ``mass`` of the probability: what is kept has less than that before it."""
    low, high = shares_before(row, order)
    keep = order.first | (high < mass - EDGE)
    beyond = (low >= mass + EDGE) | (mass == 0)
    drop = ~order.first & order.sure.any(axis=1) & beyond
    return row.select(keep, drop, _prefix_of_rest(row, order, mass))


def _prefix_of_rest(row: PartialRow, order: Order, mass: float) -> Rest:
    """What may be left of the rest: nothing where the listed tokens before it hold ``mass``, else what is lacking."""
    rest, total, listed = row.rest, row.total, row.listed_mass
    if rest.gone:
        return NO_REST
    ahead = least_before_rest(row, order)
    if ahead > 0 and (mass == 0 or ahead >= mass + EDGE):
        return NO_REST
    least = max(0.0, mass * rest.mass[0] - (1 - mass) * listed[1] - EDGE * total[1])
    if not bool((order.before_rest | ~row.possible).all()):
        return Rest((0.0, rest.count[1]), (least, rest.mass[1]), rest.log_cap)
    # All listed tokens stand before it, so it is cut where the listed ones and its own likeliest reach the mass.
    most = min(rest.mass[1], max(0.0, mass * rest.mass[1] - (1 - mass) * listed[0] + EDGE * total[1]) + rest.cap)
    part = most / max(rest.mass[0], most) if most > 0 else 0.0  # the likeliest j of n hold j / n of the mass at least
    count = min(rest.count[1], math.floor(rest.count[1] * part) + 1.0)
    return Rest((min(rest.count[0], math.ceil(least / rest.cap - 1e-9)), count), (min(least, most), most), rest.log_cap)
