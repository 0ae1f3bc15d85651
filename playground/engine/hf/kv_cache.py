"""A preallocated key-value layer that grows in place, for rows that are decoded together.

transformers' own layer concatenates: every step copies all keys and values of all rows, which for 16 rows of 300 tokens
is as much memory traffic as reading a small model's weights. Here a step writes only its own position into
capacity that was reserved ahead. Rows that leave make place for others, and rows that are put into another order (a beam
search does so at every step) exchange only what comes after their common prompt. The price is that such a cache must
not be shared, unlike a plain one (see ``state``).
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

_LEAST_CAPACITY = 64  # positions reserved at least
_GROWTH = 0.25  # and at least this share of what is there


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A ``DynamicLayer`` whose ``keys`` and ``values`` are views into larger buffers."""

    def __init__(self, layer: DynamicLayer, rows: int = 1) -> None:
        super().__init__()
        self.__dict__.update(layer.__dict__)
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None
        alike = self.is_initialized and len(layer.keys) == 1
        self._shared = layer.get_seq_length() if alike else 0  # so many positions are the same in all rows
        if rows > 1 and self.is_initialized:  # repeated when they are copied into the buffers, and only then
            self.keys, self.values = (states.expand(rows, -1, -1, -1) for states in (layer.keys, layer.values))

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append (rows, heads, new, size) keys and values; returns all of them, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        length, new = self.get_seq_length(), key_states.shape[-2]
        rows = len(key_states)
        keys, values = (buffer[:rows] for buffer in self._with_capacity(rows, length, new, key_states, value_states))
        keys[..., length : length + new, :] = key_states
        values[..., length : length + new, :] = value_states
        self.keys, self.values = keys[..., : length + new, :], values[..., : length + new, :]
        return self.keys, self.values

    def place(
        self, begin: int, end: int, key_states: torch.Tensor, value_states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the next position of the rows ``begin`` to ``end``, (rows, heads, size), without counting it yet.

        Returns all keys and values of these rows, as views. ``count`` makes the position the rows' own; until then the
        layer is as it was, so that a pass that fails has changed nothing, and rows may come in several passes.
        """
        rows, length = len(self.keys), self.keys.shape[-2]
        keys, values = self._with_capacity(rows, length, 1, key_states, value_states)
        if end - begin < len(keys):
            keys, values = keys[begin:end], values[begin:end]
        keys.select(2, length).copy_(key_states)
        values.select(2, length).copy_(value_states)
        return keys.narrow(2, 0, length + 1), values.narrow(2, 0, length + 1)

    def count(self) -> None:
        """One position more: every row has been given its own by ``place``."""
        assert self._buffers is not None
        keys, values = self._buffers
        rows, length = len(self.keys), self.keys.shape[-2] + 1
        if rows < len(keys):
            keys, values = keys[:rows], values[:rows]
        self.keys, self.values = keys.narrow(2, 0, length), values.narrow(2, 0, length)

    def _with_capacity(
        self, rows: int, length: int, new: int, key_states: torch.Tensor, value_states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self._shared = min(self._shared, length)  # it may have been cropped
        if self._buffers is not None and self._buffers[0].shape[-2] >= length + new:
            return self._buffers
        capacity = length + new + max(_LEAST_CAPACITY, int(length * _GROWTH))
        grown = []
        for stored, states in ((self.keys, key_states), (self.values, value_states)):
            buffer = states.new_empty((rows, states.shape[1], capacity, states.shape[-1]))
            if length:
                buffer[..., :length, :] = stored
            grown.append(buffer)
        self._buffers = (grown[0], grown[1])
        return self._buffers

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Go on with these rows, in this order; one may be there more than once."""
        if self._buffers is None or len(indices) > len(self._buffers[0]):
            super().batch_select_indices(indices)
            self._buffers = None  # the rows were copied out
            return
        length, rows = self.get_seq_length(), len(indices)
        places = torch.arange(rows, device=indices.device)
        moved = (indices != places).nonzero()[:, 0]
        if len(moved):
            sources, begin = indices[moved], self._shared
            for buffer in self._buffers:
                buffer[moved, :, begin:length] = buffer[sources, :, begin:length]  # reads all before it writes
        self.keys, self.values = (buffer[:rows, :, :length] for buffer in self._buffers)

    def plain(self, row: int | None) -> DynamicLayer:
        """One row (None: the only one) as a plain layer of its own, without the reserved capacity."""
        layer = DynamicLayer()
        layer.__dict__.update({key: it for key, it in self.__dict__.items() if key not in ("_buffers", "_shared")})
        if row is not None:
            layer.batch_select_indices(torch.tensor([row], device=self.keys.device))
        elif self.is_initialized:
            layer.keys, layer.values = self.keys.clone(), self.values.clone()
        return layer
