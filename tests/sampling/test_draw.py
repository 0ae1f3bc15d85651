"""The draw is the inverse of the cumulative distribution, at random numbers that can be repeated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.errors import BadInput
from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.draw import Draw, UniformStream, cumulative_distribution, draw_many, draw_token
from playground.sampling.settings import SamplerSettings
from tests.sampling.rows import make_rows

uniforms = st.floats(0, 1, exclude_max=True)
distributions = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1)), min_size=1, max_size=30).filter(any)


def slow_draw(probs: list[float], u: float) -> int:
    """Walk down the tokens, likeliest first, until the mass passes u."""
    total, mass = sum(sorted(probs, reverse=True)), 0.0
    descending = sorted((i for i, p in enumerate(probs) if p > 0), key=lambda i: (-probs[i], i))
    for i in descending:
        mass += probs[i] / total
        if u < mass:
            return i
    return descending[-1]


@settings(max_examples=200)
@given(distributions, uniforms)
def test_a_draw_is_what_walking_down_the_list_gives(weights: list[float], u: float) -> None:
    probs = np.array(weights) / sum(weights)
    drawn = draw_token(probs, u)
    assert probs[drawn.id] > 0
    assert drawn.low <= u < drawn.high
    assert drawn.high - drawn.low == pytest.approx(probs[drawn.id], abs=1e-9)
    assert drawn.id == draw_many(probs, [u])[0]
    if min(abs(u - drawn.low), abs(drawn.high - u)) > 1e-9:  # at an edge rounding decides
        assert drawn.id == slow_draw(probs.tolist(), u)


def test_worked_example_and_edges() -> None:
    probs = np.array([0.25, 0.5, 0.25, 0.0])
    assert draw_token(probs, 0.6) == Draw(u=0.6, id=0, low=0.5, high=0.75, rank=1)
    assert draw_token(probs, 0.0).id == 1
    assert draw_token(probs, 0.5).id == 0 and draw_token(probs, np.nextafter(0.5, 0)).id == 1
    assert draw_token(probs, np.nextafter(1.0, 0)).id == 2


@pytest.mark.parametrize("u", [0.0, 0.3, float(np.nextafter(1.0, 0))])
def test_no_token_of_zero_probability_is_ever_drawn(u: float) -> None:
    for row in make_rows(300, seed=3).values():
        probs = trace_row(row, SamplerSettings(top_p=0.9), SamplingContext(())).final_probs
        assert probs[draw_token(probs, u).id] > 0


def test_draws_follow_the_distribution() -> None:
    probs = trace_row(make_rows(40, seed=6)["flat"], SamplerSettings(top_k=20), SamplingContext(())).final_probs
    stream = [UniformStream(seed=17).at(step) for step in range(20_000)]
    counts = np.bincount(draw_many(probs, stream), minlength=40)
    kept = probs > 0
    assert counts[~kept].sum() == 0
    expected = probs[kept].astype(np.float64) / probs[kept].sum(dtype=np.float64) * counts.sum()
    assert stats.chisquare(counts[kept], expected).pvalue > 1e-3
    wrong = np.roll(expected, 1)
    assert stats.chisquare(counts[kept], wrong).pvalue < 1e-6  # the test would notice


@pytest.mark.parametrize("make", [lambda i: UniformStream(i).at(0), lambda i: UniformStream(0, i).at(0)])
def test_the_random_numbers_are_uniform_over_seeds_and_rows(make: Callable[[int], float]) -> None:
    values = [make(i) for i in range(4000)]
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert len(set(values)) == 4000


def test_streams_are_stateless_and_independent() -> None:
    stream = UniformStream(seed=5, row=2)
    assert [stream.at(step) for step in (3, 1, 3)] == [stream.at(3), UniformStream(5, 2).at(1), stream.at(3)]
    steps = range(3000)
    draws = [stream.at(step) for step in steps]
    coins = [stream.at(step, "xtc") for step in steps]
    neighbour = [UniformStream(5, 3).at(step) for step in steps]
    for other in (coins, neighbour, draws[1:] + draws[:1]):
        assert abs(np.corrcoef(draws, other)[0, 1]) < 0.06
    assert all(0 <= u < 1 for u in draws)


def test_seed_five_stays_what_it_is() -> None:
    """Links and exported commands promise the same tokens for the same seed: this value may never change."""
    assert UniformStream(0).at(0) == UniformStream(seed=0, row=0).at(0, "draw")
    assert UniformStream(5).at(0) == pytest.approx(SEED_FIVE, abs=0)


SEED_FIVE = 0.380242576451844


@pytest.mark.parametrize("bad", [1.0, -0.1, float("nan")])
def test_a_uniform_outside_its_range_is_refused(bad: float) -> None:
    for draw in (draw_token, lambda probs, u: draw_many(probs, [u])):
        with pytest.raises(BadInput):
            draw(np.array([1.0]), bad)


@pytest.mark.parametrize("probs", [[0.0, 0.0], [np.nan, 1.0], []])
def test_a_row_without_probability_is_refused(probs: list[float]) -> None:
    with pytest.raises(BadInput):
        draw_token(np.array(probs), 0.5)


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(BadInput):
        UniformStream(-1).at(0)


@pytest.mark.parametrize("shape", ["peaked", "flat", "tied", "few"])
def test_sorting_the_likeliest_first_gives_the_same_draw(shape: str) -> None:
    rng = np.random.default_rng(0)
    logits = {
        "peaked": rng.normal(size=5000) * 4,
        "flat": rng.normal(size=5000) * 0.1,
        "tied": rng.integers(0, 4, 5000).astype(np.float64),
        "few": np.where(np.arange(5000) % 100, -np.inf, 1.0),
    }[shape]
    weights = np.exp(logits - logits.max())
    probs = (weights / weights.sum()).astype(np.float32)
    whole = cumulative_distribution(probs)
    for u in (0.0, 1 - 2.0**-53, *rng.random(100)):
        rank = int(whole.place_of(np.array([u]))[0])
        got = draw_token(probs, float(u))
        assert (got.id, got.rank) == (whole.ids[rank], rank)
        assert got.high == pytest.approx(whole.ends[rank], abs=1e-12)
        assert got.low <= got.u < got.high
