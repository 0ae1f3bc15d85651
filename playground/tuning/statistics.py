"""How sure a measure is: intervals over prompts, paired differences, corrections for many comparisons, samples needed.

A prompt is what is drawn from the world; a setting's value on it is the mean of its samples there. So everything is
resampled by prompt, and two settings are compared prompt by prompt. NaN marks a prompt that has no value (no reference,
no check): it says nothing of that setting. Pure maths on arrays; knows no texts and no model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, false_discovery_control, nct, norm, t

from playground.errors import BadInput

Floats = npt.NDArray[np.float64]
Correction = Literal["holm", "benjamini-hochberg"]

SIGNIFICANT = 0.05
REPEATS = 4000
EXACT_UP_TO = 12  # prompts: 4,096 patterns of signs are enumerated, of more a sample is drawn
BOOTSTRAP = "expanded percentile bootstrap over prompts (Hesterberg 2015)"
CLOPPER_PEARSON = "Clopper-Pearson over prompts"
_PART = 2_000_000  # numbers in one array of resamples


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over ``prompts`` prompts with its bounds at the level asked for; None where they cannot be told."""

    mean: float | None
    low: float | None
    high: float | None
    prompts: int
    method: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting's mean minus the baseline's on the prompts that both have.

    ``p``: two-sided, by flipping the signs of the differences; ``p_adjusted`` after the correction.
    """

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    prompts: int

    @property
    def significant(self) -> bool:
        """At 5% after the correction."""
        return self.p_adjusted is not None and self.p_adjusted < SIGNIFICANT


def mean_intervals(
    values: Floats, *, level: float = 0.95, seed: int = 0, repeats: int = REPEATS, shares: bool = True
) -> tuple[Interval, ...]:
    """Of each column of ``values`` (prompts, settings), the mean and its interval; all from the same resamples.

    Where all values of a column are equal a bootstrap sees no spread: of ``shares`` all 0 or all 1 (checks that all fail or
    all pass) get Clopper and Pearson's interval, any other no interval: a price of 0 or a length of 1 is no share.
    """
    measured, means = _means(values)
    low, high = _bounds(values, level, seed, repeats)
    return tuple(
        _interval(values[measured[:, place], place], means[place], low[place], high[place], level, shares)
        for place in range(values.shape[1])
    )


def paired_differences(
    values: Floats,
    baseline: int,
    *,
    correction: Correction = "holm",
    level: float = 0.95,
    seed: int = 0,
    repeats: int = REPEATS,
) -> tuple[Difference, ...]:
    """Each column of ``values`` (prompts, settings) minus the column ``baseline``; p-values corrected over the others.

    The baseline's own difference is 0 with no p-value. Intervals are each at ``level``, not corrected.
    """
    differences = values - values[:, [baseline]]
    measured, means = _means(differences)
    low, high = _bounds(differences, level, seed, repeats)
    others = [place for place in range(values.shape[1]) if place != baseline and measured[:, place].any()]
    p = np.full(values.shape[1], np.nan)
    p[others] = sign_flip_p(differences[:, others], seed=seed, repeats=repeats)
    adjusted = np.full_like(p, np.nan)
    adjusted[others] = adjust(p[others], correction)
    spread = np.array([len(set(differences[measured[:, place], place].tolist())) > 1 for place in range(len(p))])
    return tuple(
        Difference(
            _finite(means[place]),
            _finite(low[place]) if spread[place] else None,
            _finite(high[place]) if spread[place] else None,
            _finite(p[place]),
            _finite(adjusted[place]),
            int(measured[:, place].sum()),
        )
        for place in range(values.shape[1])
    )


def sign_flip_p(differences: Floats, *, seed: int = 0, repeats: int = REPEATS) -> Floats:
    """Of each column (prompts, comparisons): how often a mean at least as far from 0 comes if every sign is a coin's.

    Exact where there are twelve prompts or fewer. Else from ``repeats`` draws, the pattern seen counted among them, so
    that p is never 0.
    """
    filled = np.nan_to_num(differences)
    prompts = len(filled)
    observed = np.abs(filled.sum(axis=0))
    bar = observed - 1e-9 * np.maximum(np.abs(filled).sum(axis=0), 1e-300)  # rounding makes no difference
    if prompts <= EXACT_UP_TO:
        patterns = np.arange(2**prompts)[:, None] >> np.arange(prompts) & 1
        share: Floats = (np.abs((2.0 * patterns - 1) @ filled) >= bar).mean(axis=0)
        return share
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(repeats, prompts)) * 2.0 - 1
    reached = (np.abs(signs @ filled) >= bar).sum(axis=0)
    p: Floats = (reached + 1) / (repeats + 1)
    return p


def adjust(p: Floats, correction: Correction) -> Floats:
    """p-values for many comparisons: Holm's keep the chance of any false claim, Benjamini and Hochberg's the share."""
    if not len(p):
        return p
    if correction == "benjamini-hochberg":
        adjusted: Floats = false_discovery_control(p)
        return adjusted
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(stepped, 1.0)
    return result


def prompts_needed(difference: float, deviation: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Prompts to see a true mean ``difference``, where differences have this standard deviation (paired t-test).

    The smallest number whose power, by the noncentral t distribution, reaches ``power``; two at least. Raises BadInput
    for a difference of 0.
    """
    if not difference or not math.isfinite(difference) or not deviation >= 0:
        raise BadInput("A difference other than 0 and a standard deviation are needed to count samples.", "difference")
    if deviation == 0:
        return 2
    effect = abs(difference) / deviation

    def enough(n: int) -> bool:
        critical = t.ppf(1 - alpha / 2, n - 1)
        centre = effect * math.sqrt(n)
        return bool(nct.sf(critical, n - 1, centre) + nct.cdf(-critical, n - 1, centre) >= power)

    guess = float((norm.ppf(1 - alpha / 2) + norm.ppf(power)) / effect) ** 2  # what a normal needs: at most a few short
    if guess > 10_000_000:
        return math.ceil(guess)
    n = max(2, math.floor(guess))
    while n > 2 and enough(n - 1):
        n -= 1
    while not enough(n):
        n += 1
    return n


