"""A gated recurrent unit (Cho et al. 2014, 1406.1078): the recurrent network of the years before attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.architectures.layers.layer import Layer, State


class Gru(Layer):
    """State: one hidden vector (batch, width). It is not linear in it, so positions are computed one after the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.GRU(width, width, batch_first=True)

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        outputs, last = self.cell(x)
        return outputs, (last[0],)

    def start(self, batch: int) -> State:
        return (torch.zeros(batch, self.cell.hidden_size),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, last = self.cell(x[:, None], state[0][None])
        return outputs[:, 0], (last[0],)
