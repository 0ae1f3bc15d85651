"""What a plan takes, said before: within a fifth of what it took, from a few of its texts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from playground.testtime.cost import CostModel
from playground.testtime.types import Candidate
from playground.tuning.pace import Pace
from playground.tuning.plan import Plan, plan_values, read_plan
from playground.tuning.predicting import forecast, trial_places
from playground.tuning.running import PlanStep, plan_places
from tests.tuning.test_runs import plan_of


def large(examples: int = 12, settings: int = 8, **changes: Any) -> Plan:
    named = {f"s{number}": {"temperature": number / 5} for number in range(settings)}
    prompts = [{"prompt": f"prompt {number}"} for number in range(examples)]
    values = plan_values(plan_of()) | {"examples": prompts, "settings": named, "max_new_tokens": 64} | changes
    return read_plan(values, lambda file: ())


def texts_of(plan: Plan, seed: int = 0, low: int = 15, high: int = 70) -> dict[int, Candidate]:
    """Lengths that differ by example, by arm and by chance, as texts' do; many end at the limit."""
    rng = np.random.default_rng(seed)
    by_example, by_arm = (
        rng.uniform(low, high, len(plan.examples)),
        dict(zip(plan.arms, rng.uniform(-15, 15, len(plan.arms)), strict=True)),
    )
    texts = {}
    for place, (example, arm, _sample) in enumerate(plan_places(plan)):
        length = int(np.clip(by_example[example] + by_arm[arm] + rng.normal(0, 15), 1, plan.max_new_tokens))
        texts[place] = text(place, length, length < plan.max_new_tokens)
    return texts


def text(place: int, length: int, early: bool) -> Candidate:
    nothing = np.zeros(length, dtype=np.float32)
    reason = "eos" if early else "length"
    return Candidate(place, (1,), (5,) * length, "x", reason, nothing, nothing, nothing, nothing, nothing[:, None], 10)


def test_before_the_first_text_it_is_the_limit_and_says_so() -> None:
    plan = large()
    prediction = forecast(plan, [10] * 12, {})
    assert (prediction.texts, prediction.tokens, prediction.most_tokens) == (216, 216 * 64, 216 * 64)
    assert (prediction.sample_size, prediction.seconds, prediction.read_tokens) == (0, None, 2160)
    assert prediction.billed(1, 2) == pytest.approx((2160 + 2 * 216 * 64) / 1e6)


@pytest.mark.parametrize("seed", range(5))
def test_a_trial_tells_the_tokens_within_a_fifth(seed: int) -> None:
    plan = large()
    all_texts = texts_of(plan, seed)
    trial = {place: all_texts[place] for place in trial_places(plan)}
    prediction = forecast(plan, [10] * 12, trial, pace=written([(30, 0.1)] * 100))
    actual = sum(one.n_tokens for place, one in all_texts.items() if place not in trial)
    assert prediction.texts == 216 - 48 and prediction.tokens == pytest.approx(actual, rel=0.2)
    assert prediction.seconds == pytest.approx(prediction.tokens / 300) and 0 < prediction.early < 1
    half = {place: all_texts[place] for place in range(108)} | trial
    rest = sum(one.n_tokens for place, one in all_texts.items() if place not in half)
    assert forecast(plan, [10] * 12, half).tokens == pytest.approx(rest, rel=0.2)
    assert forecast(plan, [10] * 12, all_texts).tokens == 0


def test_texts_that_were_there_first_do_not_make_the_others_short() -> None:
    """Of a trial under way, and of a run that is paused, those are there that ended early."""
    plan = large()
    all_texts = texts_of(plan, low=35, high=45)
    early = {place: one for place, one in all_texts.items() if one.n_tokens < 20 and place in trial_places(plan)}
    assert len(early) > 3 and forecast(plan, [10] * 12, early).tokens == 64 * (216 - len(early))
    paused = {place: one for place, one in all_texts.items() if place < 60 or (place < 110 and one.n_tokens < 25)}
    rest = sum(one.n_tokens for place, one in all_texts.items() if place not in paused)
    prediction = forecast(plan, [10] * 12, paused)
    assert prediction.sample_size >= 60 and prediction.tokens == pytest.approx(rest, rel=0.2)


