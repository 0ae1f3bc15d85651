"""Log-probabilities, entropy, rank and order against scipy and torch, and what ties, -inf and float32's ends must not do."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats

from playground.numerics import (
    entropy,
    entropy_of_weights,
    entropy_rows,
    log_softmax,
    rank_of,
    ranks_of,
    ranks_of_rows,
    softmax_weights,
    sum_rows,
    top_ids,
)

Row = npt.NDArray[np.float32]
LOWEST = float(np.finfo(np.float32).min)
# Usual logits, many of them equal, removed ones, and those that stand for "removed" in some models' own masks.
LOGITS = st.one_of(
    st.sampled_from([-3.0, 0.0, -0.0, 0.5, 2.0, 4.0, -75.0, -81.0, -np.inf, LOWEST, -1e30, -LOWEST]),
    st.floats(-50, 50, width=32),
)


def usable(rows: Row) -> bool:
    return bool(np.isfinite(rows.max(axis=-1)).all())


ROWS = hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=LOGITS).filter(usable)


def reference_log_softmax(rows: Row) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = special.log_softmax(rows.astype(np.float64), axis=-1)
    return result


def reference_entropy(rows: Row) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = stats.entropy(special.softmax(rows.astype(np.float64), axis=-1), axis=-1)
    return result


@given(ROWS)
def test_log_softmax_is_scipys(rows: Row) -> None:
    ours = log_softmax(rows)
    assert ours.dtype == np.float32 and (ours <= 0).all()
    with np.errstate(over="ignore"):
        expected = reference_log_softmax(rows).astype(np.float32)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(np.exp(ours.astype(np.float64)).sum(-1), 1, rtol=1e-4)


@given(ROWS)
def test_every_entropy_is_scipys(rows: Row) -> None:
    expected = reference_entropy(rows)
    tensor = torch.from_numpy(rows)
    logprobs = tensor.log_softmax(-1)
    weights = special.softmax(rows.astype(np.float64), axis=-1)
    traced = [softmax_weights(row, np.empty((2, row.size), np.float32))[2] for row in rows]
    for ours in (
        entropy(log_softmax(rows)),
        entropy_of_weights(weights),
        np.array(traced),
        entropy_rows(logprobs)[:, 0].numpy(),
        entropy_rows(logprobs, tensor.softmax(-1))[:, 0].numpy(),
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
        assert (ours >= 0).all() and not np.signbit(ours).any()
        assert (ours <= np.log(rows.shape[1]) + 1e-5).all()


@pytest.mark.parametrize("removed", [-np.inf, LOWEST, -1e30, -120.0])
def test_a_token_that_cannot_come_adds_nothing_to_an_entropy(removed: float) -> None:
    """However a model or a sampler writes it: finite numbers near float32's lowest once counted for thousands of nats."""
    row = np.full((1, 50_000), removed, dtype=np.float32)
    row[0, :2] = 1.0
    logprobs = torch.from_numpy(row).log_softmax(-1)
    assert float(entropy_rows(logprobs)) == pytest.approx(np.log(2), abs=1e-6)
    assert entropy(log_softmax(row))[0] == pytest.approx(np.log(2), abs=1e-6)


@given(ROWS, st.randoms(use_true_random=False))
def test_an_entropy_does_not_depend_on_the_order_of_the_tokens(rows: Row, random: Random) -> None:
    places = list(range(rows.shape[1]))
    random.shuffle(places)
    np.testing.assert_allclose(entropy(log_softmax(rows[:, places])), entropy(log_softmax(rows)), rtol=1e-4, atol=1e-5)


def test_a_row_sums_to_the_same_alone_and_in_a_batch() -> None:
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 49_152)).astype(np.float32))
    together = sum_rows(rows)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            assert all(torch.equal(sum_rows(rows[i : i + 1]), together[i : i + 1]) for i in range(3))
    finally:
        torch.set_num_threads(threads)


def test_a_row_has_the_same_entropy_alone_and_in_a_batch() -> None:
    """Also in a batch that is worked on in pieces, the last of them one row."""
    logprobs = torch.from_numpy(np.random.default_rng(0).normal(size=(21, 49_152)).astype(np.float32)).log_softmax(-1)
    together = entropy_rows(logprobs)
    assert all(torch.equal(entropy_rows(logprobs[i : i + 1]), together[i : i + 1]) for i in range(21))
    np.testing.assert_allclose(together[:, 0], stats.entropy(logprobs.exp(), axis=-1), rtol=1e-5)


@given(ROWS)
def test_a_rank_is_the_place_in_a_stable_sort(rows: Row) -> None:
    """numpy's own sort, stable: of equal scores the lower id comes first."""
    places = np.argsort(np.argsort(-rows.astype(np.float64), axis=-1, kind="stable"), axis=-1)
    for token in range(rows.shape[1]):
        expected = places[:, token].tolist()
        tokens = [token] * len(rows)
        assert [rank_of(row, token) for row in rows] == expected
        assert ranks_of(rows, tokens).tolist() == expected
        assert ranks_of_rows(torch.from_numpy(rows), torch.tensor(tokens)).tolist() == expected


@given(ROWS)
def test_the_ranks_of_a_row_are_a_permutation_and_top_ids_lists_them_in_order(rows: Row) -> None:
    for row in rows:
        order = top_ids(row, row.size)
        assert [rank_of(row, int(token)) for token in order] == list(range(row.size))


@given(ROWS, st.integers(0, 60))
def test_top_ids_are_a_stable_sorts_first_ones(rows: Row, count: int) -> None:
    for row in rows:
        expected = np.argsort(-row.astype(np.float64), kind="stable")[:count]
        assert top_ids(row, count).tolist() == expected.tolist()


def test_rows_of_numpy_need_no_torch() -> None:
    script = "import sys, playground.numerics; print('torch' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
