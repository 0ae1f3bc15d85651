"""What the fake engine shows of its inside: a lens and a list of weights with known numbers. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from playground.engine.types import LENS_TOP, FloatArray, LensRows, Weight, WeightList
from playground.models.info import LoadedModelInfo
from playground.numerics import entropy, rank_of, top_ids


def fake_lens_rows(place: int, logprobs: FloatArray, coming: int, follow: Sequence[int]) -> LensRows:
    """One position's rows from the log-probabilities (depths, vocab) of all depths."""
    top = np.stack([top_ids(row, LENS_TOP) for row in logprobs])  # (depths, K)
    last = logprobs[-1]
    followed = np.array([*top[-1], coming, *follow], dtype=np.int32)
    columns = np.maximum(followed, 0)
    ranks = np.array([[rank_of(row, token) for token in columns] for row in logprobs])  # (depths, F)
    return LensRows(
        first=place,
        top_ids=top[:, None].astype(np.int32),
        top_logprobs=np.take_along_axis(logprobs, top, axis=-1)[:, None],
        entropies=entropy(logprobs)[:, None],
        divergences=(np.exp(last) * (last - logprobs)).sum(axis=-1)[:, None],
        followed=followed[None],
        ranks=np.where(followed < 0, -1, ranks)[:, None].astype(np.int32),
        logprobs=np.where(followed < 0, np.nan, logprobs[:, columns])[:, None].astype(np.float32),
        head_gap=0.0,
    )


def fake_weights(info: LoadedModelInfo) -> WeightList:
    """A token table, a query matrix and a norm for each layer, and one matrix that makes up ``info.parameters``."""
    sizes: list[tuple[str, tuple[int, ...]]] = [("model.embed_tokens.weight", (info.vocab_size, info.hidden_size))]
    for layer in range(info.layers):
        sizes.append((f"model.layers.{layer}.self_attn.q_proj.weight", (info.hidden_size, info.hidden_size)))
        sizes.append((f"model.layers.{layer}.input_layernorm.weight", (info.hidden_size,)))
    rest = info.parameters - sum(math.prod(shape) for _name, shape in sizes)
    sizes.append(("model.layers.0.mlp.up_proj.weight", (rest, 1)))
    weights = tuple(Weight(name, shape, math.prod(shape), 4 * math.prod(shape)) for name, shape in sizes)
    return WeightList(weights, True, '{"model_type": "fake"}')
