"""One pass for rows of several batches, against each row's own full forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.joint_step import JOINT
from playground.errors import ModelError
from tests.engine.small import CONFIGS, VOCAB, small_loaded
from tests.engine.test_batch import assert_rows_agree
from tests.engine.test_hf_engine import make_ids

JOINED = set(CONFIGS) - {"mamba", "deepseek"}  # its cache holds what its keys are made of
LENGTHS = (5, 20, 33)  # the sliding windows of the small models are 16 tokens


def passes(engine: TransformersEngine) -> list[tuple[int, ...]]:
    """The shape of each pass's input from here on."""
    shapes: list[tuple[int, ...]] = []
    engine.loaded.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    return shapes


def take_together(engine: TransformersEngine, most: Sequence[int]) -> None:
    asked = engine.take_asked()
    engine.run_steps(list(zip(asked, most, strict=True)))


@pytest.mark.parametrize("kind", [kind for kind in CONFIGS if kind != "mamba"])
def test_rows_of_several_batches_equal_their_own_forward_pass(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    assert engine.joins_steps == (kind in JOINED)
    batches = [engine.open_batch([make_ids(length, seed=length)] * rows) for rows, length in enumerate(LENGTHS, 1)]
    late = None
    shapes = passes(engine)
    for step in range(4):
        for number, batch in enumerate(batches):
            batch.ask([(7 * step + number + row) % VOCAB for row in range(len(batch.ids))])
        take_together(engine, [9] * len(batches))
        if step == 1:
            late = engine.open_batch([make_ids(9, seed=9), make_ids(3, seed=3)])  # one that joins, of two prompts
            batches = [batches[0], batches[2], late]  # and one that leaves
            batches[1].select_rows([2, 0])
        for batch in batches:
            assert_rows_agree(engine, batch)
    if kind in JOINED:
        assert shapes.count((6, 1)) == 2 and shapes.count((5, 1)) == 2, shapes
    assert engine.loaded.model.config._attn_implementation != JOINT


def test_a_model_without_keys_takes_a_pass_a_batch() -> None:
    engine = TransformersEngine(small_loaded("mamba"))
    batches = [engine.open_batch([make_ids(length)]) for length in LENGTHS]
    shapes = passes(engine)
    assert not engine.joins_steps
    for batch in batches:
        batch.ask([5])
    take_together(engine, [1, 1, 1])
    assert shapes == [(1, 1)] * 3
    for batch in batches:
        assert_rows_agree(engine, batch)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "deepseek", "mistral-sliding"])
def test_a_batch_goes_in_parts_and_others_overtake_it(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    large = engine.open_batch([make_ids(20)] * 5 + [make_ids(11, seed=1)] * 2)
    small = engine.open_batch([make_ids(12, seed=2)])
    for turn in range(2):
        large.ask([turn + row for row in range(7)])
        (asked,) = engine.take_asked()
        while asked.rows:
            left = asked.rows
            small.ask([asked.rows])
            engine.run_steps([(asked, 2), *((other, 1) for other in engine.take_asked())])
            assert_rows_agree(engine, small)
            assert asked.rows < left
        assert_rows_agree(engine, large)
        large.select_rows([6, 0, 1, 3, 2, 4, 5])


def test_what_nobody_has_run_is_run_when_it_is_looked_at() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    batch, other = engine.open_batch([make_ids(20)]), engine.open_batch([make_ids(7)])
    batch.ask([3])
    assert batch.ids == (make_ids(20),) and len(batch.logits) == 1
    assert_rows_agree(engine, batch)
    assert batch.ids == ((*make_ids(20), 3),) and not engine.take_asked()
    batch.ask([4])
    other.ask([5])
    other.close()
    assert len(engine.take_asked()) == 1


def test_a_row_that_overflows_disturbs_no_other() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    batches = [engine.open_batch([make_ids(length)]) for length in LENGTHS]
    with torch.inference_mode():
        batches[1]._groups[0].state.value.layers[0].keys.fill_(torch.nan)  # type: ignore[union-attr]
    for batch in batches:
        batch.ask([5])
    take_together(engine, [1, 1, 1])
    assert_rows_agree(engine, batches[0])
    assert_rows_agree(engine, batches[2])
    with pytest.raises(ModelError, match="not numbers"):
        assert batches[1].logits is not None


@pytest.mark.parametrize("kind", ["llama", "mistral-sliding"])
def test_a_pass_that_fails_changes_nothing(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    batches = [engine.open_batch([make_ids(length)]) for length in LENGTHS]
    assert engine.joins_steps

    def fail(*_given: object) -> None:
        hook.remove()
        raise RuntimeError("out of luck")

    hook = engine.loaded.model.model.layers[1].mlp.register_forward_pre_hook(fail)
    for batch in batches:
        batch.ask([5])
    with pytest.raises(ModelError, match="out of luck"):
        take_together(engine, [1, 1, 1])
    for batch in batches:
        assert len(batch.logits) == 1
        assert_rows_agree(engine, batch)


@pytest.mark.model
def test_rows_of_the_real_model_equal_their_own_forward_pass_when_they_go_together(
    bundled_engine: TransformersEngine,
) -> None:
    engine = bundled_engine
    texts = ["The capital of France is", "Once upon a time there was a king who", "1 2 3 4"]
    batches = [engine.open_batch([engine.codec.encode(text)] * (1 + number)) for number, text in enumerate(texts)]
    for step in range(3):
        for batch in batches:
            batch.ask([int(row.argsort()[-1 - step - place]) for place, row in enumerate(batch.logits)])
        take_together(engine, [4, 4, 4])
    for batch in batches:
        assert_rows_agree(engine, batch)
        assert np.isfinite(batch.logits).all()
        batch.close()
