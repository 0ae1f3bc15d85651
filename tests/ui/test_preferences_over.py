"""Over-optimisation as the page measures it by default: so many runs of so many answers, on flaws whose true peak is known."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from playground.charts.preferences_over import OverData
from playground.preferences.overoptimisation import fit_sentence, kl_of, standardised
from playground.ui.preferences_page.over import measure_over
from playground.ui.preferences_page.over_making import MADE, RUNS
from tests.preferences.planted import KINDS, drawn, true_curve, true_peak

SEEDS = range(12)


@cache
def measured(kind: str) -> tuple[OverData, ...]:
    """Once for each seed."""
    measurements = []
    for seed in SEEDS:
        rewards, judged = drawn(np.random.default_rng([seed, 7]), (RUNS, MADE), kind)
        measurements.append(
            measure_over([standardised(row) for row in rewards], [standardised(row) for row in judged], "it")
        )
    return tuple(measurements)


@pytest.mark.parametrize("kind", KINDS)
def test_the_peak_of_a_planted_flaw_lies_within_a_fifth_of_the_true_one(kind: str) -> None:
    """Over 150 seeds (``python -m benchmarks.bench_teach peaks``): rare 100%, common 98%, growing 89%."""
    peak, measurements = math.sqrt(kl_of(true_peak(kind))), measured(kind)
    assert all(each.judged.mean[-1] < max(each.judged.mean) - 0.1 for each in measurements), "over-optimisation shows"
    near = [abs((each.fit.peak_d or math.inf) / peak - 1) < 0.2 for each in measurements]
    assert sum(near) >= len(near) - (3 if kind == "growing" else 1)
    said = fit_sentence(measurements[0].fit, MADE)
    assert "it peaks at N" in said and "95% between" in said


@pytest.mark.parametrize("kind", KINDS)
def test_who_stops_at_the_fitted_peak_loses_little(kind: str) -> None:
    """The curve is flat where the peak is hard to place: in most repeats nine tenths of what could be won is."""
    ns, judged = true_curve(kind)
    d, gained = np.sqrt([kl_of(float(n)) for n in ns]), (judged - judged[0]) / (judged.max() - judged[0])
    won = [float(np.interp(each.fit.peak_d or each.fit.reached, d, gained)) for each in measured(kind)]
    assert float(np.median(won)) > 0.95 and sum(one > 0.9 for one in won) >= len(won) - 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_peaks_interval_covers_the_true_one(kind: str) -> None:
    """Where the judgement's tail is long the point is less sure, and the interval says so."""
    peak, measurements = math.sqrt(kl_of(true_peak(kind))), measured(kind)
    covered = [low <= peak <= high for each in measurements for low, high in [each.fit.peak_range or (0.0, 0.0)]]
    assert sum(covered) >= len(covered) - 3
