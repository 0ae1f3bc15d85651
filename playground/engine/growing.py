"""A key-value cache that grows in place, for rows that are decoded together.

transformers' own layer concatenates: every step copies all keys and values of all rows, which for 16 rows of 300 tokens
is as much memory traffic as reading a small model's weights. Here a step writes only its own position into room
that was reserved ahead. The price is that such a cache must not be shared, unlike a plain one (see ``prefix``).
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

_ROOM = 64  # positions reserved at least
_GROWTH = 0.25  # and at least this share of what is there


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A ``DynamicLayer`` whose ``keys`` and ``values`` are views into larger buffers."""

    def __init__(self, layer: DynamicLayer) -> None:
        super().__init__()
        self.__dict__.update(layer.__dict__)
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append (rows, heads, new, size) keys and values; returns all of them, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        length, new = self.get_seq_length(), key_states.shape[-2]
        keys, values = self._room_for(length, new, key_states, value_states)
        keys[..., length : length + new, :] = key_states
        values[..., length : length + new, :] = value_states
        self.keys, self.values = keys[..., : length + new, :], values[..., : length + new, :]
        return self.keys, self.values

    def _room_for(
        self, length: int, new: int, key_states: torch.Tensor, value_states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self._buffers is not None and self._buffers[0].shape[-2] >= length + new:
            return self._buffers
        capacity = length + new + max(_ROOM, int(length * _GROWTH))
        grown = []
        for known, states in ((self.keys, key_states), (self.values, value_states)):
            buffer = states.new_empty((*states.shape[:-2], capacity, states.shape[-1]))
            if length:
                buffer[..., :length, :] = known
            grown.append(buffer)
        self._buffers = (grown[0], grown[1])
        return self._buffers

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        super().batch_select_indices(indices)
        self._buffers = None  # the rows that stay were copied out


def make_growing(cache: Cache) -> Cache:
    """``cache`` with its plain layers made growing; others (sliding windows) stay as they are. In place.

    The tensors of before are not written to: the first step copies them into the buffers.
    """
    cache.layers = [GrowingLayer(layer) if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def plain_row(cache: Cache, row: int | None) -> Cache:
    """One row (None: the only one) as a plain cache of its own, without the reserved room."""
    twin = copy.copy(cache)
    twin.layers = []
    for layer in cache.layers:
        plain = DynamicLayer()
        plain.__dict__.update({key: value for key, value in layer.__dict__.items() if key != "_buffers"})
        if row is not None:
            plain.batch_select_indices(torch.tensor([row], device=layer.keys.device))
        else:
            plain.keys, plain.values = layer.keys.clone(), layer.values.clone()
        twin.layers.append(plain)
    return twin
