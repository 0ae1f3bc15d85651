"""One model of this machine's speed: what the Plan pages, Inside the model and Best-of-N say of the same pass is equal."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest

from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.inspection.speed import Speed, workload_of
from playground.inspection.timing import time_machine
from playground.plan.machine_answers import machine_data, machine_rows
from playground.plan.measure import measure
from playground.sampling.settings import NEUTRAL
from playground.scaling.configs import load_preset
from playground.scaling.machine import MachineFit
from playground.testtime.cost import CostModel, predict, time_draw
from tests.clock import PassClock
from tests.engine.small import small_loaded

T = TypeVar("T")
ROWS, CONTEXTS = (1, 2, 7, 32), (0, 1, 16, 500)


def finish(steps: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine on a machine whose clock moves as the formula says, at known rates."""
    engine = FakeEngine()
    clock = PassClock(engine)
    monkeypatch.setattr("playground.inspection.timing.time.perf_counter", lambda: clock.now)
    monkeypatch.setattr("playground.plan.measure._timed", lambda work: 1.0)
    return engine


def test_the_three_features_predict_the_same_numbers(engine: FakeEngine) -> None:
    """Each measured by itself: prompts, steps of one row and of many."""
    plan = finish(measure(engine, CancelToken())).timing.speed
    inside = finish(time_machine(engine, CancelToken(), (16, 64, 256, 1024))).speed
    quick = finish(time_machine(engine, CancelToken(), (16, 64, 128))).speed
    best_of_n = CostModel(quick, draw_ms=0.25)
    for tokens in (1, 16, 100, 1500):
        seconds = inside.seconds(tokens)
        assert plan.seconds(tokens) == pytest.approx(seconds, rel=1e-3)
        assert best_of_n.prefill_ms(tokens) == pytest.approx(1000 * seconds, rel=1e-3)
    for rows in ROWS:
        for context in CONTEXTS[1:]:
            seconds = inside.seconds(1, context, rows)
            assert plan.seconds(1, context, rows) == pytest.approx(seconds, rel=1e-3)
            assert best_of_n.step_ms(rows, context) == pytest.approx(1000 * seconds + rows * 0.25, rel=1e-3)


def test_what_each_page_shows_of_one_measurement_is_that_prediction(engine: FakeEngine) -> None:
    rates = finish(measure(engine, CancelToken()))
    rows = {row.name: row for row in machine_rows(rates.timing, rates.peaks)}
    for length in rates.timing.lengths:
        predicted = 1e3 * rates.timing.speed.seconds(length.prefill.tokens)
        assert f"{predicted:,.1f} ms predicted" in rows[f"{length.prefill.tokens} tokens"].text
    several = rates.timing.rows[-1]
    predicted = 1e3 * rates.timing.speed.seconds(1, several.context, several.rows)
    assert f"{predicted:,.1f} ms" in rows[f"1 token after {several.context} in each of {several.rows} rows"].text
    curve = machine_data(rates.timing).series[0]
    np.testing.assert_allclose(curve.y, [1e3 * rates.timing.speed.seconds(int(length)) for length in curve.x])
    (one,) = predict(CostModel(rates.timing.speed, 0.0), [1], 100, np.ones(3))
    steps = [rates.timing.speed.seconds(1, context) for context in (100, 101)]  # the first token comes with the prefill
    assert one.total_ms == pytest.approx(1e3 * (rates.timing.speed.seconds(100) + sum(steps)))


def test_predictions_are_what_a_run_takes_on_that_machine(engine: FakeEngine) -> None:
    """A batch of 5 rows for 7 tokens by the engine's own clock."""
    speed = finish(time_machine(engine, CancelToken(), (16, 64, 256, 1024))).speed
    clock = PassClock(plain := FakeEngine())
    batch = plain.open_batch([tuple(range(40))] * 5)
    for _ in range(6):
        batch.step([1] * 5)
    (expected,) = predict(CostModel(speed, 0.0), [5], 40, np.ones(7))
    assert expected.total_ms == pytest.approx(1e3 * clock.now, rel=1e-2)


@pytest.mark.parametrize("overlap", [1.0, 1.5])
@pytest.mark.parametrize("spec", ["Llama-3-8B", "Mixtral-8x7B"])
def test_all_pairs_at_once_are_the_passes_one_by_one(spec: str, overlap: float) -> None:
    engine = TransformersEngine(small_loaded("llama"))
    plain = workload_of(engine.info, engine.weights())
    work = type(plain)(plain.body, plain.head, plain.bytes_per_weight, load_preset(spec).spec)
    speed = Speed(work, MachineFit(2e11, 1e10, overlap))
    one_by_one = [[speed.seconds(1, context, rows) for context in CONTEXTS] for rows in ROWS]
    np.testing.assert_allclose(speed.step_seconds(ROWS, CONTEXTS), one_by_one)


def test_only_what_a_token_goes_through_is_counted() -> None:
    """The body and one head: the whole model where the head is the input's table, a table less where it is not."""
    for kind, tables in (("llama-tied", 0), ("llama", 1)):
        engine = TransformersEngine(small_loaded(kind))
        work = workload_of(engine.info, engine.weights())
        model = engine.loaded.model
        through = model.num_parameters() - tables * model.get_input_embeddings().weight.numel()
        assert work.flops(1) == pytest.approx(2 * through, rel=0.01) and work.weights_bytes(1) == 4 * through


def test_a_draw_is_timed_once_for_a_vocabulary_and_settings() -> None:
    time_draw.cache_clear()
    settings = NEUTRAL.replace(top_k=5, temperature=0.7)
    first = time_draw(1000, settings)
    assert 0 < first < 1000 and time_draw(1000, settings) == first
