"""A row of which only the likeliest tokens are listed, and what can be said of it: intervals, never guesses.

An engine lists k tokens with their log-probabilities. Of the other n = vocab - k tokens, the rest, two things follow: they
share the probability R = 1 - sum p, and each of them is less likely than the least likely listed one (the cap c). So a sum
of f(q) over the rest lies between two extremes: all n equally likely, and as few as possible, each at the cap. For powers,
with 0 < a < 1 (a temperature above 1) and for a > 1 the other way round:

    R c^(a - 1)  <=  sum q^a  <=  n (R / n)^a

Such a state is closed under every sampler that ``partial_rules`` knows: weights are intervals, a token is kept, removed or
neither for certain, and the rest has a count, a total weight and a cap. One assumption is made throughout: a token of the
rest ties with no other token. Pure NumPy; knows no sampler, no engine and no text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Interval = tuple[float, float]

MASS_ERROR = 4e-7  # what float32 log-probabilities leave open of their sum
EXACT_WITHIN = 1e-6  # an interval of probabilities this narrow is a number
_NOTHING = float("-inf")


class Unknowable(Exception):
    """Nothing can be said of what a sampler leaves; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The tokens that are not listed: how many of them may be left, their weight together, and what each stays below.

    ``count`` and ``mass`` are intervals; ``mass`` and ``cap`` in the weights' scale, the cap as a logarithm. ``untouched``:
    no sampler has removed any of them, though some may have come as minus infinity.
    """

    count: Interval
    mass: Interval
    log_cap: float
    untouched: bool = False

    @property
    def gone(self) -> bool:
        """Whether none of them is left for certain."""
        return self.count[1] == 0

    @property
    def cap(self) -> float:
        """The weight that each stays below, as a number to divide by."""
        return max(math.exp(min(self.log_cap, 700.0)), 1e-300)

    def maybe_gone(self) -> Rest:
        """Any of it, or nothing."""
        return Rest((0.0, self.count[1]), (0.0, self.mass[1]), self.log_cap)


NO_REST = Rest((0.0, 0.0), (0.0, 0.0), _NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class PartialRow:
    """k listed tokens and the rest, as some samplers left them.

    ``ids`` (k,); ``low``, ``high`` (k,): bounds of the logarithm of each weight, up to one constant for all, which is
    chosen so that no weight exceeds 1. ``kept`` (k,): left for certain; ``possible`` (k,): not removed for certain.
    """

    ids: npt.NDArray[np.int64]
    low: FloatArray
    high: FloatArray
    kept: BoolArray
    possible: BoolArray
    rest: Rest
    vocab_size: int

    # -- weights ---------------------------------------------------------------------------------------------------

    @property
    def weights(self) -> tuple[FloatArray, FloatArray]:
        """The least and the largest weight of each listed token, were it left; (k,) each."""
        return np.exp(self.low), np.exp(self.high)

    @property
    def listed_mass(self) -> Interval:
        """The listed tokens' weights together."""
        low, high = self.weights
        return float(low[self.kept].sum()), float(high[self.possible].sum())

    @property
    def total(self) -> Interval:
        """All weights together, above 0 at both ends unless nothing is left for certain."""
        listed, rest = self.listed_mass, self.rest.mass
        return listed[0] + rest[0], listed[1] + rest[1]

    @property
    def largest(self) -> Interval:
        """The logarithm of the largest weight that is left."""
        sure = float(self.low[self.kept].max(initial=_NOTHING))
        if self.rest.mass[0] > 0:  # no fewer than the average
            sure = max(sure, math.log(self.rest.mass[0]) - math.log(self.rest.count[1]))
        most = float(self.high[self.possible].max(initial=_NOTHING))
        return sure, most if self.rest.gone else max(most, self.rest.log_cap)

    @property
    def exact(self) -> bool:
        """Whether nothing about the listed tokens and the rest's share is left open."""
        low, high = self.probabilities()
        rest = self.rest_probability()
        tokens_exact = bool((self.kept == self.possible).all()) and bool((high - low <= EXACT_WITHIN).all())
        return tokens_exact and rest[1] - rest[0] <= EXACT_WITHIN

    @property
    def alive(self) -> Interval:
        """How many tokens are left; one at least always is."""
        return max(1.0, float(self.kept.sum()) + self.rest.count[0]), float(self.possible.sum()) + self.rest.count[1]

    @property
    def left_of_rest(self) -> Interval:
        """How many of the rest no sampler has removed."""
        return (self.rest.count[1],) * 2 if self.rest.untouched else self.rest.count

    @property
    def left(self) -> Interval:
        """How many tokens no sampler has removed; one at least."""
        rest = self.left_of_rest
        return max(1.0, float(self.kept.sum()) + rest[0]), float(self.possible.sum()) + rest[1]

    # -- probabilities ---------------------------------------------------------------------------------------------

    def probabilities(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of each listed token's probability, (k,) each; 0 where it may be removed."""
        low, high = self.if_left()
        return np.where(self.kept, low, 0.0), np.where(self.possible, high, 0.0)

    def if_left(self) -> tuple[FloatArray, FloatArray]:
        """The same on condition that the token is left."""
        low, high = self.weights
        sure, most = np.where(self.kept, low, 0.0), np.where(self.possible, high, 0.0)
        others_low = np.maximum(sure.sum() - sure, 0.0) + self.rest.mass[0]
        others_high = np.maximum(most.sum() - most, 0.0) + self.rest.mass[1]
        return share(low, others_high), share_at_most(high, others_low)

    def rest_probability(self) -> Interval:
        """Bounds of what the rest has together."""
        listed, mass = self.listed_mass, self.rest.mass
        most = 0.0 if self.rest.gone else float(share_at_most(mass[1], listed[0]))
        return float(share(mass[0], listed[1])), most

    def entropy(self) -> Interval:
        """Bounds of the entropy in nats: ln Z plus the mean of -ln w."""
        low, high = self.mean_surprise()
        total, count = self.total, self.alive
        least = low + math.log(total[0]) if total[0] > 0 else 0.0
        return max(0.0, least), max(0.0, min(high + math.log(total[1]), math.log(max(count[1], 1.0))))

    def mean_surprise(self) -> Interval:
        """Bounds of the mean of -ln w under the distribution, in the weights' scale, where every w is at most 1."""
        at_low, at_high = _surprise(self.low), _surprise(self.high)
        least = np.minimum(at_low, at_high)[self.kept].sum()
        peak = (self.low < -1) & (self.high > -1)  # -w ln w is largest at w = 1/e
        most = np.where(peak, math.exp(-1), np.maximum(at_low, at_high))[self.possible].sum()
        total = self.total
        if not self.rest.gone:
            least += self.rest.mass[0] * -min(self.rest.log_cap, 0.0)
            most += _evenly_spread(self.rest)
        return float(least / total[1]), float(most / total[0]) if total[0] > 0 else float("inf")

    # -- steps -----------------------------------------------------------------------------------------------------

    def select(self, keep: BoolArray, drop: BoolArray, rest: Rest) -> PartialRow:
        """After a removal: ``keep`` (k,) stay if they were left, ``drop`` (k,) are gone, of others it is not known."""
        return replace(self, kept=self.kept & keep, possible=self.possible & ~drop, rest=rest)

    def rescaled(self) -> PartialRow:
        """The same row with the largest weight that may be left at 1, so that no exponential overflows."""
        largest = self.largest[1]
        if largest in (0.0, _NOTHING):
            return self
        mass = tuple(_times_exp(value, -largest) for value in self.rest.mass)
        moved = replace(self.rest, mass=(mass[0], mass[1]), log_cap=self.rest.log_cap - largest)
        rest = self.rest if self.rest.gone else moved
        return replace(self, low=self.low - largest, high=self.high - largest, rest=rest)


def make_row(
    ids: Sequence[int] | npt.NDArray[np.integer],
    logprobs: npt.NDArray[np.floating],
    vocab_size: int,
    log_cap: float | None = None,
) -> PartialRow:
    """The untouched row. ``logprobs`` (k,) in nats. ``log_cap``: what no token of the rest exceeds, where that is
    more than the least likely listed one.
    """
    listed = np.asarray(logprobs, dtype=np.float64)
    possible = listed > _NOTHING
    count = vocab_size - len(listed)
    left = max(0.0, 1.0 - float(np.exp(listed).sum()))
    rest = NO_REST
    if count > 0:
        mass = (max(0.0, left - MASS_ERROR), left + MASS_ERROR)
        least = float(listed.min(initial=0.0))
        if log_cap is not None and log_cap > least:
            least = log_cap + EXACT_WITHIN  # one of them may have just that
        cap = min(max(least, math.log(mass[1] / count)), math.log(mass[1]))
        rest = Rest((0.0, float(count)), mass, cap, untouched=True)
        rest = replace(rest, count=(math.ceil(mass[0] / rest.cap - 1e-9), float(count)))
    return PartialRow(
        np.asarray(ids, dtype=np.int64), listed, listed.copy(), possible, possible.copy(), rest, vocab_size
    ).rescaled()


# -- arithmetic --------------------------------------------------------------------------------------------------------


def share(part: FloatArray | float, others: FloatArray | float) -> FloatArray:
    """The least that part / (part + others) may be: 0 / 0 = 0."""
    total = np.asarray(part + others, dtype=np.float64)
    return np.divide(part, total, out=np.zeros_like(total), where=total > 0)


def share_at_most(part: FloatArray | float, others: FloatArray | float) -> FloatArray:
    """The most it may be: 0 / 0 = 1, for beside what may weigh 1 both may be too small for a float, at a low temperature."""
    total = np.asarray(part + others, dtype=np.float64)
    return np.divide(part, total, out=np.ones_like(total), where=total > 0)


def powered(rest: Rest, coolest: float, hottest: float) -> Rest:
    """The rest with every weight w as w^(1/T), for one T between the two; no weight exceeds 1."""
    if rest.gone:
        return NO_REST
    mass = (_power_sum(rest, 1 / coolest)[0], _power_sum(rest, 1 / hottest)[1])  # the cooler, the smaller
    return replace(rest, mass=mass, log_cap=rest.log_cap / hottest)


def _power_sum(rest: Rest, exponent: float) -> Interval:
    """Bounds of sum q^a: all at the cap on one side, all equal on the other; see this module."""
    capped, equal = (
        [_exp(weight) for weight in weights]
        for weights in (
            [_log(mass) + (exponent - 1) * rest.log_cap for mass in rest.mass],
            [(1 - exponent) * math.log(rest.count[1]) + exponent * _log(mass) for mass in rest.mass],
        )
    )
    return (equal[0], capped[1]) if exponent > 1 else (capped[0], equal[1])


def _surprise(logs: FloatArray) -> FloatArray:
    """-w ln w of log-weights up to 0, 0 for a weight of 0."""
    finite = np.maximum(logs, -1e9)
    return -finite * np.exp(finite)


def _evenly_spread(rest: Rest) -> float:
    """The largest sum of -q ln q: all of the rest equally likely."""
    count = rest.count[1]
    mass = min(max(count / math.e, rest.mass[0]), rest.mass[1])  # where m ln(n / m) is largest
    return mass * math.log(count / mass) if mass > 0 else 0.0


def _times_exp(value: float, log_factor: float) -> float:
    return _exp(_log(value) + log_factor)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else _NOTHING


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
