"""Where choosing harder by a reward stops paying: Gao, Schulman and Hilton's fit (2022, arXiv 2210.10760).

Best-of-N moves the distribution of answers by KL = ln N - (N - 1)/N nats at most; with d = sqrt(KL) a second, independent
judgement of what is chosen goes as R(d) = R(0) + d (alpha - beta d). For reinforcement learning they find d (alpha - beta ln d).
Where a flaw is rare or grows, the curve is no parabola and its fit peaks a tenth too early (measured on planted flaws), so the
peak is read off the same fit with one term more, d (a + b d + c d^2). Pure maths on curves; knows no candidate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from playground.errors import BadInput

Floats = npt.NDArray[np.float64]
LARGEST_N = 1e12


def kl_of(n: float) -> float:
    """ln N - (N - 1)/N, in nats.

    >>> round(kl_of(4), 4)
    0.6363
    """
    return math.log(n) - (n - 1) / n


def n_of(kl: float) -> float:
    """The N, any number from 1, whose best-of-N has this KL; infinite beyond 10^12."""
    if kl <= 0:
        return 1.0
    if kl >= kl_of(LARGEST_N):
        return math.inf
    return math.exp(brentq(lambda log_n: log_n - 1 + math.exp(-log_n) - kl, 0.0, math.log(LARGEST_N)))


@dataclass(frozen=True, slots=True)
class BestOfNFit:
    """R(d) = start + d (alpha - beta d). ``cubic``: a, b, c of start + d (a + b d + c d^2), on whose curve the peak is.

    ``peak_d``: where it is highest, None where it does not bend down or never rises. ``reached``: the largest d that was
    measured; a peak beyond is a guess. ``peak_range``: d between which 95% of resampled fits peak, None where not resampled.
    """

    start: float
    alpha: float
    beta: float
    cubic: tuple[float, float, float]
    peak_d: float | None
    reached: float
    fitted: float
    peak_range: tuple[float, float] | None = None

    @property
    def peak_n(self) -> float | None:
        """The N of the peak."""
        return None if self.peak_d is None else n_of(self.peak_d**2)

    @property
    def peak_ns(self) -> tuple[float, float] | None:
        """The N of ``peak_range``."""
        if self.peak_range is None:
            return None
        low, high = self.peak_range
        return n_of(low**2), n_of(high**2)

    @property
    def within(self) -> bool:
        """Whether the peak lies where something was measured."""
        return self.peak_d is not None and self.peak_d <= self.reached

    def at(self, d: Floats) -> Floats:
        """Gao et al.'s R at each d."""
        return self.start + d * (self.alpha - self.beta * d)

    def cubic_at(self, d: Floats) -> Floats:
        """The curve that the peak is read off."""
        a, b, c = self.cubic
        return self.start + d * (a + b * d + c * d**2)


def fit_best_of_n(
    ns: Sequence[float],
    judged: Sequence[float],
    widths: Sequence[float] | None = None,
    resampled: Floats | None = None,
) -> BestOfNFit:
    """Least squares over points of N, in order, with the mean judgement of what is chosen; N = 1 is the start and held fixed.

    ``widths``: of the points' bands; a point weighs by the inverse. Points after the first that is worse than one random answer
    are left out: both fits are of the rise and the turn. ``resampled``: (draws, points), the judgement again from answers drawn
    anew, for an interval of the peak. Raises BadInput where there are fewer than four points, or no N = 1.
    """
    if len(ns) < 4 or ns[0] != 1:
        raise BadInput(
            "A fit takes at least four numbers of candidates, the first of them 1: take more candidates.", "n"
        )
    values = np.asarray(judged, dtype=np.float64)
    d = np.sqrt([kl_of(n) for n in ns])
    weights = np.ones(len(d)) if widths is None else 1 / np.maximum(np.asarray(widths, dtype=np.float64), 1e-9)
    end = _turned(values)
    alpha, minus_beta = _terms(d[:end], values[:end], weights[:end], 2)
    cubic, peak = _peak(d, values, weights)
    range_ = None
    if resampled is not None and peak is not None:
        peaks = [_peak(d, row, weights)[1] for row in resampled]
        # None: still rising, so as far as was measured
        finite_peaks = [float(d.max()) if each is None else each for each in peaks]
        low, high = np.percentile(finite_peaks, (2.5, 97.5))
        range_ = float(min(low, peak)), float(max(high, peak))
    return BestOfNFit(float(values[0]), alpha, -minus_beta, cubic, peak, float(d.max()), float(d[end - 1]), range_)