def _means(values: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which are known (prompts, settings), and each column's mean over those, NaN without any."""
    if values.ndim != 2 or not values.size:
        raise BadInput("There is nothing to measure: at least one prompt and one setting are needed.", "examples")
    measured = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return measured, np.nansum(values, axis=0) / measured.sum(axis=0)


def _bounds(values: Floats, level: float, seed: int, repeats: int) -> tuple[Floats, Floats]:
    """The expanded percentile interval of each column's mean, (settings,) each.

    A plain percentile interval is too short for few prompts: resampling divides by n where n - 1 is due, and takes
    normal for Student's quantiles. Hesterberg (2015, The American Statistician 69, 371-386) widens the percentiles to
    norm.cdf(-sqrt(n / (n - 1)) t) with Student's t of n - 1 degrees of freedom.
    """
    measured = ~np.isnan(values)
    filled, weights = np.where(measured, values, 0.0), measured.astype(np.float64)
    prompts, settings = values.shape
    rng = np.random.default_rng(seed)
    means = np.empty((repeats, settings))
    part = max(1, _PART // max(prompts, settings))
    for first in range(0, repeats, part):
        count = min(part, repeats - first)
        times = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=count).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw without any known prompt says nothing
            means[first : first + count] = (times @ filled) / (times @ weights)
    n = measured.sum(axis=0)
    low, high = np.full(settings, np.nan), np.full(settings, np.nan)
    for size in set(n[n > 1].tolist()):
        tail = norm.cdf(-math.sqrt(size / (size - 1)) * t.ppf((1 + level) / 2, size - 1))
        columns = np.flatnonzero(n == size)
        low[columns], high[columns] = np.nanquantile(means[:, columns], [tail, 1 - tail], axis=0)
    return low, high


def _interval(own: Floats, mean: float, low: float, high: float, level: float, shares: bool) -> Interval:
    if len(own) == 0:
        return Interval(None, None, None, 0, BOOTSTRAP)
    if (own == own[0]).all():
        if own[0] not in (0.0, 1.0) or not shares:
            return Interval(float(own[0]), None, None, len(own), BOOTSTRAP)
        edge = float(beta.ppf((1 - level) / 2, len(own), 1))  # all successes: the lowest share that is not too unlikely
        bounds = (edge, 1.0) if own[0] == 1.0 else (0.0, 1 - edge)
        return Interval(float(own[0]), *bounds, len(own), CLOPPER_PEARSON)
    return Interval(float(mean), float(low), float(high), len(own), BOOTSTRAP)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
