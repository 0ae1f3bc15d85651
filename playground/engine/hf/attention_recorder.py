"""What an attention pass takes from each layer's attention function, chunk by chunk, as arrays of the whole window.

Tensors in, NumPy out; knows no model and no runner.
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from playground.engine.attention_data import BoolArray, LayerAttention
from playground.engine.attention_scores import attention_scores, masked_softmax
from playground.engine.types import FloatArray
from playground.errors import CapabilityMissing

_OWN_BYTES = 2**17


@dataclass
class _Layer:
    """One layer's arrays while the pass runs; filled chunk by chunk."""

    weights: FloatArray  # (heads, W, W)
    before: FloatArray  # (heads, W)
    first: FloatArray  # (heads, W)
    visible: BoolArray  # (W, end)
    queries: FloatArray  # (heads, W, d)
    keys: FloatArray  # (key heads, end, d)
    scale: float
    softcap: float | None
    reproduces: bool = True  # whether softmax(q·k·scale) gives the weights: a learnt sink or bias would break it


class AttentionRecorder:
    """Takes what each layer's attention function is given and returns. ``done`` positions were read before."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end, self.done = start, end, 0
        self.layers: dict[int, _Layer] = {}

        self.repeats = False  # whether a layer asked twice in one pass: what it shows then is neither
        self._in_this_pass: set[int] = set()

    def begin_pass(self) -> None:
        self._in_this_pass.clear()

    def take(
        self,
        number: int | None,
        query: torch.Tensor,  # (1, heads, Q, d)
        key: torch.Tensor,  # (1, key heads, K, d): the last K positions
        weights: torch.Tensor,  # (1, heads, Q, K)
        mask: torch.Tensor | None,  # (1, 1, Q, K), added to the scores
        scale: float,
        softcap: float | None,
    ) -> None:
        index = len(self._in_this_pass) if number is None else number
        self.repeats |= index in self._in_this_pass
        self._in_this_pass.add(index)
        if self.repeats:
            return
        if key.shape[2] > self.done + query.shape[2]:
            raise CapabilityMissing(
                "This model's attention looks at summaries of its tokens and not only at the tokens: choose another model."
            )
        heads, count, depth = query.shape[1:]
        layer = self.layers.get(index)
        if layer is None:
            layer = self.layers[index] = _empty_layer(
                heads, key.shape[1], depth, self.end - self.start, self.end, scale, softcap
            )
        stop = self.done + count
        offset = stop - key.shape[2]  # the position of the first key
        layer.keys[:, offset:stop] = to_float32(key[0])
        skip = max(self.start - self.done, 0)  # positions of this chunk before the window
        if skip >= count:
            return
        rows = slice(self.done + skip - self.start, stop - self.start)
        float_weights = to_float32(weights[0, :, skip:])  # (heads, q, K)
        visible = _visible(mask, count, key.shape[2])[skip:]  # (q, K)
        inside = max(self.start - offset, 0)  # how many of these keys lie before the window
        layer.weights[:, rows, offset + inside - self.start : stop - self.start] = float_weights[:, :, inside:]
        layer.before[:, rows] = float_weights[:, :, :inside].sum(-1)
        layer.first[:, rows] = float_weights[:, :, 0] if offset == 0 else 0.0
        layer.visible[rows, offset:stop] = visible
        layer.queries[:, rows] = to_float32(query[0, :, skip:])
        layer.reproduces &= _reproduces(layer, query, float_weights, visible, offset, stop)

    def finish(self) -> tuple[LayerAttention, ...]:
        return tuple(_finished(index, layer) for index, layer in sorted(self.layers.items()))


def _empty_layer(
    heads: int, key_heads: int, depth: int, width: int, end: int, scale: float, softcap: float | None
) -> _Layer:
    return _Layer(
        weights=_zeros(heads, width, width),
        before=_zeros(heads, width),
        first=_zeros(heads, width),
        visible=_zeros(width, end, kind=np.bool_),
        queries=_zeros(heads, width, depth),
        keys=_zeros(key_heads, end, depth),
        scale=scale,
        softcap=softcap,
    )


def _zeros(*shape: int, kind: type[np.generic] = np.float32) -> npt.NDArray[Any]:
    """Zeros in memory of their own, which goes back to the system with the array.

    The C library keeps freed blocks of up to a few megabytes for itself, see ``malloc_trim``.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size < _OWN_BYTES:
        return np.zeros(shape, kind)
    return np.frombuffer(mmap.mmap(-1, size), kind).reshape(shape)


def to_float32(tensor: torch.Tensor) -> FloatArray:
    values: FloatArray = tensor.float().cpu().numpy()
    return values


def _visible(mask: torch.Tensor | None, queries: int, keys: int) -> BoolArray:
    """(queries, keys): what the mask allows; without one, every key up to the query's own position."""
    if mask is None:
        return np.tri(queries, keys, keys - queries, dtype=np.bool_)
    allowed: BoolArray = (mask[0, 0, :, :keys] > torch.finfo(mask.dtype).min / 2).cpu().numpy()
    return np.broadcast_to(allowed, (queries, keys))


def _reproduces(
    layer: _Layer, query: torch.Tensor, weights: FloatArray, visible: BoolArray, offset: int, stop: int
) -> bool:
    """Whether the last query's weights follow from its scores, to within the number format's coarseness."""
    scores = attention_scores(to_float32(query[0, :, -1:]), layer.keys[:, offset:stop], layer.scale, layer.softcap)
    expected = masked_softmax(scores, visible[-1:])[:, 0]  # (heads, K)
    tolerance = 1e-3 if query.dtype == torch.float32 else 5e-2
    return bool(np.abs(expected - weights[:, -1]).max() <= tolerance)


def _finished(index: int, layer: _Layer) -> LayerAttention:
    queries, keys = (layer.queries, layer.keys) if layer.reproduces else (None, None)
    for array in (layer.weights, layer.before, layer.first, layer.visible, queries, keys):
        if array is not None:
            array.flags.writeable = False
    return LayerAttention(
        index, layer.weights, layer.before, layer.first, layer.visible, queries, keys, layer.scale, layer.softcap
    )
