"""The cost model: it finds the parts it was made of, predicts what a simulation takes, and buys the right N."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadInput
from playground.testtime import cost
from playground.testtime.cost import (
    CostModel,
    Measured,
    PrefillTiming,
    StepTiming,
    fit_cost,
    measure,
    predict,
    recommend,
    survival,
)
from playground.testtime.types import MOST_CANDIDATES
from tests.engine.small import small_loaded

ROWS = (1, 2, 4, 8, 16, 32)
BASE = tuple(40.0 + 2.0 * rows + (60.0 if rows > 4 else 0.0) for rows in ROWS)  # a jump where few rows become many
TRUE = CostModel(ROWS, BASE, 0.01, 15.0, 0.8, 0.0, 0)


def made(noise: float = 0.0, outliers: int = 0) -> CostModel:
    rng = np.random.default_rng(0)
    steps = [
        StepTiming(rows, context, TRUE.step_ms(rows, context) * float(np.exp(noise * rng.standard_normal())))
        for rows in ROWS
        for context in (20, 70, 200)
        for _ in range(4)
    ]
    steps += [StepTiming(4, 70, 3000.0)] * outliers
    return fit_cost(steps, [PrefillTiming(n, TRUE.prefill_ms(n)) for n in (16, 64, 192)])


def test_the_parts_are_found_again() -> None:
    found = made()
    assert found.rows == TRUE.rows
    for name in ("base_ms", "cached_ms", "prefill_fixed_ms", "prefill_token_ms"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=1e-3), name
    assert found.error < 1e-6 and found.steps == 72


def test_noise_and_steps_that_another_program_disturbed_do_little_harm() -> None:
    found = made(noise=0.1, outliers=5)
    for rows in (1, 8, 32):
        assert found.step_ms(rows, 100) == pytest.approx(TRUE.step_ms(rows, 100), rel=0.15)


def test_no_part_is_negative() -> None:
    found = fit_cost(
        [StepTiming(rows, 50, 100.0 - rows) for rows in (1, 2, 4, 8)], [PrefillTiming(10, 50.0), PrefillTiming(90, 5.0)]
    )
    assert min(*found.base_ms, found.cached_ms, found.prefill_fixed_ms, found.prefill_token_ms) >= 0
    assert found.step_ms(1000, 0) >= 0, "nor does a falling line become negative far away"


def test_between_the_measured_rows_the_line_is_straight_and_goes_on_beyond() -> None:
    assert TRUE.step_ms(6, 0) == pytest.approx((TRUE.step_ms(4, 0) + TRUE.step_ms(8, 0)) / 2)
    assert TRUE.step_ms(48, 0) == pytest.approx(2 * TRUE.step_ms(32, 0) - TRUE.step_ms(16, 0))
    assert TRUE.step_ms(4, 100) - TRUE.step_ms(4, 0) == pytest.approx(4 * 100 * 0.01)


def test_the_prediction_is_the_mean_of_simulated_runs() -> None:
    """Lengths drawn at random, steps timed by the true model: closed form against 3,000 runs."""
    rng = np.random.default_rng(3)
    lengths = [3, 8, 8, 15, 20, 20]
    for n in (1, 4, 12):
        totals = []
        for _ in range(3000):
            drawn = rng.choice(lengths, n)
            totals.append(sum(TRUE.step_ms(int((drawn >= t).sum()), 100 + t) for t in range(1, int(drawn.max()) + 1)))
        expected = predict(TRUE, n, 100, survival(lengths, 20), price_per_hour=3.6)
        assert expected.decode_ms == pytest.approx(np.mean(totals), rel=0.03)
        assert expected.prefill_ms == TRUE.prefill_ms(100)
        assert expected.new_tokens == pytest.approx(n * np.mean(lengths))
        assert expected.money == pytest.approx(expected.total_ms / 1000 * 0.001)


def test_the_recommended_n_fits_and_the_next_does_not() -> None:
    alive = survival([10, 20], 20)
    for latency in (1500.0, 4000.0):
        found = recommend(TRUE, 50, alive, latency_ms=latency)
        assert found.limit == "latency" and found.prediction is not None
        assert predict(TRUE, found.n, 50, alive).total_ms <= latency < predict(TRUE, found.n + 1, 50, alive).total_ms
    by_money = recommend(TRUE, 50, alive, money=0.001, price_per_hour=2.0)
    assert by_money.limit == "money" and by_money.prediction is not None and by_money.prediction.money is not None
    assert by_money.prediction.money <= 0.001 < (predict(TRUE, by_money.n + 1, 50, alive, 2.0).money or 0)
    assert recommend(TRUE, 50, alive, latency_ms=1.0).n == 0
    assert recommend(TRUE, 50, alive).n == MOST_CANDIDATES


@pytest.mark.parametrize("bad", [{"latency_ms": 0.0}, {"latency_ms": float("nan")}, {"money": -1.0}, {"money": 1.0}])
def test_budgets_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        recommend(TRUE, 50, survival([5], 5), **bad)


def test_too_little_to_fit_is_said() -> None:
    with pytest.raises(BadInput, match="Too little"):
        fit_cost([StepTiming(4, 50, 10.0)] * 9, [])


def drained(steps: Generator[Measured, None, Measured]) -> tuple[list[Measured], Measured]:
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


def test_the_measurement_covers_its_grid_and_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MEASURED_ROWS", (1, 3))
    seen, found = drained(measure(FakeEngine(), (65, 66, 67)))
    assert len(seen) == 6 and [one.done for one in seen] == [1, 2, 3, 4, 5, 6]
    assert {step.rows for step in found.steps} == {1, 3} and {one.tokens for one in found.prefills} == set(
        cost.MEASURED_PROMPTS
    )
    assert len(found.prefills) == 6 and all(step.ms > 0 for step in found.steps)


def test_a_fit_to_a_real_model_predicts_the_steps_it_was_fitted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a model of random weights, and only that the whole has the right size: how well it fits is a benchmark's matter."""
    monkeypatch.setattr(cost, "MEASURED_ROWS", (1, 4, 16))
    engine: Any = TransformersEngine(small_loaded("llama"))
    _seen, found = drained(measure(engine, tuple(range(2, 40))))
    model = fit_cost(found.steps, found.prefills)
    middle = sorted(model.step_ms(step.rows, step.context) / step.ms for step in found.steps)[len(found.steps) // 2]
    assert 0.3 < middle < 3


def test_more_rows_than_a_batch_holds_pay_for_every_batch() -> None:
    """As ``generate_candidates`` runs them: 130 rows are 64, 64 and 2, and each batch has its own steps."""
    expected = predict(TRUE, 130, 100, np.ones(20))
    batches = [64, 64, 2]
    by_hand = sum(TRUE.step_ms(rows, 100 + step) for rows in batches for step in range(1, 21))
    assert expected.decode_ms == pytest.approx(by_hand)
    assert expected.new_tokens == 130 * 20
