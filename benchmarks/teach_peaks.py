"""Fitted peaks of over-optimisation against true ones, on planted flaws: the fit that is used, and others it was held against."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from playground.preferences.overoptimisation import fit_best_of_n, kl_of, standardised
from playground.testtime.curves import chosen_value_curve, mean_curve
from tests.preferences.planted import KINDS, drawn, true_peak

SEEDS = 150
SHAPES = ((1, 64), (12, 64), (12, 96), (12, 128), (24, 128))

Floats = npt.NDArray[np.float64]
Peak = Callable[[Floats, Floats], float]


def measured_curve(kind: str, seed: int, runs: int, answers: int) -> tuple[Sequence[int], Floats]:
    """Ns, and the mean judgement of what is chosen."""
    rewards, judged = drawn(np.random.default_rng([seed, 7]), (runs, answers), kind)
    pairs = [
        (standardised(one).tolist(), standardised(other).tolist()) for one, other in zip(rewards, judged, strict=True)
    ]
    curve = mean_curve([chosen_value_curve("judged", *pair) for pair in pairs])
    return curve.ns, np.asarray(curve.mean, dtype=np.float64)


def fitted_peak(kind: str, seed: int, runs: int, answers: int, *, parabola: bool) -> float:
    """d, infinite where the fit does not turn."""
    ns, mean = measured_curve(kind, seed, runs, answers)
    fit = fit_best_of_n(ns, mean.tolist(), np.sqrt(ns).tolist())
    if parabola:
        return fit.alpha / (2 * fit.beta) if fit.beta > 0 < fit.alpha else math.inf
    return fit.peak_d or math.inf


def peaks() -> None:
    """Share of fits within a fifth of the true peak's d."""
    names = [f"{runs} x {answers}" + (", parabola" if runs == 1 else "") for runs, answers in SHAPES]
    print("| flaw | true peak | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 2) + "|")
    for kind in KINDS:
        n = true_peak(kind)
        d = math.sqrt(kl_of(n))
        shares = []
        for runs, answers in SHAPES:
            fitted_peaks = [fitted_peak(kind, seed, runs, answers, parabola=runs == 1) for seed in range(SEEDS)]
            shares.append(f"{np.mean([abs(each / d - 1) < 0.2 for each in fitted_peaks]):.0%}")
        print(f"| {kind} | N {n:.1f} | " + " | ".join(shares) + " |", flush=True)


# -- other ways to place it, from the same answers ---------------------------------------------------------------------------

_FINE = np.linspace(0.02, 2.2, 800)  # d


def _polynomial(terms: int, weigh: Callable[[Floats], Floats] = np.ones_like) -> Peak:
    """The highest point of start + d (a + b d + ...), least squares."""

    def peak(ns: Floats, judged: Floats) -> float:
        d = np.sqrt([kl_of(float(n)) for n in ns])
        weights = weigh(ns)
        powers = np.stack([d**power for power in range(1, terms + 1)], axis=1) * weights[:, None]
        coefficients = np.linalg.lstsq(powers, (judged - judged[0]) * weights, rcond=None)[0]
        inside = _FINE[d[-1] >= _FINE]
        return float(inside[np.argmax(sum(a * inside ** (power + 1) for power, a in enumerate(coefficients)))])

    return peak


def _in_ln_n(ns: Floats, judged: Floats) -> float:
    """A cubic in ln n."""
    x = np.log(ns)
    fit = np.polynomial.Polynomial.fit(x, judged, 3, w=1 / np.sqrt(ns))
    fine = np.linspace(0.0, float(x[-1]), 800)
    return math.sqrt(kl_of(math.exp(float(fine[np.argmax(fit(fine))]))))


def _near_the_top(ns: Floats, judged: Floats) -> float:
    """A parabola through the points within a factor of three of the highest."""
    d, top = np.sqrt([kl_of(float(n)) for n in ns]), ns[int(np.argmax(judged))]
    near = (ns >= top / 3) & (ns <= top * 3)
    if near.sum() < 3:
        return float(d[int(np.argmax(judged))])
    c, b, _a = np.polyfit(d[near], judged[near], 2)
    return float(np.clip(-b / (2 * c), d[near].min(), d[near].max())) if c < 0 else math.inf


ESTIMATORS: dict[str, Peak] = {
    "the highest point": lambda ns, judged: math.sqrt(kl_of(float(ns[int(np.argmax(judged))]))),
    "near the top": _near_the_top,
    "two terms": _polynomial(2, lambda ns: 1 / np.sqrt(ns)),
    "three terms": _polynomial(3, lambda ns: 1 / np.sqrt(ns)),
    "three terms, all points alike": _polynomial(3),
    "four terms": _polynomial(4, lambda ns: 1 / np.sqrt(ns)),
    "a cubic in ln n": _in_ln_n,
}


def estimators() -> None:
    """The same answers, 12 x 128: share within a fifth of the true peak, by the way that is used and by others."""
    print("| flaw | used | " + " | ".join(ESTIMATORS) + " |\n" + "|---" * (len(ESTIMATORS) + 2) + "|")
    for kind in KINDS:
        d = math.sqrt(kl_of(true_peak(kind)))
        curves = [measured_curve(kind, seed, 12, 128) for seed in range(SEEDS)]
        used = [fitted_peak(kind, seed, 12, 128, parabola=False) for seed in range(SEEDS)]
        estimates = [
            used,
            *([peak(np.asarray(ns, dtype=np.float64), mean) for ns, mean in curves] for peak in ESTIMATORS.values()),
        ]
        shares = [f"{np.mean([abs(each / d - 1) < 0.2 for each in one]):.0%}" for one in estimates]
        print(f"| {kind} | " + " | ".join(shares) + " |", flush=True)
