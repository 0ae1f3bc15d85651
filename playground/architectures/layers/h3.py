"""H3 (Fu et al. 2022, 2212.14052): two state spaces and two products, made to recall and to compare as attention does.

y = q ⊙ SSM_diag(SSM_shift(k) ⊙ v): the shift remembers the last few keys, its product with the value stores a pair where a
key was just seen, the diagonal state space carries it on, and the query lets through what it asks for. As in the authors'
code, with heads of size 1; the first weight of their shift and the one they give to the present key are one here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.architectures.layers.layer import Layer, State, short_convolution
from playground.architectures.layers.s4 import DiagonalSsm


class H3(Layer):
    """State: the last three keys (batch, 3, width) and the diagonal state space's (batch, width, N) complex numbers."""

    def __init__(self, width: int, taps: int = 4, size: int = 16) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(width, 3 * width)
        self.shift = nn.Parameter(torch.randn(width, taps) * taps**-0.5)
        self.ssm = DiagonalSsm(width, size, bilinear=True)
        self.out = nn.Linear(width, width)

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        query, key, value = self.query_key_value(x).chunk(3, -1)
        shifted, keys = short_convolution(key, self.start(len(x))[0], self.shift)
        carried, last = self.ssm.read(shifted * value)
        return self.out(query * carried), (keys, last)

    def start(self, batch: int) -> State:
        width, taps = self.shift.shape
        return self.shift.new_zeros(batch, taps - 1, width), self.ssm.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        query, key, value = self.query_key_value(x).chunk(3, -1)
        shifted, keys = short_convolution(key[:, None], state[0], self.shift)
        carried, last = self.ssm.step(shifted[:, 0] * value, state[1])
        return self.out(query * carried), (keys, last)
