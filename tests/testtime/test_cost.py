"""The cost model: it predicts what a simulation takes, and buys the right N."""

from __future__ import annotations

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.inspection.speed import Speed, workload_of
from playground.scaling.machine import MachineFit
from playground.testtime.cost import CostModel, predict, recommend, survival, time_draw
from playground.testtime.events import BatchStep
from playground.testtime.live_run import LiveRun
from playground.testtime.types import MOST_CANDIDATES
from tests.generation.test_generate import SETTINGS

_ENGINE = FakeEngine()
TRUE = CostModel(Speed(workload_of(_ENGINE.info, _ENGINE.weights()), MachineFit(2e8, 2e8, 1.5)), 0.4)


def test_a_batchs_first_step_draws_from_the_prefills_logits() -> None:
    assert TRUE.step_ms(4, None) == pytest.approx(4 * 0.4)
    steps = TRUE.steps_ms(4, 100, 3)  # (rows, steps)
    assert steps.shape == (4, 3)
    for rows in range(1, 5):
        one_by_one = [TRUE.step_ms(rows, context) for context in (None, 100, 101)]
        np.testing.assert_allclose(steps[rows - 1], one_by_one)


def test_a_runs_steps_are_timed_behind_what_they_read() -> None:
    """A batch's events tell the longest row after each step: its last token is drawn, the one before was read."""
    run = LiveRun()
    run.take(BatchStep(0, 3, 3, 101, 1.0, prefill_ms=50.0))
    run.take(BatchStep(0, 3, 3, 102, 20.0))
    assert [timing.context for timing in run.timings] == [None, 100]


def test_the_prediction_is_the_mean_of_simulated_runs() -> None:
    """Lengths drawn at random, steps timed by the true model: closed form against 3,000 runs."""
    rng = np.random.default_rng(3)
    lengths = [3, 8, 8, 15, 20, 20]
    for n in (1, 4, 12):
        totals, steps = [], TRUE.steps_ms(n, 100, 20)
        for _ in range(3000):
            drawn = rng.choice(lengths, n)
            there = [int((drawn >= step).sum()) for step in range(1, int(drawn.max()) + 1)]
            totals.append(sum(steps[rows - 1, step] for step, rows in enumerate(there)))
        (expected,) = predict(TRUE, [n], 100, survival(lengths, 20), price_per_hour=3.6)
        assert expected.decode_ms == pytest.approx(np.mean(totals), rel=0.03)
        assert expected.prefill_ms == TRUE.prefill_ms(100)
        assert expected.new_tokens == pytest.approx(n * np.mean(lengths))
        assert expected.money == pytest.approx(expected.total_ms / 1000 * 0.001)


def test_the_recommended_n_fits_and_the_next_does_not() -> None:
    alive = survival([10, 20], 20)
    for latency in (1500.0, 4000.0):
        advice = recommend(TRUE, 50, alive, latency_ms=latency)
        assert advice.limit == "latency" and advice.prediction is not None
        fits, too_many = predict(TRUE, [advice.n, advice.n + 1], 50, alive)
        assert fits.total_ms <= latency < too_many.total_ms
    by_money = recommend(TRUE, 50, alive, money=0.001, price_per_hour=2.0)
    assert by_money.limit == "money" and by_money.prediction is not None and by_money.prediction.money is not None
    assert by_money.prediction.money <= 0.001
    assert (next(predict(TRUE, [by_money.n + 1], 50, alive, 2.0)).money or 0) > 0.001
    assert recommend(TRUE, 50, alive, latency_ms=1.0).n == 0
    assert recommend(TRUE, 50, alive).n == MOST_CANDIDATES


@pytest.mark.parametrize("bad", [{"latency_ms": 0.0}, {"latency_ms": float("nan")}, {"money": -1.0}, {"money": 1.0}])
def test_budgets_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        recommend(TRUE, 50, survival([5], 5), **bad)


def test_more_rows_than_a_batch_holds_pay_for_every_batch() -> None:
    """As ``generate_candidates`` runs them: 130 rows are 64, 64 and 2, and each batch has its own steps."""
    (expected,) = predict(TRUE, [130], 100, np.ones(20))
    batches = [64, 64, 2]
    by_hand = sum(TRUE.step_ms(rows, 99 + step if step else None) for rows in batches for step in range(20))
    assert expected.decode_ms == pytest.approx(by_hand)
    assert expected.new_tokens == 130 * 20
    with pytest.raises(BadInput):
        next(predict(TRUE, [3, 0], 100, np.ones(2)))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_draw_by_every_sampler_can_be_timed(name: str) -> None:
    """Whatever the page is set to: a sampler that needs a history or a state has an empty one."""
    assert time_draw(300, SETTINGS[name]) > 0
