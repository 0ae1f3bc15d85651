"""What a model keeps of the tokens that rows have read: keys and values, recurrent states, or both, layer by layer.

One class for all kinds, so that a reader of texts need not know them. Every kind can be forked where it stands, and its
rows chosen; only keys and values that are all still there can be cut shorter (a sliding window has dropped the old ones, a
recurrent state cannot go back). Torch in, torch out, on the engine's thread.

transformers' ``DynamicLayer`` never writes into its tensors: ``update`` concatenates into new ones and ``crop``
slices. A fork of such layers copies the layer objects and shares all memory; other kinds are copied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import PreTrainedConfig
from transformers.cache_utils import (
    Cache,
    CacheLayerMixin,
    DummyLayer,
    DynamicCache,
    DynamicIndexedLayer,
    DynamicLayer,
    DynamicSlidingWindowLayer,
)

from playground.engine.hf.kv_cache import PreallocatedLayer

_WHOLE = (DynamicLayer, DynamicIndexedLayer, DummyLayer)  # keep every position (a dummy layer shares another's)
_NEVER_WRITTEN = (*_WHOLE, DynamicSlidingWindowLayer)  # grow into new tensors


class DecoderState:
    """``value``: transformers' cache, or what the model made itself; None before it has. ``length``: tokens read."""

    def __init__(self, value: Any = None, length: int = 0) -> None:  # noqa: ANN401 - a model's own state is of any class
        self.value = value
        self.length = length

    @property
    def can_cut(self) -> bool:
        """Whether a shorter prefix can be taken out."""
        return type(self.value) is DynamicCache and all(map(_is_whole, self.value.layers))

    def fork(self, length: int) -> DecoderState:
        """The first ``length`` positions as a state of their own; this one stays. All of them unless ``can_cut``."""
        if length != self.length and not self.can_cut:
            raise ValueError(f"a state of {self.length} tokens cannot be cut to {length}")
        if type(self.value) is not DynamicCache:
            return DecoderState(copy.deepcopy(self.value), length)
        twin = copy.copy(self.value)
        with torch.inference_mode():
            twin.layers = [copy.copy(it) if type(it) in _NEVER_WRITTEN else copy.deepcopy(it) for it in twin.layers]
            if length != self.length:
                twin.crop(length - self.length)
        return DecoderState(twin, length)

    def preallocate(self, rows: int) -> DecoderState:
        """This state of one row as ``rows`` equal ones whose keys and values grow in place. Not to be shared after it.

        The tensors of before are not written to: the first step copies them into the buffers.
        """
        if type(self.value) is not DynamicCache:
            if rows > 1:
                self.select_rows(torch.zeros(rows, dtype=torch.long, device=_device(self.value)))
            return self
        layers = []
        for layer in self.value.layers:
            if type(layer) is DynamicLayer:
                layers.append(PreallocatedLayer(layer, rows))
            else:
                if rows > 1:
                    layer.reorder_cache(torch.zeros(rows, dtype=torch.long, device=_device(layer)))
                layers.append(layer)
        self.value.layers = layers
        return self

    def select_rows(self, index: torch.Tensor) -> None:
        """Go on with these rows, in this order; one may be there more than once. In place."""
        if type(self.value) is not DynamicCache:
            self.value = _map_tensors(self.value, lambda tensor: tensor.index_select(0, index.to(tensor.device)))
            return
        for layer in self.value.layers:
            if isinstance(layer, PreallocatedLayer):
                layer.batch_select_indices(index)
            else:
                layer.reorder_cache(index)

    def plain_row(self, row: int | None) -> DecoderState:
        """One row (None: the only one) as a state of its own that may be shared, without reserved capacity."""
        if type(self.value) is not DynamicCache:
            twin = DecoderState(copy.deepcopy(self.value), self.length)
        else:
            cache = copy.copy(self.value)
            cache.layers = [
                layer.plain(row) if isinstance(layer, PreallocatedLayer) else copy.deepcopy(layer)
                for layer in cache.layers
            ]
            twin = DecoderState(cache, self.length)
        if row is not None:
            index = torch.tensor([row], device=_device(twin.value))
            if type(twin.value) is not DynamicCache:
                twin.select_rows(index)
            else:
                for old, layer in zip(self.value.layers, twin.value.layers, strict=True):
                    if not isinstance(old, PreallocatedLayer):
                        layer.reorder_cache(index)
        return twin

    @property
    def cache_bytes(self) -> int | None:
        """Bytes of keys and values, reserved capacity not counted; None for a model without them."""
        sizes = [tensor.nbytes for layer in _layers(self.value) for tensor in _keys_and_values(layer)]
        return sum(sizes) if sizes else None

    @property
    def state_bytes(self) -> int | None:
        """Bytes of what does not grow with the text (recurrent and convolution states); None without any."""
        total = sum(tensor.nbytes for tensor in _tensors(self.value))
        rest = total - (self.cache_bytes or 0)
        return rest or None

    @property
    def bytes(self) -> int:
        return (self.cache_bytes or 0) + (self.state_bytes or 0)


def _is_whole(layer: CacheLayerMixin) -> bool:
    if type(layer) is DynamicSlidingWindowLayer:
        return bool(layer.cumulative_length < layer.sliding_window)
    return type(layer) in _WHOLE


def _layers(value: object) -> list[CacheLayerMixin]:
    return list(value.layers) if isinstance(value, Cache) else []


def _keys_and_values(layer: CacheLayerMixin) -> list[torch.Tensor]:
    both = (getattr(layer, "keys", None), getattr(layer, "values", None))
    return [tensor for tensor in both if isinstance(tensor, torch.Tensor)]


def _tensors(value: object) -> Iterator[torch.Tensor]:
    """All tensors that belong to rows: a scalar belongs to the layer."""
    if isinstance(value, torch.Tensor):
        if value.dim():
            yield value
    elif isinstance(value, PreallocatedLayer):
        yield from _keys_and_values(value)
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)
    elif _has_parts(value):
        for part in vars(value).values():
            yield from _tensors(part)


def _map_tensors(value: object, change: Callable[[torch.Tensor], torch.Tensor]) -> object:
    """A copy of ``value`` with every row tensor in it changed; rows are the first dimension."""
    if isinstance(value, torch.Tensor):
        return change(value) if value.dim() else value
    if isinstance(value, dict):
        return {key: _map_tensors(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_map_tensors(part, change) for part in value])
    if not _has_parts(value):
        return value
    twin = copy.copy(value)
    twin.__dict__.update({name: _map_tensors(part, change) for name, part in vars(value).items()})
    return twin


def _has_parts(value: object) -> bool:
    return hasattr(value, "__dict__") and not isinstance(value, type | PreTrainedConfig) and not callable(value)


def _device(value: object) -> torch.device | None:
    return next((tensor.device for tensor in _tensors(value)), None)
