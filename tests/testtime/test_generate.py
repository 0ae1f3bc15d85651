"""N candidates from one prefill: the same as each alone, split when memory says so, stopped and taken up again."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from playground.engine.api import CancelToken
from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.hf.engine import TransformersEngine
from playground.engine.serving.step_worker import StepWorker
from playground.engine.types import FloatArray
from playground.errors import BadInput, BadPrompt, Cancelled
from playground.generation import GenerationRequest, generate
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.testtime.batching import kv_bytes_per_token, plan_batches, row_bytes, usable_bytes
from playground.testtime.events import BatchStep, Planned
from playground.testtime.generate import CandidateRequest, Variation, generate_candidates
from tests.engine.small import small_loaded
from tests.engine.test_worker import next_row

T = TypeVar("T")
PROMPT = FakeEngine().codec.encode("hello")


def drained(steps: Generator[Any, None, T]) -> tuple[list[Any], T]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def asked(n: int = 6, **fields: Any) -> CandidateRequest:
    return CandidateRequest((Variation(PROMPT, NEUTRAL),), n, **{"max_new_tokens": 8, "ignore_eos": True, **fields})


def alone(request: GenerationRequest) -> tuple[int, ...]:
    _events, done = drained(generate(FakeEngine(), [request]))
    ids: tuple[int, ...] = done.rows[0].ids
    return ids


def test_each_candidate_is_what_its_row_gives_alone() -> None:
    request = asked(seed=3)
    events, run = drained(generate_candidates(FakeEngine(), request))
    assert isinstance(events[0], Planned) and all(isinstance(event, BatchStep) for event in events[1:])
    assert [one.ids for one in run.candidates] == [alone(row) for row in request.rows()]
    assert len({one.ids for one in run.candidates}) > 1, "each has a random stream of its own"
    assert run.new_tokens == 48 == sum(event.rows for event in events[1:])
    assert [one.index for one in run.candidates] == list(range(6))


@pytest.mark.parametrize("kind", ["llama", "mistral-sliding", "mamba"])
def test_candidates_stream_with_the_step_that_ends_them_and_leave_the_batch(kind: str) -> None:
    """Random weights and many stop tokens: rows end at different lengths, and those that go on are not disturbed."""
    engine = TransformersEngine(small_loaded(kind))
    ids = tuple(range(2, 30))
    request = CandidateRequest(
        (Variation(ids, SamplerSettings(temperature=2.0)),), 12, max_new_tokens=14, stop_ids=tuple(range(60))
    )
    events, run = drained(generate_candidates(engine, request))
    live = 12
    for event in events[1:]:
        assert event.rows == live
        live -= len(event.finished)
        assert all(one.n_tokens == event.context - len(ids) for one in event.finished)
    lengths = [one.n_tokens for one in run.candidates]
    assert len(set(lengths)) > 2 and run.new_tokens == sum(lengths)
    assert [one.elapsed_ms for one in sorted(run.candidates, key=lambda one: one.n_tokens)] == sorted(
        one.elapsed_ms for one in run.candidates
    )
    for place in (0, 7, 11):
        _events, single = drained(generate(engine, [request.rows()[place]]))
        assert run.candidates[place].ids == single.rows[0].ids


def test_the_average_log_probability_is_that_of_transformers_transition_scores() -> None:
    """Padding masked: rows end at different lengths and generate pads them."""
    loaded = small_loaded("llama")
    engine, ids, ends = TransformersEngine(loaded), tuple(range(2, 20)), list(range(40, 90))
    request = CandidateRequest((Variation(ids, NEUTRAL),), 8, max_new_tokens=10, stop_ids=tuple(ends))
    _events, run = drained(generate_candidates(engine, request))
    longest = max(one.n_tokens for one in run.candidates)
    assert min(one.n_tokens for one in run.candidates) < longest
    padded = torch.tensor([[*ids, *one.ids, *([0] * (longest - one.n_tokens))] for one in run.candidates])
    mask = torch.tensor([[1] * one.n_tokens + [0] * (longest - one.n_tokens) for one in run.candidates])
    with torch.inference_mode():
        logits = loaded.model(input_ids=padded).logits[:, len(ids) - 1 : -1]
        scores = loaded.model.compute_transition_scores(
            padded, tuple(logits[:, step] for step in range(longest)), normalize_logits=True
        )
    theirs = (scores * mask).sum(-1) / mask.sum(-1)
    np.testing.assert_allclose([one.avg_logprob for one in run.candidates], theirs.numpy(), atol=1e-4)


def test_the_prompt_is_read_once_however_many_batches() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    read: list[tuple[int, ...]] = []
    engine.loaded.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: read.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    request = CandidateRequest((Variation(tuple(range(2, 60)), NEUTRAL),), 6, max_new_tokens=3, ignore_eos=True)
    two = 2 * row_bytes(engine.info, request.rows()[0])
    events, run = drained(generate_candidates(engine, request, memory=two))
    assert [batch for batch in events[0].plan.batches] == [(0, 1), (2, 3), (4, 5)]
    prefills = [shape for shape in read if shape[1] > 1]
    assert prefills == [(1, 58)], "later batches go on from the known prompt, of which the last token is run again"
    whole, _run = drained(generate_candidates(TransformersEngine(small_loaded("llama")), request)), run
    assert [one.ids for one in whole[1].candidates] == [one.ids for one in run.candidates]


def test_memory_is_estimated_beforehand_and_bounds_every_batch() -> None:
    info = dataclasses.replace(fake_info(), layers=30, kv_heads=3, head_dim=64, vocab_size=49_152)
    assert kv_bytes_per_token(info) == 2 * 30 * 3 * 64 * 4
    assert kv_bytes_per_token(dataclasses.replace(info, dtype="bfloat16")) == 2 * 30 * 3 * 64 * 2
    rows = [GenerationRequest((1,) * 256, max_new_tokens=64) for _ in range(100)]
    one = row_bytes(info, rows[0])
    assert one == 400 * 46_080 + 6 * 4 * 49_152
    plan = plan_batches(info, rows, 10 * one)
    assert [len(batch) for batch in plan.batches] == [10] * 10 and plan.split_by_memory
    need = plan.memory
    assert need is not None and need.needed_bytes == 10 * one <= need.usable_bytes and need.unsplit_bytes == 100 * one
    assert [place for batch in plan.batches for place in batch] == list(range(100))
    assert [len(batch) for batch in plan_batches(info, rows, 2**50).batches] == [64, 36], "others want their turns"
    assert [len(batch) for batch in plan_batches(info, rows[:3], 1).batches] == [1, 1, 1]
    assert usable_bytes(info) > 0


def test_the_cache_takes_no_more_than_the_estimate() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    request = GenerationRequest(tuple(range(2, 60)), max_new_tokens=20, ignore_eos=True)
    batch = engine.open_batch([request.prompt_ids] * 5)
    for step in range(20):
        batch.step([step] * 5)
    assert batch.cache_bytes == 5 * 78 * kv_bytes_per_token(engine.info) <= 5 * row_bytes(engine.info, request)
    storage: dict[int, int] = {}
    for group in batch._groups:
        assert group.state is not None
        tensors = [tensor for layer in group.state.value.layers for tensor in (layer.keys, layer.values)]
        storage |= {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    assert sum(storage.values()) <= 5 * row_bytes(engine.info, request), "reserved room is in the estimate"
    batch.close()


def test_settings_may_vary_across_candidates() -> None:
    other = FakeEngine().codec.encode("world")
    schedule = [NEUTRAL.replace(temperature=temperature) for temperature in (0.2, 0.6, 1.0)]
    ways = tuple(Variation(ids, one, f"{one.temperature}") for ids in (PROMPT, other) for one in schedule)
    request = CandidateRequest(ways, 8, max_new_tokens=5, ignore_eos=True)
    _events, run = drained(generate_candidates(FakeEngine(), request))
    assert [one.setting for one in run.candidates] == [ways[place % 6].name for place in range(8)]
    assert [one.prompt_ids for one in run.candidates[2:4]] == [PROMPT, other]
    assert [one.ids for one in run.candidates] == [alone(row) for row in request.rows()]


def test_a_cancel_is_felt_within_a_step_and_the_batch_is_let_go() -> None:
    engine, cancel = FakeEngine(), CancelToken()
    steps = generate_candidates(engine, asked(max_new_tokens=500), cancel=cancel)
    for _ in range(4):
        next(steps)
    before = len(engine.calls)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert len(engine.calls) == before and engine.batches[-1].closed


def test_leaving_the_generator_lets_the_batch_go() -> None:
    engine = FakeEngine()
    steps = generate_candidates(engine, asked(max_new_tokens=500))
    next(steps)
    next(steps)
    steps.close()
    assert engine.batches[-1].closed


def test_other_sessions_get_their_turn_between_steps() -> None:
    worker = StepWorker(FakeEngine())
    try:
        order: list[str] = []
        long = worker.submit(
            "one",
            "best-of-n",
            lambda engine, cancel: generate_candidates(engine, asked(n=4, max_new_tokens=400), cancel=cancel),
        )
        for _step in zip(range(3), long, strict=False):
            order.append("step")
        other = worker.submit("two", "next", next_row(65, 66))
        assert other.result(timeout=20).ids == (65, 66) and not long.done
        long.cancel()
    finally:
        worker.close()


def test_what_is_known_is_not_made_again_and_the_random_streams_are_the_same() -> None:
    _events, whole = drained(generate_candidates(FakeEngine(), asked()))
    stored = [whole.candidates[place] for place in (1, 4)]
    engine = FakeEngine()
    events, again = drained(generate_candidates(engine, asked(), written=stored))
    assert sum(len(event.finished) for event in events[1:]) == 4
    assert [one.ids for one in again.candidates] == [one.ids for one in whole.candidates]
    _events, nothing = drained(generate_candidates(engine, asked(), written=whole.candidates))
    assert nothing.new_tokens == 0 and len(nothing.candidates) == 6


def test_an_end_token_ends_a_candidate_with_its_reason() -> None:
    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(VOCAB, dtype=np.float32)
        row[EOS_ID if len(ids) > 6 else 65] = 50.0
        return row

    _events, run = drained(generate_candidates(FakeEngine(logits), asked(n=2, ignore_eos=False)))
    assert {(one.text, one.finish_reason) for one in run.candidates} == {("AAAAAA", "eos")}


@pytest.mark.parametrize("n", [0, -1, 257, 10_000, True, 2.5, "8"])
def test_a_bad_n_is_refused_with_its_name(n: Any) -> None:  # noqa: ANN401 - of wrong types on purpose
    with pytest.raises(BadInput, match="n: ") as refusal:
        asked(n=n)
    assert refusal.value.field == "n"


def test_what_cannot_start_is_refused_before_the_model_runs() -> None:
    engine = FakeEngine(context_length=20)
    with pytest.raises(BadPrompt):
        next(generate_candidates(engine, asked(max_new_tokens=50)))
    with pytest.raises(BadInput):
        CandidateRequest((), 4)
    with pytest.raises(BadInput):
        CandidateRequest((Variation(PROMPT, NEUTRAL),) * 17, 4)
    assert not engine.calls