def test_a_trial_is_spread_over_examples_and_arms() -> None:
    for plan in (large(), large(examples=1), large(examples=30, settings=3), large(examples=2, settings=2, samples=5)):
        chosen = trial_places(plan)
        assert len(set(chosen)) == len(chosen) == min(48, plan.texts // 3)
        examples, arms = (Counter(plan_places(plan)[place][part] for place in chosen) for part in (0, 1))
        assert max(examples.values()) - min(examples.values()) <= 1 and len(examples) == min(
            len(chosen), len(plan.examples)
        )
        assert max(arms.values()) - min(arms.values()) <= 1


def written(passes: list[tuple[int, float]]) -> Pace:
    pace = Pace()
    for rows, seconds in passes:
        pace.add(PlanStep(0, (), rows, seconds))
    return pace


def test_a_pace_is_a_base_and_a_row_and_says_nothing_of_a_few_tokens() -> None:
    assert written([(30, 1.0)] * 4).tokens_per_s is None  # the first reads the prompts
    steady = written([(0, 9.0), (30, 9.0), *[(30, 1.0)] * 10]).pass_time()
    assert steady is not None and steady.seconds(2, 60) == pytest.approx(2.0)
    rng = np.random.default_rng(0)
    ending = [(rows, 0.2 + 0.01 * rows + 0.01 * rng.normal()) for rows in range(40, 0, -1)]
    pass_time = written(ending).pass_time()
    assert (
        pass_time is not None
        and pass_time.base == pytest.approx(0.2, abs=0.02)
        and pass_time.row == pytest.approx(0.01, abs=0.001)
    )


def simulated(plan: Plan, texts: dict[int, Candidate], places: list[int], rows: int) -> list[tuple[int, float]]:
    """Passes of a run in which rows that end give their place to the next: 60 ms and 4 ms a row."""
    waiting, live, passes = list(places), list[int](), list[tuple[int, float]]()
    while waiting or live:
        while waiting and len(live) < rows:
            live.append(texts[waiting.pop(0)].n_tokens)
        passes.append((len(live), 0.06 + 0.004 * len(live)))
        live = [left - 1 for left in live if left > 1]
    return passes


@pytest.mark.parametrize("seed", range(3))
def test_a_trial_tells_the_seconds_within_a_fifth(seed: int) -> None:
    for plan in (large(), large(examples=6, settings=3)):
        all_texts, trial = texts_of(plan, seed), trial_places(plan)
        pace = written(simulated(plan, all_texts, list(trial), 48))
        rest = [place for place in range(plan.texts) if place not in trial]
        took = sum(seconds for _rows, seconds in simulated(plan, all_texts, rest, 48))
        prediction = forecast(plan, [10] * 12, {place: all_texts[place] for place in trial}, pace=pace)
        assert prediction.seconds == pytest.approx(took, rel=0.2)


class SixtyMsMachine(CostModel):
    """A machine whose passes take 60 ms and 4 ms a row, and that reads 200 tokens a second."""

    def __init__(self) -> None:
        pass

    def step_ms(self, rows: int, context: int | None) -> float:
        return 60 + 4.0 * rows

    def prefill_ms(self, tokens: int) -> float:
        return 5.0 * tokens


def test_before_any_text_the_machine_s_measured_speed_tells_the_most_it_takes() -> None:
    plan = large()
    prediction = forecast(plan, [10] * 12, {}, model=SixtyMsMachine())
    longest = {place: text(place, 64, early=False) for place in range(plan.texts)}
    took = sum(seconds for _rows, seconds in simulated(plan, longest, list(range(plan.texts)), 48))
    assert prediction.sample_size == 0 and prediction.seconds == pytest.approx(took + 12 * 0.05, rel=0.2)
