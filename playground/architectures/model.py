"""A language model of any of the layers: embedding, blocks of a mixing layer and a small feed-forward part, and a head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from playground.architectures.layers import LAYERS
from playground.architectures.layers.layer import State


class Block(nn.Module):
    """x + mix(norm(x)), then the same with two matrices and a GELU between them."""

    def __init__(self, kind: str, width: int, wider: float = 2.0) -> None:
        super().__init__()
        self.mix = LAYERS[kind](width)
        self.before_mix, self.before_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        inner = round(wider * width)
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def read(self, x: Tensor) -> tuple[Tensor, State]:
        mixed, state = self.mix.read(self.before_mix(x))
        x = x + mixed
        return x + self.feed(self.before_feed(x)), state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        mixed, state = self.mix.step(self.before_mix(x), state)
        x = x + mixed
        return x + self.feed(self.before_feed(x)), state


class SequenceModel(nn.Module):
    """``kinds``: the mixing layer of each block, from the input on."""

    def __init__(self, vocabulary: int, width: int, kinds: Sequence[str], wider: float = 2.0) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList([Block(kind, width, wider) for kind in kinds])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.embed.weight, std=0.5)

    def read(self, ids: Tensor) -> tuple[Tensor, list[State]]:
        """Logits (batch, T, vocabulary) of every position, and each block's state after the last."""
        x, states = self.embed(ids), []
        for block in self.blocks:
            x, state = block.read(x)  # type: ignore[operator]  # a list of modules forgets of which class
            states.append(state)
        return self.head(self.norm(x)), states

    def step(self, ids: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """Logits (batch, vocabulary) after one more token, and the new states."""
        x, next_states = self.embed(ids), []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block.step(x, state)  # type: ignore[operator]
            next_states.append(state)
        return self.head(self.norm(x)), next_states

    def start(self, batch: int) -> list[State]:
        return [block.mix.start(batch) for block in self.blocks]  # type: ignore[union-attr, operator]

    def forward(self, ids: Tensor) -> Tensor:
        return self.read(ids)[0]


def parameter_count(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def tensor_bytes(states: object) -> int:
    """Bytes of all tensors in nested tuples and lists."""
    if isinstance(states, torch.Tensor):
        return states.nbytes
    return sum(map(tensor_bytes, states)) if isinstance(states, list | tuple) else 0
