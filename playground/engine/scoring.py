"""Scores of given tokens from rows of logits. NumPy only; knows no model."""

from __future__ import annotations

import numpy as np

from playground.engine.types import FloatArray, SequenceScore, TokenIds
from playground.numerics import entropy, log_softmax, ranks_of


def score_rows(ids: TokenIds, predictions: FloatArray) -> SequenceScore:
    """Teacher-forced scores: row i of ``predictions`` (T - 1, vocab) is the model's prediction of ``ids[i + 1]``."""
    targets = np.array(ids[1:], dtype=np.int64)
    logprobs = log_softmax(predictions)  # (T - 1, vocab)
    chosen = np.take_along_axis(logprobs, targets[:, None], axis=-1)[:, 0]
    return SequenceScore(
        ids=ids,
        logprobs=np.array([np.nan, *chosen], dtype=np.float32),
        ranks=np.array([-1, *ranks_of(predictions, targets)], dtype=np.int32),
        entropies=np.array([np.nan, *entropy(logprobs)], dtype=np.float32),
    )
