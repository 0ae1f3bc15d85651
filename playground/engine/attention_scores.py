"""From queries and keys to attention weights, in NumPy: what a model does inside, written out."""

from __future__ import annotations

import numpy as np

from playground.engine.attention_data import BoolArray
from playground.engine.types import FloatArray


def attention_scores(queries: FloatArray, keys: FloatArray, scale: float, softcap: float | None) -> FloatArray:
    """Scores before the mask: (heads, Q, d) and (key heads, K, d) give (heads, Q, K), q·k·scale, capped where so.

    A group of heads // key heads query heads shares one key head (Ainslie et al. 2023, grouped-query attention).
    """
    shared = np.repeat(keys, queries.shape[0] // keys.shape[0], axis=0)  # (heads, K, d)
    scores: FloatArray = queries @ shared.transpose(0, 2, 1) * np.float32(scale)
    return scores if softcap is None else np.float32(softcap) * np.tanh(scores / np.float32(softcap))


def masked_softmax(scores: FloatArray, visible: BoolArray) -> FloatArray:
    """Softmax over the last axis of (..., Q, K) among the visible keys (Q, K); the others get 0."""
    masked = np.where(visible, scores, -np.inf)
    raised = np.exp(masked - masked.max(axis=-1, keepdims=True))
    result: FloatArray = raised / raised.sum(axis=-1, keepdims=True)
    return result
