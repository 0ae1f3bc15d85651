"""Perplexity of sets and the largest changes, against plain sums, and through an engine with known logits."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.engine.types import FloatArray
from playground.errors import Cancelled
from playground.inspection.moved import CountedText, largest_changes, perplexity, score_texts, set_perplexity

T = TypeVar("T")
LOGPROBS = st.lists(st.floats(-20, 0), min_size=1, max_size=12)


def finish(steps: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            returned: T = end.value
            return returned


def row(values: list[float]) -> FloatArray:
    return np.array([np.nan, *values], dtype=np.float32)


@given(LOGPROBS, LOGPROBS)
def test_a_set_weighs_tokens_and_not_texts(one: list[float], other: list[float]) -> None:
    texts = [CountedText.whole(tuple(range(len(values) + 1))) for values in (one, other)]
    perplexity_of_set = perplexity(texts, [row(one), row(other)])
    assert perplexity_of_set == pytest.approx(
        math.exp(-sum(map(float, [*row(one)[1:], *row(other)[1:]])) / (len(one) + len(other))), rel=1e-6
    )


@given(LOGPROBS, st.data())
def test_only_what_counts_is_looked_at(values: list[float], data: st.DataObject) -> None:
    counted = (False, *data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    text = CountedText(tuple(range(len(values) + 1)), counted)
    changed = row([value if counted[place] else -99.0 for place, value in enumerate(values, 1)])
    first, second = perplexity([text], [row(values)]), perplexity([text], [changed])
    assert first == second or (math.isnan(first) and math.isnan(second))
    gained, lost = largest_changes(text, changed - row(values) + 1, 3)
    assert {*gained, *lost} <= {place for place, on in enumerate(counted) if on}


def test_gains_and_losses_are_sorted_by_size() -> None:
    text = CountedText.whole(tuple(range(6)))
    change = np.array([np.nan, 0.5, -2.0, 3.0, 0.0, -1.0], dtype=np.float32)
    assert largest_changes(text, change, 2) == ((3, 1), (2, 5))


def test_texts_are_scored_as_the_engine_scores_each() -> None:
    engine = FakeEngine()
    texts = [engine.codec.encode(text) for text in ("hello world", "the Rome")]
    scores = finish(score_texts(engine, texts, CancelToken()))
    for ids, logprobs in zip(texts, scores, strict=True):
        np.testing.assert_array_equal(logprobs, engine.score(ids).logprobs)
    counted = [CountedText.whole(ids) for ids in texts]
    both = set_perplexity("x", counted, 9, scores, [each + 1 for each in scores])
    assert both.after == pytest.approx(both.before / math.e, rel=1e-5)
    assert (both.texts, both.of, both.tokens) == (2, 9, sum(map(len, texts)) - 2)


def test_nobody_waits_for_a_cancelled_one() -> None:
    token = CancelToken()
    token.cancel()
    engine = FakeEngine()
    with pytest.raises(Cancelled):
        finish(score_texts(engine, [engine.codec.encode("hello world")], token))
