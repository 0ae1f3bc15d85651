"""Racing and retrying on a fake engine, and both on paper against a plain replay."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.types import FloatArray
from playground.errors import BadInput
from playground.sampling.settings import NEUTRAL
from playground.testtime.generate import CandidateRequest, Variation
from playground.testtime.race import RaceResult, first_valid, race, retry
from playground.testtime.types import Candidate

MOST = 40


def engine() -> FakeEngine:
    """A or B at random, and the end: candidates of different lengths and texts."""

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.full(VOCAB, -30.0, dtype=np.float32)
        row[65], row[66], row[EOS_ID] = 1.0, 1.0, -1.0
        return row

    return FakeEngine(logits)


def asked(n: int = 10, seed: int = 0) -> CandidateRequest:
    return CandidateRequest((Variation((67,), NEUTRAL),), n, max_new_tokens=MOST, seed=seed)


def result_of(steps: Generator[Any, None, RaceResult]) -> RaceResult:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            race_result: RaceResult = end.value
            return race_result


def passes(candidate: Candidate) -> bool:
    return candidate.text.endswith("A") and candidate.finish_reason == "eos"


def everyone(seed: int) -> list[Candidate]:
    done = result_of(race(engine(), asked(seed=seed), lambda one: False))
    return sorted((one.candidate for one in done.finished), key=lambda one: one.index)


@pytest.mark.parametrize("seed", range(6))
def test_the_first_that_passes_wins_and_the_rest_are_stopped(seed: int) -> None:
    whole = everyone(seed)
    good = [one for one in whole if passes(one)]
    busy = engine()
    outcome = result_of(race(busy, asked(seed=seed), passes))
    assert busy.batches[-1].closed
    if not good:
        assert outcome.winner is None and outcome.first_ms is None and outcome.tokens_wasted == outcome.tokens_spent
        return
    first = min(good, key=lambda one: (one.n_tokens, one.index))
    assert outcome.winner is not None and outcome.winner.ids == first.ids and outcome.winner.index == first.index
    step = first.n_tokens
    assert outcome.tokens_spent == sum(min(one.n_tokens, step) for one in whole)
    assert outcome.tokens_wasted == outcome.tokens_spent - step
    assert outcome.stopped == sum(one.n_tokens > step for one in whole)
    assert outcome.tokens_saved == outcome.stopped * (MOST - step)
    assert len(outcome.finished) + outcome.stopped == 10
    assert outcome.first_ms is not None and 0 < outcome.first_ms <= outcome.total_ms and outcome.winner.origin == "race"


def test_of_several_that_end_with_one_step_the_lowest_index_wins() -> None:
    same = CandidateRequest((Variation((67,), NEUTRAL),), 5, max_new_tokens=1)
    outcome = result_of(race(engine(), same, lambda one: one.index >= 2))
    assert outcome.winner is not None and outcome.winner.index == 2
    assert [one.valid for one in outcome.finished] == [False, False, True, True, True]


@pytest.mark.parametrize("seed", range(4))
def test_retry_stops_at_the_first_that_passes_and_at_k(seed: int) -> None:
    whole = everyone(seed)
    outcome = result_of(retry(engine(), asked(seed=seed), passes))
    first = next((place for place, one in enumerate(whole) if passes(one)), None)
    tried = whole if first is None else whole[: first + 1]
    assert [one.candidate.ids for one in outcome.finished] == [one.ids for one in tried]
    assert outcome.tokens_spent == sum(one.n_tokens for one in tried) and outcome.retried and outcome.stopped == 0
    assert outcome.tokens_saved == (10 - len(tried)) * MOST
    none = result_of(retry(engine(), asked(n=3, seed=seed), lambda one: False))
    assert none.winner is None and len(none.finished) == 3


def test_a_failing_check_goes_through_and_lets_the_batch_go() -> None:
    def broken(candidate: Candidate) -> bool:
        raise BadInput("no verdict")

    busy = engine()
    with pytest.raises(BadInput):
        result_of(race(busy, asked(), broken))
    assert busy.batches[-1].closed


def test_on_paper_both_go_as_a_plain_replay_does() -> None:
    lengths, valid = [5, 3, 9, 2, 7], [True, False, True, False, False]
    drawn = first_valid(lengths, valid, 3, draws=4000, seed=1)
    generator = random.Random(0)
    steps, spent, tried = [], [], []
    for _ in range(4000):
        taken = generator.sample(range(5), 3)
        ends = [lengths[one] for one in taken if valid[one]]
        stop = min(ends, default=99)
        spent.append(sum(min(lengths[one], stop) for one in taken))
        steps += [stop] if ends else []
        first = next((place for place, one in enumerate(taken) if valid[one]), 2)
        tried.append(sum(lengths[one] for one in taken[: first + 1]))
    assert drawn.valid_share == pytest.approx(len(steps) / 4000, abs=0.03)
    assert np.nanmean(drawn.steps) == pytest.approx(np.mean(steps), abs=0.15)
    assert drawn.race_tokens.mean() == pytest.approx(np.mean(spent), abs=0.2)
    assert drawn.retry_tokens.mean() == pytest.approx(np.mean(tried), abs=0.3)
    assert drawn.valid_share == pytest.approx(0.9, abs=0.03), "1 - C(3,3)/C(5,3)"


def test_on_paper_the_whole_is_the_run_itself() -> None:
    drawn = first_valid([5, 3, 9], [True, False, True], 3, draws=20)
    assert set(drawn.steps) == {5.0} and set(drawn.race_tokens) == {13.0} and drawn.valid_share == 1.0
    assert not np.isfinite(first_valid([5, 3], [False, False], 2).steps).any()
    for n in (0, 4):
        with pytest.raises(BadInput):
            first_valid([5, 3, 9], [True] * 3, n)
