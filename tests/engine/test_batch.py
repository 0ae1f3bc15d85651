"""Rows decoded together against each row's own forward pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.engine.api import Batch, CancelToken, Rows
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadPrompt, Cancelled
from tests.engine.small import CONFIGS, REUSABLE, VOCAB, small_loaded
from tests.engine.test_hf_engine import count_runs, full_pass, make_ids


def assert_rows_agree(engine: TransformersEngine, batch: Batch) -> None:
    for row, ids in enumerate(batch.ids):
        np.testing.assert_allclose(batch.logits[row], full_pass(engine, ids)[-1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", CONFIGS)
def test_rows_equal_their_own_forward_pass_through_steps_and_departures(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    one, two = make_ids(20), make_ids(33, seed=1)
    batch = engine.open_batch([one, two, one, one])
    assert list(batch.ids) == [one, two, one, one] and batch.logits.shape == (4, VOCAB)
    assert_rows_agree(engine, batch)
    batch.step([1, 2, 3, 4])
    assert list(batch.ids) == [(*one, 1), (*two, 2), (*one, 3), (*one, 4)]
    assert_rows_agree(engine, batch)
    batch.select_rows([3, 1, 0])
    assert list(batch.ids) == [(*one, 4), (*two, 2), (*one, 1)]
    assert_rows_agree(engine, batch)
    batch.step([5, 6, 7])
    assert_rows_agree(engine, batch)
    batch.select_rows([1])
    batch.step([8])
    assert list(batch.ids) == [(*two, 2, 6, 8)]
    assert_rows_agree(engine, batch)
    batch.select_rows([])
    assert list(batch.ids) == [] and batch.logits.shape == (0, VOCAB)
    batch.close()
    batch.close()


def test_rows_that_nobody_branches_from_are_not_copied_aside() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    prompt = make_ids(50)
    batch = engine.open_batch([prompt, prompt], branching=False)
    batch.step([1, 2])
    batch.select_rows([1])
    batch.close()
    assert [ids for _revision, ids in engine._runner.prefixes._slots] == [prompt]


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_row_may_go_on_more_than_once(kind: str) -> None:
    """What a beam search asks for at every step."""
    engine = TransformersEngine(small_loaded(kind))
    one, two = make_ids(20), make_ids(33, seed=1)
    batch = engine.open_batch([one, one, two, one])
    batch.step([1, 2, 3, 4])
    for order, tokens in (
        ([3, 3, 0, 2], [5, 6, 7, 8]),
        ([2, 0, 0, 0, 3, 1], [9, 10, 11, 12, 13, 14]),
        ([5, 4], [15, 16]),
    ):
        expected = tuple((*batch.ids[row], token) for row, token in zip(order, tokens, strict=True))
        batch.select_rows(order)
        assert_rows_agree(engine, batch)
        batch.step(tokens)
        assert batch.ids == expected
        assert_rows_agree(engine, batch)
    batch.close()


@pytest.mark.parametrize("kind", REUSABLE)
def test_rows_that_share_a_prompt_share_its_one_prefill(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    rows: list[tuple[int, int]] = []
    engine.loaded.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: rows.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    batch = engine.open_batch([make_ids(40)] * 6)
    assert batch.computed_tokens == 40 and rows == [(1, 40)]
    batch.step(range(6))
    assert rows[1:] == [(6, 1)]


def test_a_branch_reads_only_what_is_new() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    prompt = make_ids(50)
    batch = engine.open_batch([prompt, prompt])
    for token in range(10):
        batch.step([token, token + 100])
    batch.select_rows([1])
    batch.close()
    runs = count_runs(engine)
    for first in (0, 100):
        stepped = tuple(range(first, first + 10))
        branch = engine.open_batch([(*prompt, *stepped[:6], 299)])
        assert branch.computed_tokens == 1
        assert_rows_agree(engine, branch)
    assert runs.count(1) == 2


def test_an_open_batch_is_not_disturbed_by_other_requests_or_other_batches() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    prompt = make_ids(30)
    first, second = engine.open_batch([prompt] * 2), engine.open_batch([prompt] * 3)
    for turn in range(4):
        first.step([turn, turn + 1])
        engine.next_logits((*prompt, turn))
        second.step([9, 8, 7])
        engine.score(prompt[:10])
    second.select_rows([2, 0])
    assert_rows_agree(engine, first)
    assert_rows_agree(engine, second)


def test_a_batch_refuses_what_cannot_be_run() -> None:
    engine = TransformersEngine(small_loaded("llama", context_length=12))
    for bad in ([], [()], [(1,), ()], [make_ids(13)], [(VOCAB,)]):
        with pytest.raises(BadPrompt):
            engine.open_batch(bad)
    cancel = CancelToken()
    batch = engine.open_batch([make_ids(11)], cancel=cancel)
    batch.step([1])
    with pytest.raises(BadPrompt, match="12 tokens"):
        batch.step([1])
    with pytest.raises(ValueError, match="1 rows need 1 tokens"):
        batch.step([1, 2])
    cancel.cancel()
    with pytest.raises(Cancelled):
        batch.step([1], cancel=cancel)
    with pytest.raises(Cancelled):
        engine.open_batch([(1, 2)], cancel=cancel)


def test_closing_after_the_engine_does_no_harm() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    batch = engine.open_batch([make_ids(5)])
    engine.close()
    batch.close()
    assert len(engine._runner.prefixes) == 0


def test_the_fake_batch_keeps_the_same_promises() -> None:
    engine = FakeEngine()
    as_engine: Rows = engine
    batch = as_engine.open_batch([(1, 2), (3,), (1, 2)])
    assert engine.calls == [(1, 2), (3,)]
    batch.step([7, 8, 9])
    batch.select_rows([2, 1])
    assert batch.ids == ((1, 2, 9), (3, 8))
    for row, ids in enumerate(batch.ids):
        np.testing.assert_array_equal(batch.logits[row], engine.next_logits(ids).logits)
    with pytest.raises(BadPrompt):
        engine.open_batch([])


@pytest.mark.model
def test_rows_of_the_real_model_equal_their_own_forward_pass(bundled_engine: TransformersEngine) -> None:
    prompt = bundled_engine.codec.encode("The capital of France is")
    batch = bundled_engine.open_batch([prompt] * 3)
    batch.step(bundled_engine.codec.encode(" Paris") + bundled_engine.codec.encode(" the") * 2)
    for row, ids in enumerate(batch.ids):
        with torch.inference_mode():
            expected = bundled_engine.loaded.model(input_ids=torch.tensor([ids])).logits[0, -1].numpy()
        np.testing.assert_allclose(batch.logits[row], expected, atol=2e-3, rtol=0)
    batch.close()
