"""A policy against best-of-N at equal KL, on normal rewards whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.preferences_equal_kl import equal_kl_bands
from playground.errors import BadInput
from playground.testtime.curves import kl_bound
from playground.testtime.equal_kl import answer_kl, compare_at_equal_kl, equal_kl_sentence


def test_the_kl_of_answers_is_that_of_the_two_distributions() -> None:
    """Drawn from one distribution, rated by both: the mean is sum p ln(p/q), and no answer is below 0."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    drawn = np.random.default_rng(0).choice(3, 20_000, p=p)
    each = [answer_kl(np.log(p[[token]]), np.log(q[[token]])) for token in drawn]
    assert min(each) >= 0 and np.mean(each) == pytest.approx(float((p * np.log(p / q)).sum()), rel=0.03)
    assert answer_kl(np.log(p), np.log(p)) == 0


def normal(shift: float, kl: float) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Rewards of a start N(0, 1), of a policy N(shift, 1), and its KL: six prompts of other units, 64 answers each."""
    rng = np.random.default_rng(3)
    units, means = rng.uniform(1, 9, 6), rng.normal(0, 50, 6)
    start, policy = (
        [m + u * (s + rng.standard_normal(64)) for u, m in zip(units, means, strict=True)] for s in (0.0, shift)
    )
    return start, policy, [rng.exponential(kl, 64) for _ in range(6)]


def test_best_of_two_is_found_at_its_kl_whatever_the_prompts_units() -> None:
    """E[max of two normal draws] = 1/sqrt(pi)."""
    start, policy, kls = normal(0.2, kl_bound(2))
    comparison = compare_at_equal_kl(start, policy, kls)
    assert comparison.n == pytest.approx(2, abs=0.2) and not comparison.beyond
    assert (
        comparison.best.low < 1 / np.sqrt(np.pi) < comparison.best.high
        and comparison.policy.low < 0.2 < comparison.policy.high
    )
    assert comparison.ahead.high < 0 and "Best-of-N is ahead" in equal_kl_sentence(comparison)
    assert comparison.curve[0] == pytest.approx(0, abs=1e-9) and list(comparison.curve) == sorted(comparison.curve)
    bands = equal_kl_bands(comparison)
    figure = bands_figure(bands)
    assert "DPO" in bands_description(bands) and sum("error_y" in trace for trace in figure._data) == 1


def test_who_is_ahead_is_said_only_where_it_is_no_chance() -> None:
    assert "DPO is ahead" in equal_kl_sentence(compare_at_equal_kl(*normal(1.5, 0.2)))
    assert "may be chance" in equal_kl_sentence(compare_at_equal_kl(*normal(1 / np.sqrt(np.pi), kl_bound(2))))


def test_a_kl_beyond_what_was_measured_is_said_and_equal_rewards_are_refused() -> None:
    start, policy, kls = normal(0.5, 9.0)
    comparison = compare_at_equal_kl(start, policy, kls)
    assert comparison.beyond and comparison.n == 64 and "held back" in equal_kl_sentence(comparison)
    with pytest.raises(BadInput, match="the same value"):
        compare_at_equal_kl([np.ones(8)], [np.ones(8)], [np.ones(8)])
