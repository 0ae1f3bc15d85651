"""Log-probabilities, entropy, rank and order of rows of logits: one definition of each, for NumPy and for torch.

Every figure on a page comes from here, so that two pages never differ about the same token. Imports nothing else of the
playground, and torch only inside the functions that are given tensors: what works on NumPy rows opens without it.
The log-softmax of a tensor is torch's own; samplers that follow another library's arithmetic to the last bit say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

F = TypeVar("F", np.float32, np.float64)
FloatArray = npt.NDArray[np.floating[Any]]

NEGLIGIBLE = -80.0  # a log-probability that adds nothing to a float32 sum; exp is slow where it underflows
_IN_CACHE = 2**19  # numbers whose copies a core's cache holds


def log_softmax(logits: npt.NDArray[F]) -> npt.NDArray[F]:
    """Log-probabilities over the last axis, in the dtype given. Shifted by the maximum so that nothing overflows."""
    with np.errstate(over="ignore"):  # a difference beyond float32 is minus infinity
        shifted = logits - logits.max(axis=-1, keepdims=True)
    result: npt.NDArray[F] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


# -- entropy: -sum p ln p in nats, with 0 ln 0 = 0 ----------------------------------------------------------------------


def entropy(logprobs: FloatArray) -> FloatArray:
    """Entropy over the last axis of distributions given by their log-probabilities, -inf for an impossible token.

    Log-probabilities stop at -80, where a term is 1e-33 nats: neither minus infinity nor float32's lowest number makes
    anything but 0 of a token that cannot come.
    """
    bounded = np.maximum(logprobs, NEGLIGIBLE)
    result: FloatArray = 0.0 - (np.exp(bounded) * bounded).sum(axis=-1)  # 0 - 0 is 0, where -(0) would be -0
    return result


def entropy_of_weights(weights: FloatArray) -> FloatArray:
    """Entropy over the last axis of distributions given by their probabilities, such as attention weights."""
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    result: FloatArray = 0.0 - (weights * logs).sum(axis=-1)
    return result


def softmax_weights(
    values: npt.NDArray[np.float32], scratch: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], float, float]:
    """Of one row of logits (n,): exp(z - max z), their float64 sum Z, and the entropy ln Z - sum w (z - max z) / Z.

    The fast path of a trace, which measures a row after every sampler: both arrays are written into ``scratch`` (2, n or
    more), whose first row the weights then share, because a fresh array of a vocabulary's size costs more in page faults
    than the arithmetic.
    """
    shifted, weights = scratch[:, : len(values)]
    with np.errstate(over="ignore"):
        np.subtract(values, values.max(), out=shifted)
    np.maximum(shifted, -1e30, out=shifted)  # after an overflow: -inf times a weight of 0 would be NaN below
    np.exp(shifted, out=weights)
    total = float(weights.sum(dtype=np.float64))
    np.multiply(shifted, weights, out=shifted)
    return weights, total, max(0.0, math.log(total) - float(shifted.sum(dtype=np.float64)) / total)


def sum_rows(values: torch.Tensor) -> torch.Tensor:  # (batch, vocab) -> (batch, 1)
    """Sum of each row, the same alone or in a batch and for any number of threads.

    Torch splits the sum of one single row over its threads, which changes the last bit; two rows are never split.
    """
    if values.shape[0] == 1:
        return values.expand(2, -1).sum(-1, keepdim=True)[:1]
    return values.sum(-1, keepdim=True)


def entropy_rows(logprobs: torch.Tensor, probs: torch.Tensor | None = None) -> torch.Tensor:
    """``entropy`` of tensors, (batch, vocab) -> (batch, 1); a row's is the same alone or in a batch.

    ``probs``: exp(logprobs) where it is there already. A few rows at a time: copies that a core's cache holds cost a
    fifth of copies of a large batch, whose fresh pages dominate.
    """
    entropies = logprobs.new_empty((len(logprobs), 1))
    few = max(2, _IN_CACHE // logprobs.shape[-1])
    for first in range(0, len(logprobs), few):
        rows = slice(first, first + few)
        bounded = logprobs[rows].clamp(min=NEGLIGIBLE)
        entropies[rows] = 0.0 - sum_rows(bounded.mul_(bounded.exp() if probs is None else probs[rows]))
    return entropies


# -- rank and order: by descending score, of equal scores the lower id first ---------------------------------------------


def rank_of(scores: FloatArray, token: int) -> int:
    """The place of ``token`` in a row of scores (vocab,), 0 for the largest; of equal scores the lower id comes first.

    >>> [rank_of(np.array([1.0, 3.0, 3.0]), token) for token in range(3)]
    [2, 0, 1]
    """
    own = scores[token]
    return int(np.count_nonzero(scores > own) + np.count_nonzero(scores[:token] == own))


def ranks_of(rows: FloatArray, tokens: Sequence[int] | npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """``rank_of`` one token of each row: (n, vocab) scores and n ids -> (n,).

    Row by row: NumPy counts one row's comparisons many times faster than a matrix of them is summed.
    """
    return np.array([rank_of(row, int(token)) for row, token in zip(rows, tokens, strict=True)], dtype=np.int64)


def ranks_of_rows(rows: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """``ranks_of`` tensors, on their device: (n, vocab) scores and (n,) ids -> (n,)."""
    import torch

    ids = tokens[:, None]
    own = rows.gather(1, ids)  # (n, 1)
    lower_id = torch.arange(rows.shape[1], device=rows.device)[None] < ids
    return ((rows > own) | ((rows == own) & lower_id)).sum(dim=-1)


def top_ids(scores: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Ids of the ``count`` largest of a row of scores (vocab,), by rank; only they are sorted."""
    count = min(count, scores.size)
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    threshold = np.partition(scores, scores.size - count)[scores.size - count]
    pool = np.flatnonzero(scores >= threshold)
    order = np.lexsort((pool, -scores[pool]))
    return pool[order][:count].astype(np.int64)
