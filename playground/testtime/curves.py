"""What N buys, from ONE run of n candidates, by averaging over all its subsets of size k. Runs no model.

Candidates are taken as drawn independently in one way, so that their order means nothing; ties are shared out evenly. Where a
rule ranks by a number of each candidate, the average over all C(n, k) subsets is exact by order statistics; a vote looks at the
subset as a whole, so it is averaged over seeded random subsets. Bands are 95% by a seeded bootstrap over the candidates: how
much the curve could have been otherwise had others been drawn. As every estimate from one run, the band is too narrow near n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.testtime.rules import Rule, rule_values
from playground.testtime.types import ScoredCandidates
from playground.testtime.voting import vote_weights

Array = npt.NDArray[np.float64]

RESAMPLES = 200
ORDERS = 200  # random orders of the candidates, each of which falls into subsets
_RESAMPLED_ORDERS = 12  # for each resample
_COVERAGE = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity against the number of candidates. ``low`` and ``high`` bound 95%; ``exact`` says the mean is the
    average over all subsets and not over a sample of them.
    """

    name: str
    ns: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class CurveSet:
    """Coverage (was a right answer among k?), each rule's accuracy, and the mean number of tokens that k cost."""

    coverage: Curve
    rules: tuple[Curve, ...]
    tokens: tuple[float, ...]

    def gap(self, name: str) -> tuple[float, ...]:
        """What was found and not chosen: coverage minus the accuracy of the rule ``name``, for each n."""
        chosen = next(curve for curve in self.rules if curve.name == name)
        return tuple(covered - got for covered, got in zip(self.coverage.mean, chosen.mean, strict=True))


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate of P(at least one of k is right) from n of which c are: 1 - C(n-c, k) / C(n, k)
    (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", equation 1). Needs 0 ≤ c ≤ n and 1 ≤ k ≤ n.

    >>> pass_at_k(4, 1, 2)  # 3 of the 6 pairs hold the right one
    0.5
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise BadInput(f"pass@k needs 0 ≤ c ≤ n and 1 ≤ k ≤ n, not n = {n}, c = {c}, k = {k}.", "k")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def kl_bound(n: int) -> float:
    """ln n - (n - 1) / n: the most, in nats, by which best-of-n moves the distribution of answers away from the model's
    (Stiennon et al. 2020, appendix G.3, who state it as the divergence; an upper bound by Beirami et al. 2024).
    """
    if n < 1:
        raise BadInput(f"n: must be at least 1, not {n}.", "n")
    return math.log(n) - (n - 1) / n


def curve_points(n: int) -> tuple[int, ...]:
    """The sizes to draw: 1 to 8, then a few a doubling, and n itself."""
    points = {*range(1, min(n, 8) + 1), n}
    points |= {
        round(2 ** (quarter / 4)) for quarter in range(12, 4 * max(n, 1).bit_length()) if 2 ** (quarter / 4) <= n
    }
    return tuple(sorted(points))


def winner_weights(n: int, ks: Sequence[int]) -> Array:
    """(n, len(ks)): P(the candidate of rank i, 0 the best, is the best of a random subset of size k) =
    C(n-1-i, k-1) / C(n, k). Each column sums to 1.
    """
    return np.array([[math.comb(n - 1 - i, k - 1) / math.comb(n, k) for k in ks] for i in range(n)], dtype=np.float64)


def expected_best(values: Sequence[float], ks: Sequence[int]) -> tuple[float, ...]:
    """The mean over all subsets of size k of their largest value: the best score against N."""
    if not values:
        raise BadInput("There is no score to draw: choose a rule with values.", "scorer")
    ordered = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    return tuple(map(float, ordered @ winner_weights(len(values), ks)))


def best_score_curve(name: str, values: Sequence[float], seed: int = 0) -> Curve:
    """``expected_best`` with its band."""
    ns = curve_points(len(values))
    mean = expected_best(values, ns)
    weights = winner_weights(len(values), ns)
    drawn = np.asarray(values, dtype=np.float64)[_resamples(len(values), seed)]
    low, high = _band(-np.sort(-drawn, axis=1) @ weights)
    return Curve(name, ns, mean, low, high, exact=True)


def chosen_value_curve(name: str, keys: Sequence[float], values: Sequence[float], seed: int = 0) -> Curve:
    """The mean over all subsets of size k of the value of the candidate with the largest key, with its band: what one
    judgement says of those that another one chooses. Equal keys share. Raises BadInput for none.
    """
    if not keys:
        raise BadInput("There is no score to draw: choose a rule with values.", "scorer")
    by, of = np.asarray(keys, dtype=np.float64), np.asarray(values, dtype=np.float64)
    mean = _by_value(by[None], of[None], curve_points(len(keys)))[0]
    low, high = _band(chosen_value_draws(keys, values, seed))
    return Curve(name, curve_points(len(keys)), tuple(map(float, mean)), low, high, exact=True)


def chosen_value_draws(keys: Sequence[float], values: Sequence[float], seed: int = 0) -> Array:
    """(RESAMPLES, points): ``chosen_value_curve`` again, from candidates drawn anew with replacement."""
    by, of, drawn = (
        np.asarray(keys, dtype=np.float64),
        np.asarray(values, dtype=np.float64),
        _resamples(len(keys), seed),
    )
    return _by_value(by[drawn], of[drawn], curve_points(len(keys)))


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean over runs at the sizes that all of them have; its band is that of a mean of independent curves."""
    count = min(len(curve.ns) for curve in curves)
    mean = np.array([curve.mean[:count] for curve in curves])
    low, high = (np.array([getattr(curve, end)[:count] for curve in curves]) - mean for end in ("low", "high"))
    centre = mean.mean(axis=0)
    ends = (centre + sign * np.sqrt((gap**2).sum(axis=0)) / len(curves) for sign, gap in ((-1, low), (1, high)))
    low_end, high_end = (tuple(map(float, end)) for end in ends)
    return Curve(curves[0].name, curves[0].ns[:count], tuple(map(float, centre)), low_end, high_end, exact=True)


def coverage_curve(correct: Sequence[bool], seed: int = 0) -> Curve:
    """pass@k for each size, with its band."""
    n = _checked(correct)
    ns = curve_points(n)
    mean = tuple(pass_at_k(n, sum(correct), k) for k in ns)
    right = np.asarray(correct, dtype=np.float64)[_resamples(n, seed)].sum(axis=1).astype(int)
    by_count = np.array([[pass_at_k(n, c, k) for k in ns] for c in range(n + 1)])
    low, high = _band(by_count[right])
    return Curve("coverage", ns, mean, low, high, exact=True)


def rule_curve(rule: Rule, scored: ScoredCandidates, correct: Sequence[bool], seed: int = 0) -> Curve:
    """The share of subsets of size k in which ``rule`` chooses a right candidate. A subset from which it chooses nobody
    counts as wrong; tied candidates count by their share of right ones. A weighted sum keeps the normalisation of the
    whole run. Raises BadInput as ``rules.choose`` does.
    """
    n = _checked(correct)
    ns = curve_points(n)
    right = np.asarray(correct, dtype=np.float64)
    drawn = _resamples(n, seed)
    values = (0.0,) * n if rule.kind == "first" else rule_values(rule, scored)  # the first of a subset is any of them
    if values is not None:
        keys = np.array([math.nan if value is None else value for value in values])
        mean = _by_value(keys[None, :], right[None, :], ns)[0]
        return Curve(
            rule.name, ns, tuple(map(float, mean)), *_band(_by_value(keys[drawn], right[drawn], ns)), exact=True
        )
    ballots = _ballots(rule, scored)
    mean = _vote_accuracy(ballots, right, _orders(n, ORDERS, seed), ns).mean(axis=0)
    shuffled = np.random.default_rng([seed, 2]).permuted(np.repeat(drawn, _RESAMPLED_ORDERS, axis=0), axis=1)
    spread = _vote_accuracy(ballots, right, shuffled, ns).reshape(RESAMPLES, _RESAMPLED_ORDERS, len(ns))
    return Curve(rule.name, ns, tuple(map(float, mean)), *_band(_without_noise(spread, mean)), exact=False)


def _without_noise(spread: Array, mean: Array) -> Array:
    """(resamples, orders, points) -> (resamples, points): each resample's deviation, around the curve's ``mean``, drawn
    together by what of its variance comes from averaging few orders: total = true + within / orders.
    """
    averages = spread.mean(axis=1)
    total = averages.var(axis=0, ddof=1)
    noise = spread.var(axis=1, ddof=1).mean(axis=0) / spread.shape[1]
    keep = np.sqrt(np.clip(1 - noise / np.maximum(total, 1e-12), 0, 1))
    result: Array = np.clip(mean + (averages - averages.mean(axis=0)) * keep, 0, 1)
    return result


def all_curves(rules: Sequence[Rule], scored: ScoredCandidates, correct: Sequence[bool], seed: int = 0) -> CurveSet:
    """Coverage and every rule on the same candidates."""
    coverage = coverage_curve(correct, seed)
    tokens = sum(candidate.n_tokens for candidate in scored.candidates) / len(scored.candidates)
    return CurveSet(
        coverage,
        tuple(rule_curve(rule, scored, correct, seed) for rule in rules),
        tuple(k * tokens for k in coverage.ns),
    )


def _checked(correct: Sequence[bool]) -> int:
    if not correct:
        raise BadInput("There are no candidates to draw curves from: generate some first.", "n")
    return len(correct)


def _resamples(n: int, seed: int) -> npt.NDArray[np.int64]:
    """(RESAMPLES, n) places drawn with replacement."""
    return np.random.default_rng([seed, 0]).integers(0, n, (RESAMPLES, n))


def _orders(n: int, count: int, seed: int) -> npt.NDArray[np.int64]:
    """(count, n) random orders of all places."""
    return np.random.default_rng([seed, 1]).permuted(np.tile(np.arange(n), (count, 1)), axis=1)


def _band(samples: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(samples, points) -> the 2.5% and 97.5% quantiles of each point."""
    low, high = np.percentile(samples, _COVERAGE, axis=0)
    return tuple(map(float, low)), tuple(map(float, high))


def _by_value(values: Array, right: Array, ns: Sequence[int]) -> Array:
    """(rows, points): the exact accuracy of choosing the largest value of each row of ``values`` (rows, n), where NaN is
    never chosen and of equal values each is chosen equally often. ``right``: (rows, n).
    """
    order = np.argsort(-values, axis=1, kind="stable")  # NaN last
    ranked = np.take_along_axis(values, order, axis=1)
    chosen = _share_equals(ranked, np.where(np.isnan(ranked), 0.0, np.take_along_axis(right, order, axis=1)))
    result: Array = chosen @ winner_weights(values.shape[1], ns)
    return result


def _share_equals(ranked: Array, points: Array) -> Array:
    """``points`` with each run of equal neighbours in a row of ``ranked`` given its mean. Both (rows, n); NaN equals
    nothing.
    """
    begins = np.ones(ranked.shape, dtype=bool)
    begins[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, ranked.size))
    result: Array = np.repeat(np.add.reduceat(points.ravel(), starts) / lengths, lengths).reshape(ranked.shape)
    return result


