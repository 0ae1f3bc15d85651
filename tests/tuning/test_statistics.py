"""Intervals cover at their stated rate; p-values, corrections and sample sizes equal other libraries'."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import bootstrap, norm, permutation_test, t
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from playground.errors import BadInput
from playground.tuning.statistics import (
    Correction,
    adjust,
    mean_intervals,
    paired_differences,
    prompts_needed,
    sign_flip_p,
)

WITHIN = 3 * math.sqrt(0.95 * 0.05 / 1000)  # Monte Carlo error of a rate over 1,000 repeats, three standard errors


def passes(rng: np.random.Generator, prompts: int, lift: float) -> npt.NDArray[np.float64]:
    """1,000 experiments: the share of four samples that pass a check, on prompts of different difficulty."""
    easy = rng.random(prompts * 1000).reshape(prompts, 1000) * 0.8
    return rng.binomial(4, easy + lift) / 4 - (rng.binomial(4, easy) / 4 if lift else 0.0)


@pytest.mark.parametrize("prompts", [12, 40])
def test_intervals_of_a_mean_cover(prompts: int) -> None:
    rng = np.random.default_rng(prompts)
    for values, true in ((rng.normal(3, 2, size=(prompts, 1000)), 3.0), (passes(rng, prompts, 0.0), 0.4)):
        intervals = mean_intervals(values, repeats=1000)
        covered = np.mean([i.low is not None and i.high is not None and i.low <= true <= i.high for i in intervals])
        assert abs(covered - 0.95) < WITHIN, covered


@pytest.mark.parametrize("prompts", [12, 40])
def test_intervals_of_a_paired_difference_cover(prompts: int) -> None:
    """One baseline (0) and 1,000 settings that are better by 0.1 on each of the same prompts, but for chance."""
    better = passes(np.random.default_rng(prompts + 1), prompts, 0.1)
    differences = paired_differences(np.column_stack([np.zeros(prompts), better]), 0, repeats=1000)[1:]
    covered = np.mean([d.low is not None and d.high is not None and d.low <= 0.1 <= d.high for d in differences])
    assert abs(covered - 0.95) < WITHIN, covered


def test_where_nothing_differs_little_is_claimed() -> None:
    """p below 5% in at most 5% of 1,000 comparisons of equals; after Holm's correction of twelve, in at most 5% of sets."""
    rng = np.random.default_rng(4)
    p = sign_flip_p(rng.normal(size=(30, 1200)), repeats=1000)
    assert abs((p < 0.05).mean() - 0.05) < WITHIN
    families = [adjust(own, "holm").min() < 0.05 for own in p.reshape(100, 12)]
    assert np.mean(families) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)


def test_the_interval_is_a_percentile_bootstrap_with_wider_percentiles() -> None:
    """scipy's percentile interval, asked at the level that Hesterberg's formula gives; both are drawn."""
    values = np.random.default_rng(5).gamma(2, size=15)
    level = 1 - 2 * norm.cdf(-math.sqrt(15 / 14) * t.ppf(0.975, 14))
    reference = bootstrap((values,), np.mean, method="percentile", confidence_level=level, n_resamples=40_000, rng=1)
    (ours,) = mean_intervals(values[:, None], repeats=40_000)
    assert ours.low == pytest.approx(reference.confidence_interval.low, abs=0.02)
    assert ours.high == pytest.approx(reference.confidence_interval.high, abs=0.02)
    assert ours.mean == pytest.approx(values.mean()) and ours.prompts == 15


