"""Scores of given tokens from rows of logits. NumPy only; knows no model."""

from __future__ import annotations

import numpy as np

from playground.engine.types import FloatArray, SequenceScore, TokenIds


def log_softmax(logits: FloatArray) -> FloatArray:
    """Log-probabilities over the last axis, in the dtype given. Shifted by the maximum so that nothing overflows."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def entropy(logprobs: FloatArray) -> FloatArray:
    """Entropy in nats over the last axis: -sum p ln p, with 0 ln 0 = 0."""
    probabilities = np.exp(logprobs)
    result: FloatArray = -np.where(probabilities > 0, probabilities * logprobs, 0.0).sum(axis=-1)
    return result


def score_chunk(predictions: FloatArray, targets: TokenIds) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-probability, rank and entropy of each target: ``predictions`` (n, vocab) logits, ``targets`` n ids.

    The rank counts the tokens with a strictly larger logit, and equal ones with a smaller id, so that ranks are
    unique.
    """
    logprobs = log_softmax(predictions)  # (n, vocab)
    ids = np.asarray(targets, dtype=np.int64)
    chosen = np.take_along_axis(predictions, ids[:, None], axis=-1)  # (n, 1)
    earlier = np.arange(predictions.shape[-1])[None, :] < ids[:, None]
    ranks = (predictions > chosen).sum(axis=-1) + ((predictions == chosen) & earlier).sum(axis=-1)
    return np.take_along_axis(logprobs, ids[:, None], axis=-1)[:, 0], ranks, entropy(logprobs)


def score_rows(ids: TokenIds, predictions: FloatArray) -> SequenceScore:
    """Teacher-forced scores: row i of ``predictions`` (T - 1, vocab) is the model's prediction of ``ids[i + 1]``."""
    logprobs, ranks, entropies = score_chunk(predictions, ids[1:]) if len(ids) > 1 else ((), (), ())
    return SequenceScore(
        ids=ids,
        logprobs=np.array([np.nan, *logprobs], dtype=np.float32),
        ranks=np.array([-1, *ranks], dtype=np.int32),
        entropies=np.array([np.nan, *entropies], dtype=np.float32),
    )
