"""The course notes' tables of model families, beside what the models' own configs say. Plain data; runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from playground.scaling.configs import load_preset
from playground.scaling.specs import ArchitectureSpec, Mlp


@dataclass(frozen=True, slots=True)
class Shape:
    """Layers, model width, feed-forward width, vocabulary and context of one model, in numbers and tokens."""

    layers: int
    width: int
    feed_forward: int | None
    vocabulary: int
    context: int | None


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One model as the notes have it. ``checked`` is read from its config; ``preset`` names that."""

    name: str
    preset: str
    notes: Shape

    @property
    def checked(self) -> Shape:
        return shape_of(load_preset(self.preset).spec)


# Rounded as in the notes: K is 1,000 for vocabularies and 1,024 for contexts.
LLAMA_ROWS = (
    FamilyRow("Llama 2 7B", "Llama-2-7B", Shape(32, 4_096, 11_008, 32_000, 4_096)),
    FamilyRow("Llama 2 70B", "Llama-2-70B", Shape(80, 8_192, 22_016, 32_000, 4_096)),
    FamilyRow("Llama 3 70B", "Llama-3.1-70B", Shape(80, 8_192, 28_672, 128_000, 131_072)),
    FamilyRow("Llama 3 405B", "Llama-3.1-405B", Shape(126, 16_384, 53_248, 128_000, 131_072)),
)


def shape_of(spec: ArchitectureSpec) -> Shape:
    """The same columns for any spec; a mixture of experts or a recurrent part has no one feed-forward width."""
    widths = {block.feed_forward.width for block in spec.blocks if isinstance(block.feed_forward, Mlp)}
    return Shape(
        spec.layers, spec.hidden_size, widths.pop() if len(widths) == 1 else None, spec.vocab_size, spec.context_length
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to build a language model, as the notes compare them."""

    name: str
    since: str
    long_texts: str
    keeps: str
    example: str


KINDS = (
    Kind("Sequence to sequence (RNN)", "2014", "one state for the whole text", "a state of constant size", "GNMT"),
    Kind("Transformer", "2017", "work grows with the square of the length", "keys and values of every token", "Llama"),
    Kind("RWKV", "2023", "work grows with the length", "a state of constant size", "RWKV-4"),
    Kind("State space (S4, H3, Mamba)", "2021–2023", "work grows with the length", "a state of constant size", "Mamba"),
    Kind(
        "Hybrid", "2024", "few attention layers among Mamba's", "keys and values of those few", "Jamba: 52B, 12B active"
    ),
)
