"""Over-optimisation on rewards with planted flaws, whose true peak is known by integration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.errors import BadInput
from playground.preferences.overoptimisation import (
    fit_best_of_n,
    fit_sentence,
    kl_of,
    n_of,
    plant_flaw,
    standardised,
    typical_choice,
)
from playground.testtime.curves import (
    best_score_curve,
    chosen_value_curve,
    curve_points,
    kl_bound,
    winner_weights,
)


def test_kl_and_its_inverse() -> None:
    for n in (1, 2, 7, 256, 10**6):
        assert kl_of(n) == pytest.approx(kl_bound(n)) and n_of(kl_of(n)) == pytest.approx(n)
    assert math.isinf(n_of(1e6))


def test_what_is_chosen_is_averaged_over_all_subsets() -> None:
    from itertools import combinations

    rng = np.random.default_rng(0)
    keys, values = rng.standard_normal(7), rng.standard_normal(7)
    curve = chosen_value_curve("x", keys.tolist(), values.tolist())
    for k, mean in zip(curve.ns, curve.mean, strict=True):
        drawn = [values[max(subset, key=lambda place: keys[place])] for subset in combinations(range(7), k)]
        assert mean == pytest.approx(float(np.mean(drawn)))
    assert all(low <= high for low, high in zip(curve.low, curve.high, strict=True))
    own = chosen_value_curve("x", keys.tolist(), keys.tolist())
    assert own.mean == pytest.approx(best_score_curve("x", keys.tolist()).mean)


def test_the_fit_finds_what_was_put_in() -> None:
    ns = curve_points(256)
    d = np.sqrt([kl_of(n) for n in ns])
    fit = fit_best_of_n(ns, (0.3 + d * (1.2 - 0.5 * d)).tolist())
    assert (fit.start, fit.alpha, fit.beta) == pytest.approx((0.3, 1.2, 0.5)) and fit.peak_d == pytest.approx(1.2)
    assert fit.within and kl_of(fit.peak_n or 0) == pytest.approx(1.44) and "peaks at N" in fit_sentence(fit, 256)


def test_the_peak_is_read_off_with_a_third_term_where_the_curve_is_no_parabola() -> None:
    ns = curve_points(64)
    d = np.sqrt([kl_of(n) for n in ns])
    judged = d * (2.0 - 1.5 * d + 0.25 * d**2)
    fit = fit_best_of_n(ns, judged.tolist())
    assert fit.cubic == pytest.approx((2.0, -1.5, 0.25)) and fit.cubic_at(d) == pytest.approx(judged)
    assert fit.peak_d == pytest.approx((3 - math.sqrt(3)) / 1.5)  # of 2 - 3 d + 3/4 d^2 the smaller root
    assert fit.alpha / (2 * fit.beta) != pytest.approx(fit.peak_d, rel=0.02) and fit.peak_range is None


def test_a_reward_without_a_flaw_does_not_bend_down_within_what_was_measured() -> None:
    reward = np.random.default_rng(1).standard_normal(256)
    curve = chosen_value_curve("judged", reward.tolist(), reward.tolist())
    fit = fit_best_of_n(curve.ns, curve.mean)
    assert not fit.within or (fit.peak_d or 0) > 0.9 * fit.reached
    against = fit_best_of_n(curve.ns, [-value for value in curve.mean])
    assert against.peak_d is None and "falls from the first" in fit_sentence(against, 256)


def test_too_few_points_are_one_sentence() -> None:
    with pytest.raises(BadInput, match="at least four"):
        fit_best_of_n((1, 2, 3), (0.0, 0.1, 0.2))


def test_a_planted_flaw_is_in_standard_deviations_and_equal_values_are_nothing() -> None:
    reward, flaw = np.arange(10.0), np.arange(10.0)[::-1]
    assert plant_flaw(reward, flaw, 1.0) == pytest.approx(np.zeros(10))
    assert not standardised([3.0, 3.0]).any()


def test_the_typical_choice_is_the_median_of_the_choices() -> None:
    for n in (1, 3, 20, 64):
        weights = winner_weights(64, [n])[:, 0].cumsum()
        assert typical_choice(64, n) == int(np.argmax(weights >= 0.5 - 1e-12))
