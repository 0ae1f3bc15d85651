"""Attention as an .npz file that NumPy opens anywhere. Arrays only, no pickle."""

from __future__ import annotations

import io

import numpy as np

from playground.engine.attention_data import AttentionPass
from playground.errors import BadInput


def attention_npz(attention: AttentionPass) -> bytes:
    """``attention`` (layers, heads, query, key) float32, ``ids`` (T,) of the whole text, ``start``, ``layers`` (numbers).

    Queries and keys are the window's positions, from ``start``; ``before`` (layers, heads, query) is the weight on keys
    before it. Forbidden cells are 0. Raises BadInput where layers differ in their number of heads.
    """
    if len({layer.heads for layer in attention.layers}) > 1:
        raise BadInput(
            "This model's layers differ in their number of heads, so they do not make one array: choose another."
        )
    held = io.BytesIO()
    np.savez_compressed(
        held,
        attention=np.stack([layer.weights for layer in attention.layers]),
        before=np.stack([layer.before for layer in attention.layers]),
        ids=np.array(attention.ids, dtype=np.int64),
        start=np.array(attention.start),
        layers=np.array([layer.index for layer in attention.layers]),
    )
    return held.getvalue()
