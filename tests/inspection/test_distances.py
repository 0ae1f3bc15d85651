"""Distances between the next tokens of two models: SciPy's numbers, and what must hold of any two distributions."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from playground.engine.fake.codec import FakeCodec
from playground.engine.types import NextLogits, TopTokens
from playground.inspection.alignment import Outcomes, align, token_keys
from playground.inspection.distances import Distances, OutcomeRow, distances, movers, outcome_row


class Words(FakeCodec):
    """A vocabulary of given tokens; <...> is a special token, "" an id without a token."""

    def __init__(self, *tokens: bytes) -> None:
        super().__init__()
        self.tokens = tokens

    def is_special(self, token_id: int) -> bool:
        return self.tokens[token_id].startswith(b"<")

    def token_bytes(self, token_id: int) -> bytes:
        return b"" if self.is_special(token_id) else self.tokens[token_id]

    def piece(self, token_id: int, context: Iterable[int] = ()) -> str:
        return self.tokens[token_id].decode()


def row_of(probs: Iterable[float]) -> NextLogits:
    with np.errstate(divide="ignore"):
        return NextLogits((0,), np.log(np.array(list(probs), dtype=np.float32)), 1, 1.0)


def top_of(probs: Iterable[float], k: int) -> TopTokens:
    row = np.array(list(probs))
    ids = np.argsort(-row, kind="stable")[:k].astype(np.int32)
    return TopTokens((0,), ids, np.log(row[ids]).astype(np.float32), row.size, 1.0)


def between(p: NextLogits | TopTokens, q: NextLogits | TopTokens, outcomes: Outcomes) -> Distances:
    return distances(outcome_row(p, outcomes, 0), outcome_row(q, outcomes, 1), outcomes)


def one_vocabulary(size: int) -> Outcomes:
    codec = Words(*(b"t%d" % token for token in range(size)))
    return align([(codec, size), (codec, size)])


WEIGHTS = st.lists(st.floats(0.001, 1), min_size=12, max_size=12)


def normal(weights: list[float]) -> npt.NDArray[np.float64]:
    return np.array(weights) / sum(weights)


@given(WEIGHTS, WEIGHTS)
def test_whole_rows_of_one_vocabulary_have_scipys_numbers(left: list[float], right: list[float]) -> None:
    p, q = normal(left), normal(right)
    distance = between(row_of(p), row_of(q), one_vocabulary(12))
    assert distance.kl_pq is not None and distance.kl_qp is not None
    assert distance.kl_pq.exact and distance.kl_pq.low == pytest.approx(entropy(p, q), abs=1e-6)
    assert distance.kl_qp.low == pytest.approx(entropy(q, p), abs=1e-6)
    assert distance.jensen_shannon.low == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-6)
    assert distance.total_variation.low == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-6)
    assert (distance.only_p, distance.only_q) == (0.0, 0.0)


@given(WEIGHTS, WEIGHTS, st.integers(1, 12), st.integers(1, 12))
def test_what_is_told_in_part_has_bounds_that_hold(left: list[float], right: list[float], k: int, n: int) -> None:
    p, q, outcomes = normal(left), normal(right), one_vocabulary(12)
    exact = between(row_of(p), row_of(q), outcomes)
    bounds = between(top_of(p, k), top_of(q, n), outcomes)
    pairs = [(exact.total_variation, bounds.total_variation), (exact.jensen_shannon, bounds.jensen_shannon)]
    for true, bounded in pairs:
        assert bounded.high is not None and bounded.low - 1e-6 <= true.low <= bounded.high + 1e-6
    assert exact.kl_pq is not None and bounds.kl_pq is not None
    assert bounds.kl_pq.low <= exact.kl_pq.low + 1e-6
    assert (bounds.kl_pq.high is None) == (min(k, n) < 12)


def test_a_token_that_one_model_excludes_makes_one_divergence_infinite() -> None:
    distance = between(row_of([0.5, 0.5]), row_of([1.0, 0.0]), one_vocabulary(2))
    assert distance.kl_pq is not None and distance.kl_qp is not None
    assert distance.kl_pq.low == math.inf and distance.kl_qp.low == pytest.approx(math.log(2))
    assert distance.total_variation.low == pytest.approx(0.5)


def test_nothing_in_common_is_as_far_apart_as_can_be() -> None:
    outcomes = align([(Words(b"a", b"b"), 2), (Words(b"c", b"d"), 2)])
    distance = between(row_of([0.5, 0.5]), row_of([0.25, 0.75]), outcomes)
    assert (distance.kl_pq, distance.kl_qp) == (None, None)
    assert distance.total_variation.low == pytest.approx(1) and distance.jensen_shannon.low == pytest.approx(
        math.log(2)
    )
    assert distance.only_p == pytest.approx(1) and distance.only_q == pytest.approx(1)


def test_other_vocabularies_are_aligned_by_bytes() -> None:
    """Two ids with the same bytes are one outcome; specials meet by name; an id without a token meets nobody."""
    left, right = Words(b" a", b"b", b"b", b"<end>", b""), Words(b"b", b"<end>", b" a", b"<pad>", b"")
    outcomes = align([(left, 5), (right, 5)])
    assert not outcomes.same and outcomes.size == 6
    p, q = row_of([0.1, 0.2, 0.3, 0.3, 0.1]), row_of([0.5, 0.3, 0.1, 0.05, 0.05])
    distance = between(p, q, outcomes)
    assert distance.only_p == pytest.approx(0.1) and distance.only_q == pytest.approx(0.1)
    assert distance.total_variation.low == pytest.approx(0.1)
    assert outcomes.name(outcomes.places[1][0]) == (0, 1), "a text is spelt by the first model that has it"


def test_a_text_of_two_tokens_is_told_once_both_are() -> None:
    outcomes = align([(Words(b"x", b"x", b"y"), 3), (Words(b"x", b"y"), 2)])
    listed_row = outcome_row(top_of([0.5, 0.1, 0.4], 2), outcomes, 0)
    assert listed_row.shown.tolist() == [False, True] and listed_row.rest == pytest.approx(0.6)


def test_the_largest_movers_are_told_by_both() -> None:
    outcomes = one_vocabulary(4)
    p, q = (
        outcome_row(row_of([0.4, 0.3, 0.2, 0.1]), outcomes, 0),
        outcome_row(top_of([0.2, 0.35, 0.15, 0.3], 3), outcomes, 1),
    )
    top_movers = movers(p, q, 2)
    assert [mover.outcome for mover in top_movers] == [0, 3]
    assert [(round(mover.p, 6), round(mover.q, 6)) for mover in top_movers] == [(0.4, 0.2), (0.1, 0.3)]
    same = OutcomeRow(p.probs, p.shown, 0.0)
    assert movers(p, same, 2) == ()


def test_what_ids_stand_for_is_found_out_once_for_a_codec() -> None:
    codec = Words(b"a", b"b")
    assert token_keys(codec, 2) is token_keys(codec, 2) == (b"a", b"b")
