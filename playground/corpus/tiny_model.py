"""A language model of bytes, small enough to be trained from nothing in a minute: two layers of torch's own transformer.

Knows nothing of where its bytes come from. Torch is imported where it is used.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 64, 2, 4, 96, 16
RATE = 3e-3
STEP_BYTES = BATCH * CONTEXT


class TinyModel:
    """Weights, optimiser and the order of batches, all from ``seed``; two of one seed on the same bytes are the same model."""

    def __init__(self, seed: int, steps: int) -> None:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = _network()
        self._steps, self._step = steps, 0
        self._draw = np.random.default_rng(seed)
        self._optimiser = torch.optim.AdamW(self._net.parameters(), lr=RATE, weight_decay=0.01)
        rising = min(20, max(1, steps // 10))

        def rate(step: int) -> float:
            """A rise, then half a cosine down to a tenth."""
            return min(1.0, (step + 1) / rising) * (0.1 + 0.45 * (1 + math.cos(math.pi * step / steps)))

        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, rate)

    @property
    def parameters(self) -> int:
        """How many numbers it has."""
        return sum(each.numel() for each in self._net.parameters())

    def train(self, data: bytes) -> float:
        """One step on ``STEP_BYTES`` bytes of ``data`` at places drawn at random; its loss in bits a byte."""
        import torch

        codes = np.frombuffer(data, dtype=np.uint8)
        starts = self._draw.integers(0, len(codes) - CONTEXT - 1, BATCH)
        batch = torch.from_numpy(np.stack([codes[start : start + CONTEXT + 1] for start in starts]).astype(np.int64))
        with torch.inference_mode(False), torch.enable_grad():
            self._net.train()
            self._optimiser.zero_grad()
            loss = _loss(self._net, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._net.parameters(), 1.0)
            self._optimiser.step()
            self._schedule.step()
        self._step += 1
        return float(loss.detach()) / math.log(2)

    def held_out(self, data: bytes) -> float:
        """Bits a byte on all of ``data``, in windows of ``CONTEXT``."""
        import torch

        codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64)
        rows = (len(codes) - 1) // CONTEXT
        windows = np.stack([codes[row * CONTEXT : row * CONTEXT + CONTEXT + 1] for row in range(rows)])
        self._net.eval()
        with torch.no_grad():
            return float(_loss(self._net, torch.from_numpy(windows))) / math.log(2)


def _network() -> nn.Module:
    """Bytes in, (batch, length, 256) logits out; each position sees itself and what came before."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bytes, self.places = nn.Embedding(256, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
            self.layers = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
            self.head = nn.Linear(WIDTH, 256)
            self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(CONTEXT), persistent=False)

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            length = given.shape[1]
            hidden = self.bytes(given) + self.places(torch.arange(length))  # (batch, length, width)
            mask = self.get_buffer("mask")[:length, :length]
            logits: torch.Tensor = self.head(self.layers(hidden, mask=mask, is_causal=True))  # (batch, length, 256)
            return logits

    return Network()


def _loss(net: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Mean negative log-probability, in nats, of each byte of (batch, length + 1) after the first."""
    from torch.nn.functional import cross_entropy

    logits = net(batch[:, :-1])
    return cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
