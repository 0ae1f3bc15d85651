"""The wrapper that remembers answers: each asked of the model once, looked at from any thread, within its bytes."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np

from playground.engine.fake.codec import VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ROW_TOKENS, ServedFakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.logits_cache import LogitsCache
from playground.engine.pieces import finish
from playground.engine.serving.caching import CachedEngine
from playground.engine.types import NextLogits, TopTokens
from tests.engine.small import small_loaded


def make_ids(length: int, seed: int = 0) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(0, VOCAB, length))


def test_a_row_once_shown_is_not_replaced_by_the_same_row_computed_otherwise() -> None:
    model = TransformersEngine(small_loaded("llama"))
    engine, ids = CachedEngine(model), make_ids(40)
    engine.next_logits(ids[:-1])
    shown = engine.next_logits(ids)  # reached by appending one token
    other = finish(model.next_logits_in_pieces([ids, make_ids(5, 1)]))[0]  # reached otherwise: other last digits
    again = engine._rows.put(model.info.revision, other)
    assert isinstance(again, NextLogits) and isinstance(shown, NextLogits)
    assert again.logits is shown.logits and again.computed_tokens == 0


def test_a_row_belongs_to_its_revision() -> None:
    rows, one = LogitsCache(), FakeEngine()
    ids = make_ids(10)
    CachedEngine(one, rows).next_logits(ids)
    two = FakeEngine()
    two._info = dataclasses.replace(two.info, revision="other")
    second = CachedEngine(two, rows)
    assert second.cached_row(ids) is None
    second.next_logits(ids)
    assert two.calls == [ids]


def test_rows_are_dropped_beyond_the_bytes_allowed() -> None:
    rows = LogitsCache(max_bytes=3 * VOCAB * 4)
    engine = CachedEngine(FakeEngine(), rows)
    asked = [make_ids(5, seed) for seed in range(4)]
    for ids in asked:
        engine.next_logits(ids)
    assert rows.used_bytes <= 3 * VOCAB * 4
    assert [engine.cached_row(ids) is not None for ids in asked] == [False, True, True, True]
    tiny = CachedEngine(FakeEngine(), LogitsCache(max_bytes=10))
    tiny.next_logits(asked[0])
    assert tiny.cached_row(asked[0]) is None


def test_only_what_is_unknown_goes_to_the_model_and_equal_texts_once() -> None:
    model = FakeEngine()
    engine = CachedEngine(model)
    first, second = make_ids(4), make_ids(5)
    engine.next_logits(first)
    rows = finish(engine.next_logits_in_pieces([first, second, second, first]))
    assert [row.ids for row in rows] == [first, second, second, first]
    assert model.calls == [first, second] and model.batched_prefill == [1, 1]


def test_a_known_row_can_be_read_while_the_engine_runs() -> None:
    held, go_on, first = threading.Event(), threading.Event(), [True]

    def hold() -> None:
        if first:
            first.pop()
        else:
            held.set()
            assert go_on.wait(20)

    engine = CachedEngine(FakeEngine(before_step=hold))
    engine.next_logits((1, 2))
    thread = threading.Thread(target=engine.next_logits, args=((3, 4),))
    thread.start()
    assert held.wait(20)
    row = engine.cached_row((1, 2))
    go_on.set()
    thread.join(20)
    assert isinstance(row, NextLogits) and row.computed_tokens == 0


def test_scores_and_passes_are_remembered_and_close_lets_go_of_all() -> None:
    model = FakeEngine()
    engine, ids = CachedEngine(model), make_ids(6)
    attention, score = engine.attentions(ids), engine.score(ids)
    calls = len(model.calls)
    assert engine.attentions(ids) is attention is engine.cached_pass(ids, start=0, end=6)
    assert engine.score(ids) is score and len(model.calls) == calls
    assert engine.cached_pass(ids, start=1) is None and engine.cached_pass(ids[:-1]) is None
    engine.close()
    assert engine.cached_pass(ids) is None and engine.cached_row(ids) is None and model.closed


def test_rows_of_which_only_the_top_is_told_are_remembered_too() -> None:
    engine = CachedEngine(ServedFakeEngine())
    row = engine.next_logits((1, 2))
    assert isinstance(row, TopTokens) and not row.full and row.top_ids.size == ROW_TOKENS and 0 < row.rest < 1
    again = engine.cached_row((1, 2))
    assert isinstance(again, TopTokens) and again.logprobs is row.logprobs
