"""What all layers have in common: a parallel form, a form step by step, and a state."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]


class Layer(nn.Module, ABC):
    """One layer that mixes positions; see the package's docstring."""

    @abstractmethod
    def read(self, x: Tensor) -> tuple[Tensor, State]:
        """All positions at once: outputs (batch, T, width) and the state after the last."""

    @abstractmethod
    def start(self, batch: int) -> State:
        """The state before the first position."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One position (batch, width) after ``state``."""

    def forward(self, x: Tensor) -> Tensor:
        return self.read(x)[0]


def causal_convolution(inputs: Tensor, kernel: Tensor) -> Tensor:
    """y_t = Σ_{s ≤ t} kernel_{t-s} inputs_s by FFT: ``inputs`` (batch, T, width), ``kernel`` (width, T)."""
    size = 2 * inputs.shape[1]
    product = torch.fft.rfft(inputs.transpose(1, 2), n=size) * torch.fft.rfft(kernel, n=size)
    convolved: Tensor = torch.fft.irfft(product, n=size)
    return convolved[..., : inputs.shape[1]].transpose(1, 2)


def short_convolution(inputs: Tensor, before: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """A causal convolution of few taps: ``inputs`` (batch, T, width) after ``before`` (batch, taps - 1, width).

    ``kernel`` (width, taps), its last tap on the present. Gives the outputs and the inputs that the next call needs.
    """
    joined = torch.cat([before, inputs], dim=1)  # (batch, taps - 1 + T, width)
    windows = joined.unfold(1, kernel.shape[1], 1)  # (batch, T, width, taps)
    return (windows * kernel).sum(-1), joined[:, inputs.shape[1] :]
