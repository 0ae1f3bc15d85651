"""Attention (Vaswani et al. 2017, 1706.03762) with rotary positions: every position can look at all before it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from playground.architectures.layers.layer import Layer, State


def rotate(x: Tensor, first: int) -> Tensor:
    """Rotary positions (RoFormer, 2104.09864): pairs of (…, T, size) turned by angles that grow with the position."""
    size = x.shape[-1]
    frequency = 10_000.0 ** (-torch.arange(0, size, 2) / size)
    angle = (first + torch.arange(x.shape[-2]))[:, None] * frequency  # (T, size / 2)
    even, odd = x[..., ::2], x[..., 1::2]
    turned = (even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos())
    return torch.stack(turned, dim=-1).flatten(-2)


class Attention(Layer):
    """State: the keys and values of all positions read, each (batch, heads, T, size): it grows with the text."""

    def __init__(self, width: int, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def _split(self, x: Tensor, first: int) -> list[Tensor]:
        parts = self.query_key_value(x).unflatten(-1, (3, self.heads, -1))  # (batch, T, 3, heads, size)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (batch, heads, T, size)
        return [rotate(query, first), rotate(key, first), value]

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        query, key, value = self._split(x, 0)
        mixed = scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(2)), (key, value)

    def start(self, batch: int) -> State:
        empty = self.out.weight.new_zeros(batch, self.heads, 0, self.out.in_features // self.heads)
        return empty, empty

    def weights(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The attention row (batch, heads, T) of one position, and the state with its key and value."""
        query, key, value = self._split(x[:, None], state[0].shape[2])
        keys, values = torch.cat([state[0], key], 2), torch.cat([state[1], value], 2)
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])
        return scores.softmax(-1)[:, :, 0], (keys, values)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        weights, state = self.weights(x, state)
        return self.out((weights[:, :, None] @ state[1]).flatten(1)), state