@dataclass(frozen=True, slots=True)
class _Ballots:
    """``answers``: (n,) the number of each candidate's answer, -1 for none. ``values``: what weighs it."""

    answers: npt.NDArray[np.int64]
    count: int
    values: Array
    borda_power: float | None  # None: ``values`` are the weights themselves


def _ballots(rule: Rule, scored: ScoredCandidates) -> _Ballots:
    n = len(scored.candidates)
    if len(scored.answers) != n:
        raise BadInput("A vote needs an answer pattern: choose how an answer is found in a text.", "answer_pattern")
    given = dict.fromkeys(answer for answer in scored.answers if answer is not None)
    numbers = {answer: number for number, answer in enumerate(given)}
    answers = np.array([-1 if answer is None else numbers[answer] for answer in scored.answers], dtype=np.int64)
    if rule.kind == "majority":
        return _Ballots(answers, len(numbers), np.ones(n), None)
    values = scored.column(rule.column).values
    if rule.weight_kind == "borda":
        vote_weights(values, "borda", rule.power)  # refuses a power that is none
        weights = np.array([math.nan if v is None or not math.isfinite(v) else v for v in values])
        return _Ballots(answers, len(numbers), weights, rule.power)
    return _Ballots(answers, len(numbers), np.array(vote_weights(values, rule.weight_kind, rule.power)), None)


