"""Mamba-2 (Dao and Gu 2024, 2405.21060): a state space whose step Δ, input B and output C depend on the token.

Each head keeps a matrix h (size, N): h_t = exp(Δ_t A) h_{t-1} + Δ_t x_t B_tᵀ, y_t = h_t C_t + D x_t. A small Δ_t leaves the
state as it is (the token is passed over), a large one replaces it: that is the selection of Mamba (2312.00752). Written
out, y = (L ⊙ C Bᵀ) Δx with L_{ts} = exp(A (Δ_{s+1} + … + Δ_t)): attention without a softmax, which is how it is trained.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

from playground.architectures.layers.layer import Layer, State, short_convolution


class Mamba2(Layer):
    """State: the last three inputs of the short convolution, and (batch, heads, size, N). Parameters as transformers names
    them in its ``Mamba2Mixer``, whose weights can be loaded."""

    def __init__(self, width: int, heads: int = 4, states: int = 16, taps: int = 4) -> None:
        super().__init__()
        inner = 2 * width
        self.sizes = (inner, states, heads)
        self.in_proj = nn.Linear(width, 2 * inner + 2 * states + heads, bias=False)
        self.conv1d = nn.Conv1d(inner + 2 * states, inner + 2 * states, taps, groups=inner + 2 * states)
        step = (torch.rand(heads) * math.log(100) + math.log(0.001)).exp()
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus
        self.A_log = nn.Parameter(torch.arange(1, heads + 1).float().log())
        self.D = nn.Parameter(torch.ones(heads))
        self.norm = nn.RMSNorm(inner, eps=1e-5)
        self.out_proj = nn.Linear(inner, width, bias=False)

    def parts(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Gate, Δ (batch, T, heads), x (batch, T, heads, size), B and C (batch, T, N), and the convolution's new state."""
        inner, states, heads = self.sizes
        gate, mixed, step = torch.split(self.in_proj(x), [inner, inner + 2 * states, heads], -1)
        mixed, before = short_convolution(mixed, before, self.conv1d.weight[:, 0])
        inputs, taken, given = torch.split(silu(mixed + self.bias), [inner, states, states], -1)
        return gate, softplus(step + self.dt_bias), inputs.reshape(*inputs.shape[:2], heads, -1), taken, given, before

    @property
    def bias(self) -> Tensor:
        bias = self.conv1d.bias
        assert bias is not None
        return bias

    def _finish(self, y: Tensor, gate: Tensor) -> Tensor:
        finished: Tensor = self.out_proj(self.norm(y.flatten(-2) * silu(gate)))
        return finished

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        gate, step, inputs, taken, given, before = self.parts(x, self.start(len(x))[0])
        passed = (
            (-self.A_log.exp() * step).cumsum(1).transpose(1, 2)
        )  # (batch, heads, T): log of what is left since the start
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        decay = (passed[..., :, None] - passed[..., None, :]).masked_fill(later, -math.inf).exp()  # L
        scores = decay * (given @ taken.transpose(1, 2))[:, None]  # (batch, heads, T, T)
        written = (step[..., None] * inputs).transpose(1, 2)  # (batch, heads, T, size)
        y = (scores @ written).transpose(1, 2) + self.D[:, None] * inputs
        last = (written * decay[:, :, -1, :, None]).transpose(2, 3) @ taken[:, None]
        return self._finish(y, gate), (before, last)

    def start(self, batch: int) -> State:
        inner, states, heads = self.sizes
        width, _one, taps = self.conv1d.weight.shape
        new = self.D.new_zeros
        return new(batch, taps - 1, width), new(batch, heads, inner // heads, states)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        gate, step, inputs, taken, given, before = (
            part[:, 0] if number < 5 else part for number, part in enumerate(self.parts(x[:, None], state[0]))
        )
        kept = (-self.A_log.exp() * step).exp()  # (batch, heads)
        written = (step[..., None] * inputs)[..., None] * taken[:, None, None]
        held = kept[..., None, None] * state[1] + written
        y = (held @ given[:, None, :, None])[..., 0] + self.D[:, None] * inputs
        return self._finish(y, gate), (before, held)
