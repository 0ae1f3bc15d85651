"""RWKV-4's time mixing (Peng et al. 2023, 2305.13048): a weighted mean of values with weights that decay with the distance.

wkv_t = (Σ_{s<t} e^{-(t-1-s) w + k_s} v_s + e^{u + k_t} v_t) / (the same without v). The decay w is learnt for each channel
and the same for every text; what a token puts in is up to its key. A receptance gates what comes out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.architectures.layers.layer import Layer, State

_NOTHING = -1e38  # the exponent of an empty sum


class Rwkv(Layer):
    """State: the last input, and the two sums with their common exponent: four of (batch, width). Parameters as
    transformers names them in its ``RwkvSelfAttention``, whose weights can be loaded."""

    def __init__(self, width: int) -> None:
        super().__init__()
        share = torch.arange(width) / width
        self.time_decay = nn.Parameter(-5 + 8 * share**0.7)
        self.time_first = nn.Parameter(torch.full((width,), -1.2))
        self.time_mix_key = nn.Parameter(share[None, None].clone())
        self.time_mix_value = nn.Parameter(share[None, None].clone())
        self.time_mix_receptance = nn.Parameter(0.5 * share[None, None])
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.receptance = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def parts(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Key, value and receptance (batch, T, width), each of a mixture of the present and the last input."""
        shifted = torch.cat([before[:, None], x[:, :-1]], 1)
        key, value, receptance = (
            project(x * mix + shifted * (1 - mix))
            for project, mix in (
                (self.key, self.time_mix_key),
                (self.value, self.time_mix_value),
                (self.receptance, self.time_mix_receptance),
            )
        )
        return key, value, receptance.sigmoid()

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        key, value, receptance = self.parts(x, torch.zeros_like(x[:, 0]))
        length, decay = x.shape[1], self.time_decay.exp()
        top = key.amax(1)  # (batch, width): so that no exponential overflows
        weight = (key - top[:, None]).exp()
        distance = torch.arange(length)[:, None] - 1 - torch.arange(length)  # (T, T)
        faded = (-distance.clamp_min(0) * decay[:, None, None]).exp().masked_fill(distance < 0, 0.0)  # (width, T, T)
        now = (self.time_first + key - top[:, None]).exp()
        above, below = (
            torch.einsum("dts,bsd->btd", faded, weight * what) + now * what for what in (value, torch.ones_like(value))
        )
        fading = (-(length - 1 - torch.arange(length))[:, None] * decay).exp()  # (T, width)
        sums = (fading * weight * value).sum(1), (fading * weight).sum(1)
        return self.output(receptance * above / below.clamp_min(1e-30)), (x[:, -1], *sums, top)

    def start(self, batch: int) -> State:
        new = self.time_first.new_zeros
        width = len(self.time_first)
        return new(batch, width), new(batch, width), new(batch, width), new(batch, width) + _NOTHING

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        before, above, below, top = state
        key, value, receptance = (part[:, 0] for part in self.parts(x[:, None], before))
        now = self.time_first + key
        highest = torch.maximum(top, now)
        old, new = (top - highest).exp(), (now - highest).exp()
        mixed = (old * above + new * value) / (old * below + new)
        faded = top - self.time_decay.exp()
        highest = torch.maximum(faded, key)
        old, new = (faded - highest).exp(), (key - highest).exp()
        return self.output(receptance * mixed), (x, old * above + new * value, old * below + new, highest)