def _vote_accuracy(ballots: _Ballots, right: Array, orders: npt.NDArray[np.int64], ns: Sequence[int]) -> Array:
    """(orders, points): how often the vote is right in the subsets of size k that an order falls into, one after the
    other: n // k of them without a common member, so that few orders use every candidate equally.
    """
    points = []
    for k in ns:
        blocks = orders.shape[1] // k
        votes = _vote(ballots, right, orders[:, : blocks * k].reshape(-1, k))
        points.append(votes.reshape(len(orders), blocks).mean(axis=1))
    return np.stack(points, axis=1)


def _vote(ballots: _Ballots, right: Array, places: npt.NDArray[np.int64]) -> Array:
    """(subsets,): whether the vote of each row of ``places`` (subsets, k) is right; of tied answers the share that is.

    An answer is right in the share in which its voters are: the candidate that stands for it is any of them.
    """
    if ballots.count == 0:
        return np.zeros(len(places))
    values = ballots.values[places]
    weights = values if ballots.borda_power is None else _borda_points(values, ballots.borda_power)
    answers = ballots.answers[places]
    voting = answers >= 0
    shape = (len(places), ballots.count)
    cells = (np.arange(len(places))[:, None] * ballots.count + answers)[voting]
    sums = np.bincount(cells, weights[voting], math.prod(shape)).reshape(shape)
    heads = np.bincount(cells, minlength=math.prod(shape)).reshape(shape)
    good = np.bincount(cells, right[places][voting], math.prod(shape)).reshape(shape)
    top = sums.max(axis=1, keepdims=True)
    leading = (heads > 0) & (top > 0) & (sums >= top * (1 - 1e-9))
    share = np.where(leading, good / np.maximum(heads, 1), 0.0).sum(axis=1)
    result: Array = share / np.maximum(leading.sum(axis=1), 1)
    return result


def _borda_points(values: Array, power: float) -> Array:
    """(subsets, k) scores -> points by their rank in the row, as ``voting.vote_weights``: equals share, NaN has none."""
    order = np.argsort(-values, axis=1, kind="stable")  # NaN last
    ranked = np.take_along_axis(values, order, axis=1)
    left = np.maximum((~np.isnan(values)).sum(axis=1)[:, None] - np.arange(values.shape[1]), 0)
    points = np.where(left > 0, left.astype(np.float64) ** power, 0.0)
    shared = _share_equals(ranked, points)
    result = np.empty_like(shared)
    np.put_along_axis(result, order, shared, axis=1)
    return result
