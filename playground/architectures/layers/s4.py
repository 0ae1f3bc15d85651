"""S4 (Gu et al. 2021, 2111.00396) in its diagonal form S4D (2206.11893): a linear recurrence that is also a convolution.

Each channel has N complex numbers: h_t = Ā h_{t-1} + B̄ u_t, y_t = 2 Re(C h_t) + D u_t, with Ā = exp(Δ A) and
B̄ = (Ā - 1) / A (zero-order hold, B = 1). Nothing in it depends on the input, so y is u convolved with the fixed kernel
K_t = 2 Re(Σ_n C_n B̄_n Ā_n^t): what is kept and what is forgotten is the same for every text.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, glu, pad

from playground.architectures.layers.layer import Layer, State, causal_convolution


class DiagonalSsm(nn.Module):
    """The recurrence alone, (batch, T, width) to the same shape. State: (batch, width, N) complex numbers.

    A starts as S4D-Lin: A_n = -1/2 + i π n. Steps Δ start between 0.001 and 0.1, one a channel. ``bilinear``: discretised by
    the trapezoid rule, Ā = (1 + ΔA/2) / (1 - ΔA/2) and B̄ = Δ / (1 - ΔA/2), as in H3's published code; else zero-order hold.
    """

    def __init__(self, width: int, size: int = 16, *, bilinear: bool = False) -> None:
        super().__init__()
        self.bilinear = bilinear
        self.log_step = nn.Parameter(torch.rand(width) * math.log(100) + math.log(0.001))
        self.log_decay = nn.Parameter(torch.full((width, size), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(size).float().repeat(width, 1))
        self.output = nn.Parameter(torch.randn(width, size, 2) * 0.5**0.5)
        self.skip = nn.Parameter(torch.ones(width))

    def _rate(self) -> tuple[Tensor, Tensor]:
        """A (width, N) complex, and Δ (width, 1)."""
        return torch.complex(-self.log_decay.exp(), self.frequency), self.log_step.exp()[:, None]

    def discretised(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ā, B̄ and C, each (width, N) complex."""
        (rate, step), output = self._rate(), torch.view_as_complex(self.output)
        if self.bilinear:
            below = 1 - step * rate / 2
            return (1 + step * rate / 2) / below, step / below, output
        kept = (step * rate).exp()
        return kept, (kept - 1) / rate, output

    def powers(self, length: int, every: int = 1) -> Tensor:
        """Ā^t for the first ``length`` multiples t of ``every``: (width, N, length)."""
        rate, step = self._rate()
        logarithm = 2 * torch.atanh(step * rate / 2) if self.bilinear else step * rate  # log Ā, exact where it is small
        return (logarithm[..., None] * torch.arange(0, length * every, every)).exp()

    def kernel(self, length: int) -> Tensor:
        """K_0 … K_{length - 1}: (width, length). Ā^{ib + j} is Ā^{ib} Ā^j, so a product of two short lists of powers."""
        _kept, taken, output = self.discretised()
        block = math.isqrt(length - 1) + 1
        rows = (output * taken)[..., None] * self.powers(block, block)  # (width, N, i)
        return 2 * (rows.transpose(1, 2) @ self.powers(block)).real.flatten(1)[:, :length]

    def last_state(self, u: Tensor) -> Tensor:
        """Σ_s Ā^{T-1-s} B̄ u_s: (batch, width, N)."""
        length, (_kept, taken, _output) = u.shape[1], self.discretised()
        block = math.isqrt(length - 1) + 1
        padded = pad(u.transpose(1, 2), (block * block - length, 0)).reshape(*u.shape[::2], block, block)
        inner = torch.einsum("dnj,bdij->bdni", self.powers(block).flip(-1), padded.to(taken.dtype))
        return (inner * self.powers(block, block).flip(-1)).sum(-1) * taken

    def read(self, u: Tensor) -> tuple[Tensor, Tensor]:
        return causal_convolution(u, self.kernel(u.shape[1])) + self.skip * u, self.last_state(u)

    def start(self, batch: int) -> Tensor:
        return torch.zeros(batch, *self.log_decay.shape, dtype=torch.complex64)

    def step(self, u: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        kept, taken, output = self.discretised()
        state = kept * state + taken * u[..., None]
        return 2 * (output * state).sum(-1).real + self.skip * u, state


class S4(Layer):
    """The recurrence, a nonlinearity, and a gated linear map that mixes the channels."""

    def __init__(self, width: int, size: int = 16) -> None:
        super().__init__()
        self.ssm = DiagonalSsm(width, size)
        self.mix = nn.Linear(width, 2 * width)

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        outputs, last = self.ssm.read(x)
        return glu(self.mix(gelu(outputs)), -1), (last,)

    def start(self, batch: int) -> State:
        return (self.ssm.start(batch),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, last = self.ssm.step(x, state[0])
        return glu(self.mix(gelu(outputs)), -1), (last,)