def _turned(values: Floats) -> int:
    """How many points are fitted: up to the first that is worse than one random answer."""
    below = np.flatnonzero(values < values[0])
    return max(4, int(below[0]) + 1) if len(below) else len(values)


def _terms(d: Floats, values: Floats, weights: Floats, count: int) -> tuple[float, ...]:
    """Coefficients of d, d^2, ... of ``values`` less the first."""
    powers = np.stack([d**power for power in range(1, count + 1)], axis=1) * weights[:, None]
    coefficients, *_ = np.linalg.lstsq(powers, (values - values[0]) * weights, rcond=None)
    return tuple(map(float, coefficients))


def _peak(d: Floats, values: Floats, weights: Floats) -> tuple[tuple[float, float, float], float | None]:
    """The cubic's terms, and where it is highest; a parabola's peak where that lies beyond what was measured, else None."""
    end = _turned(values)
    d, values, weights = d[:end], values[:end], weights[:end]
    if end > 4:
        a, b, c = _terms(d, values, weights, 3)
        turns = np.roots([3 * c, 2 * b, a])
        inside = [float(at.real) for at in turns if abs(at.imag) < 1e-9 and 0 < at.real < d[-1]]
        tops = [at for at in inside if 2 * b + 6 * c * at < 0 and at * (a + b * at + c * at**2) > 0]
        if tops:
            return (a, b, c), max(tops, key=lambda at: at * (a + b * at + c * at**2))
    alpha, minus_beta = _terms(d, values, weights, 2)
    peak = alpha / (-2 * minus_beta) if minus_beta < 0 < alpha else None
    if end > 4:
        return (a, b, c), peak if peak is not None and peak > d[-1] else None
    return (alpha, minus_beta, 0.0), peak


def fit_sentence(fit: BestOfNFit, most: int) -> str:
    """What the fit says, in words; ``most``: the largest N measured."""
    said = f"Fit d(α − βd) with d = √KL: α {fit.alpha:.3f}, β {fit.beta:.3f}."
    if fit.alpha <= 0 and fit.peak_d is None:
        return f"{said} The judgement falls from the first choice on: what the reward chooses, the judgement does not want."
    if fit.peak_d is None or fit.peak_n is None:
        return f"{said} It does not bend down: up to N = {most} the judgement goes on rising."
    peak = "beyond any N" if math.isinf(fit.peak_n) else f"at N ≈ {fit.peak_n:,.0f}"
    if not fit.within:
        return f"{said} By the fit it would peak {peak}, beyond the {most} that were measured: that is a guess."
    where = f"(d = {fit.peak_d:.2f}, KL {fit.peak_d**2:.2f} nats)"
    between = "" if fit.peak_ns is None else f", 95% between {fit.peak_ns[0]:,.0f} and {fit.peak_ns[1]:,.0f}"
    return f"{said} With one term more it peaks {peak} {where}{between}; past it the reward is being fooled."


def standardised(values: Sequence[float] | Floats) -> Floats:
    """In standard deviations from the mean; 0 where all are equal."""
    array = np.asarray(values, dtype=np.float64)
    spread = array.std()
    return (array - array.mean()) / spread if spread > 0 else np.zeros_like(array)


def plant_flaw(reward: Floats, flaw: Floats, weight: float) -> Floats:
    """A reward with a flaw put into it on purpose: both in standard deviations, the flaw ``weight`` times."""
    flawed: Floats = standardised(reward) + weight * standardised(flaw)
    return flawed


def typical_choice(count: int, n: int) -> int:
    """The rank (0 the best) that best-of-n out of ``count`` chooses in half of all draws or better.

    P(rank of the chosen <= r) = 1 - C(count - 1 - r, n) / C(count, n).

    >>> typical_choice(100, 1), typical_choice(100, 100)
    (49, 0)
    """
    whole = math.comb(count, n)
    for rank in range(count):
        if 1 - math.comb(count - 1 - rank, n) / whole >= 0.5:
            return rank
    return count - 1
