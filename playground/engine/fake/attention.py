"""Attention of the fake engine: a fixed function of the ids, with queries and keys that give exactly its weights."""

from __future__ import annotations

import numpy as np

from playground.engine.attention_data import AttentionPass, LayerAttention
from playground.engine.attention_scores import attention_scores, masked_softmax
from playground.engine.types import FloatArray, TokenIds
from playground.models.info import LoadedModelInfo


def fake_attention(ids: TokenIds, start: int, end: int, info: LoadedModelInfo, *, scores: bool) -> AttentionPass:
    """A causal pass; ``scores`` False leaves queries and keys out, as an architecture that does not show them."""
    layers = tuple(_layer(index, ids[:end], start, info, scores) for index in range(info.layers))
    return AttentionPass(ids, start, end, layers, 0.0)


def _layer(index: int, ids: TokenIds, start: int, info: LoadedModelInfo, scores: bool) -> LayerAttention:
    end, depth = len(ids), info.head_dim
    queries = np.stack([_vectors(token, index, info.heads, depth) for token in ids[start:]], axis=1)
    keys = np.stack([_vectors(token, index + 100, info.kv_heads, depth) for token in ids], axis=1)
    visible = np.tri(end, dtype=np.bool_)[start:]  # (W, end)
    weights = masked_softmax(attention_scores(queries, keys, depth**-0.5, None), visible)  # (heads, W, end)
    return LayerAttention(
        index=index,
        weights=weights[:, :, start:].copy(),
        before=weights[:, :, :start].sum(-1),
        first=weights[:, :, 0].copy(),
        visible=visible,
        queries=queries if scores else None,
        keys=keys if scores else None,
        scale=depth**-0.5,
    )


def _vectors(token: int, salt: int, heads: int, depth: int) -> FloatArray:
    """(heads, depth) noise that depends on the token alone, so that a repeated token has a repeated key."""
    return np.random.default_rng([token, salt]).standard_normal((heads, depth)).astype(np.float32)
