"""Diversity figures against counting by hand and against scipy's own interval."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm, t

from playground.generation.diversity import (
    distinct_n,
    diversity,
    first_divergence,
    mean_interval,
    ngrams,
    repeated_share,
)

IDS = st.lists(st.integers(0, 4), max_size=20).map(tuple)


def test_distinct_n_of_known_texts() -> None:
    assert distinct_n((1, 1, 1, 1), 1) == 0.25
    assert distinct_n((1, 2, 1, 2), 2) == pytest.approx(2 / 3)
    assert distinct_n((1, 2, 3), 3) == 1.0
    assert distinct_n((1, 2), 3) is None and distinct_n((), 1) is None
    assert repeated_share((1, 2, 3, 4, 1, 2, 3, 4)) == pytest.approx(1 / 5)
    assert repeated_share((1, 2, 3)) is None


@given(IDS, st.integers(1, 5))
def test_repeated_ngrams_are_those_seen_before(ids: tuple[int, ...], n: int) -> None:
    windows = [tuple(row) for row in np.lib.stride_tricks.sliding_window_view(ids, n)] if len(ids) >= n else []
    assert ngrams(ids, n) == windows
    again = sum(window in windows[:place] for place, window in enumerate(windows))
    expected = again / len(windows) if windows else None
    assert repeated_share(ids, n) == (pytest.approx(expected) if expected is not None else None)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=12))
def test_the_interval_is_scipys(values: list[float]) -> None:
    interval = mean_interval(values)
    assert interval is not None and interval.low is not None and interval.high is not None
    error = statistics.stdev(values) / len(values) ** 0.5
    if error > 1e-9:
        low, high = t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-6)
        assert high - low > 2 * norm.ppf(0.975) * error, "few texts: wider than the normal interval"
    assert interval.low <= interval.mean <= interval.high and interval.count == len(values)


def test_the_interval_is_about_what_resampling_gives() -> None:
    values = np.random.default_rng(0).normal(3, 2, 200)
    interval = mean_interval(values.tolist())
    ci = bootstrap((values,), np.mean, random_state=np.random.default_rng(1)).confidence_interval
    assert interval is not None and interval.low == pytest.approx(ci.low, abs=0.05)
    assert interval.high == pytest.approx(ci.high, abs=0.05)


def test_one_text_has_no_interval_and_none_has_no_figure() -> None:
    one = mean_interval([2.0])
    assert one is not None and (one.mean, one.low, one.high, one.count) == (2.0, None, None, 1)
    assert mean_interval([]) is None
    empty = diversity([()], [[]])
    assert empty.logprob is None and empty.distinct == {1: None, 2: None, 3: None} and empty.repeated is None
    assert empty.length is not None and empty.length.mean == 0


def test_the_figures_of_a_setting() -> None:
    spread = diversity([(1, 2, 3, 4), (1, 2, 3, 4), (1, 1)], [[-1.0, -3.0], [-2.0], [-6.0, -2.0]])
    assert (spread.different, spread.texts) == (2, 3)
    assert spread.length is not None and spread.length.mean == pytest.approx(10 / 3)
    assert spread.logprob is not None and spread.logprob.mean == pytest.approx((-2 - 2 - 4) / 3)
    assert spread.distinct[1] is not None and spread.distinct[1].mean == pytest.approx((1 + 1 + 0.5) / 3)
    assert spread.distinct[3] is not None and spread.distinct[3].count == 2, (
        "a text too short is left out, not counted 0"
    )


@given(IDS, IDS)
def test_texts_part_where_they_first_differ(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    place = first_divergence(left, right)
    assert place == first_divergence(right, left)
    if place is None:
        assert left == right
    else:
        assert left[:place] == right[:place] and left[place : place + 1] != right[place : place + 1]