def test_sign_flips_equal_scipys_permutation_test() -> None:
    rng = np.random.default_rng(6)
    few = np.round(rng.normal(0.3, 1, size=9), 1)
    reference = permutation_test((few,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(few[:, None])[0] == pytest.approx(reference.pvalue)
    many = rng.normal(0.3, 1, size=40)
    reference = permutation_test((many,), np.mean, permutation_type="samples", n_resamples=20_000, rng=2)
    assert sign_flip_p(many[:, None], repeats=20_000)[0] == pytest.approx(reference.pvalue, abs=0.01)
    assert sign_flip_p(np.zeros((20, 1)))[0] == 1


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")])
def test_corrections_equal_statsmodels(ours: Correction, theirs: str) -> None:
    rng = np.random.default_rng(7)
    for size in (1, 2, 11, 40):
        p = rng.random(size) ** 3
        p[: size // 2] = np.round(p[: size // 2], 1)  # with ties
        np.testing.assert_allclose(adjust(p, ours), multipletests(p, method=theirs)[1])
    assert len(adjust(np.empty(0), ours)) == 0


@pytest.mark.parametrize(("difference", "deviation"), [(0.05, 0.3), (-0.05, 0.1), (0.2, 0.5), (1.0, 1.0), (2.0, 1.0)])
def test_prompts_needed_equal_statsmodels(difference: float, deviation: float) -> None:
    exact = TTestPower().solve_power(effect_size=abs(difference) / deviation, power=0.8, alpha=0.05)
    assert prompts_needed(difference, deviation) == math.ceil(exact)


def test_so_many_prompts_show_the_difference_in_four_of_five_experiments() -> None:
    n = prompts_needed(0.1, 0.2)
    drawn = np.random.default_rng(8).normal(0.1, 0.2, size=(n, 1000))
    significant = np.abs(drawn.mean(axis=0)) / (drawn.std(axis=0, ddof=1) / math.sqrt(n)) > t.ppf(0.975, n - 1)
    assert abs(significant.mean() - 0.8) < 3 * math.sqrt(0.8 * 0.2 / 1000)


def test_nothing_to_see_is_refused_or_at_once_enough() -> None:
    with pytest.raises(BadInput, match="other than 0"):
        prompts_needed(0.0, 1.0)
    with pytest.raises(BadInput, match="standard deviation"):
        prompts_needed(0.1, math.nan)
    assert prompts_needed(0.1, 0.0) == 2 and prompts_needed(1e-9, 1.0) > 10**9


def test_values_that_are_all_equal_are_not_called_sure() -> None:
    values = np.array([[1.0, 0.0, 0.5, 0.2, np.nan]] * 12)
    values[0, 3] = 0.4
    passed, failed, half, spread, missing = mean_intervals(values)
    assert (failed.low, failed.high) == pytest.approx(proportion_confint(0, 12, method="beta"))
    assert (passed.low, passed.high) == pytest.approx(proportion_confint(12, 12, method="beta"))
    assert (half.mean, half.low, half.high) == (0.5, None, None) and spread.low is not None
    assert (missing.mean, missing.low, missing.prompts) == (None, None, 0)
    differences = paired_differences(values, 0)
    assert (differences[0].difference, differences[0].p, differences[0].low) == (0, None, None)
    assert (
        differences[1].difference == -1 and differences[1].low is None and differences[1].p == pytest.approx(2 / 4096)
    )
    assert differences[1].p_adjusted == pytest.approx(3 * 2 / 4096) and differences[4].prompts == 0


def test_one_prompt_says_a_mean_and_no_more() -> None:
    (one,) = mean_intervals(np.array([[0.3]]))
    assert (one.mean, one.low, one.high) == (0.3, None, None)
    assert paired_differences(np.array([[0.3, 0.4]]), 0)[1].p == 1
    with pytest.raises(BadInput, match="at least one prompt"):
        mean_intervals(np.empty((0, 3)))


def test_prompts_without_a_value_are_left_out_and_seeds_repeat() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(size=(20, 3))
    holed = np.vstack([values, np.full((5, 3), np.nan)])
    assert [i.mean for i in mean_intervals(holed)] == pytest.approx(list(values.mean(axis=0)))
    assert mean_intervals(holed)[0].prompts == 20 and mean_intervals(holed) == mean_intervals(holed)
    assert mean_intervals(holed) != mean_intervals(holed, seed=1)
    assert paired_differences(holed, 1) == paired_differences(holed, 1)
