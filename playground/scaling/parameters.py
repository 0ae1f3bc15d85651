"""Exact parameter counts from an ``ArchitectureSpec``, by component, total and active for one token.

The formulas are those of the papers and of transformers' modules; ``playground.scaling.meta`` counts the same models
by building them without storage, and tests hold the two together to the last parameter. Learned parameters only:
buffers (rotary frequencies, DeepSeek-V3's expert-balance bias) are no parameters here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.scaling.figures import Figure, figure
from playground.scaling.specs import (
    ArchitectureSpec,
    Attention,
    Component,
    FeedForward,
    LatentAttention,
    Mamba,
    Mamba2,
    Mixer,
    MixtureOfExperts,
    Mlp,
    RwkvChannelMix,
    RwkvTimeMix,
)

SOURCE = "config.json; the architecture's paper; checked against transformers on the meta device"


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """All parameters of a model. ``components`` add up to ``total`` and ``active``; ``others`` of them are not text."""

    total: int
    active: int
    components: tuple[Component, ...]
    others: tuple[Component, ...] = ()

    @property
    def text(self) -> int:
        """Those of the language model, without vision and audio."""
        return self.total - sum(part.total for part in self.others)

    @property
    def active_without_tables(self) -> int:
        """Active ones without the tables that a token is looked up in: layers and one head. Publishers count either way."""
        tables = ("embeddings", "positions") if self.of("head") else ("positions",)  # a tied table is the head
        return self.active - sum(part.active for part in self.components if part.name in tables)

    def of(self, name: str) -> int:
        """Parameters of the component called ``name``, 0 where there is none."""
        return sum(part.total for part in self.components if part.name == name)

    @property
    def sparsity(self) -> float:
        """Share of the parameters that a token does not touch, 0 for a dense model."""
        return 1.0 - self.active / self.total


def count_parameters(spec: ArchitectureSpec) -> ParameterCount:
    """Count ``spec``. A tied output head is no parameter of its own and so not listed."""
    components = spec.counted or _count_blocks(spec)
    every = (*components, *spec.others)
    return ParameterCount(sum(part.total for part in every), sum(part.active for part in every), every, spec.others)


def _count_blocks(spec: ArchitectureSpec) -> tuple[Component, ...]:
    d = spec.hidden_size
    totals: dict[str, tuple[int, int]] = {}

    def add(name: str, total: int, active: int | None = None) -> None:
        before = totals.get(name, (0, 0))
        totals[name] = (before[0] + total, before[1] + (total if active is None else active))

    add("embeddings", spec.vocab_size * d)
    add("positions", spec.position_rows * d)
    for block in spec.blocks:
        add(mixer_name(block.mixer), block.count * mixer_parameters(block.mixer, d))
        for name, total, active in feed_forward_parameters(block.feed_forward, d):
            add(name, block.count * total, block.count * active)
        add("norms", block.count * block.norm_vectors * d)
    add("norms", spec.final_norm_vectors * d)
    add("head", 0 if spec.tied else spec.vocab_size * d)
    return tuple(Component(name, *pair) for name, pair in totals.items() if pair[0])


def mixer_name(mixer: Mixer) -> str:
    """Under which component a mixer is counted."""
    return "attention" if isinstance(mixer, Attention | LatentAttention) else "recurrent"


def mixer_parameters(mixer: Mixer, d: int) -> int:
    """Parameters of one layer's mixer in a model of width ``d``."""
    counted: int = _MIXERS[type(mixer)](mixer, d)
    return counted


def _attention(mixer: Attention, d: int) -> int:
    q, kv = mixer.heads * mixer.head_dim, mixer.kv_heads * mixer.head_dim
    weights = d * (2 * q + 2 * kv)
    biases = mixer.qkv_bias * (q + 2 * kv) + mixer.out_bias * d
    return weights + biases + mixer.qk_norm * 2 * mixer.head_dim


def _latent_attention(mixer: LatentAttention, d: int) -> int:
    """DeepSeek-V2 (2405.04434), section 2.1: low-rank queries, one latent for keys and values, shared rotary key."""
    q_out = mixer.heads * (mixer.nope_dim + mixer.rope_dim)
    query = d * q_out if mixer.q_rank is None else d * mixer.q_rank + mixer.q_rank + mixer.q_rank * q_out
    latent = d * (mixer.kv_rank + mixer.rope_dim) + mixer.kv_rank
    expand = mixer.kv_rank * mixer.heads * (mixer.nope_dim + mixer.value_dim)
    biases = (mixer.q_rank or 0) + mixer.kv_rank + mixer.rope_dim + d if mixer.bias else 0
    return query + latent + expand + mixer.heads * mixer.value_dim * d + biases


def _mamba(mixer: Mamba, d: int) -> int:
    e, n, r = mixer.inner, mixer.state, mixer.dt_rank
    projections = d * 2 * e + e * d + mixer.bias * (2 * e + d)
    conv = e * mixer.conv + mixer.conv_bias * e
    selective = e * (r + 2 * n) + r * e + e + e * n + e  # x_proj, dt_proj with bias, A, D
    return projections + conv + selective + mixer.inner_norms * (r + 2 * n)


def _mamba2(mixer: Mamba2, d: int) -> int:
    e = mixer.inner
    conv_width = e + 2 * mixer.groups * mixer.state
    in_width = e + conv_width + mixer.heads
    projections = d * in_width + e * d + mixer.bias * (in_width + d)
    return projections + conv_width * (mixer.conv + mixer.conv_bias) + 3 * mixer.heads + e  # dt bias, A, D; norm


def _rwkv_time(mixer: RwkvTimeMix, d: int) -> int:
    return 4 * d * mixer.inner + 2 * mixer.inner + 3 * d  # four matrices, decay and bonus, three mixes


_MIXERS: dict[type, Callable[..., int]] = {
    Attention: _attention,
    LatentAttention: _latent_attention,
    Mamba: _mamba,
    Mamba2: _mamba2,
    RwkvTimeMix: _rwkv_time,
}


def feed_forward_parameters(part: FeedForward, d: int) -> tuple[tuple[str, int, int], ...]:
    """(component, total, active) of one layer's feed-forward part."""
    match part:
        case Mlp(width, matrices, bias):
            size = matrices * d * width + ((matrices - 1) * width + d if bias else 0)
            return (("feed_forward", size, size),)
        case MixtureOfExperts(experts, top_k, width, shared_width, shared_gate, shared_bias):
            biases = 2 * shared_width + d if shared_bias else 0
            shared = 3 * d * shared_width + (d if shared_gate else 0) + biases
            return (
                ("experts", experts * 3 * d * width, top_k * 3 * d * width),
                ("router", d * experts, d * experts),
                ("shared_experts", shared, shared),
            )
        case RwkvChannelMix(width):
            size = 2 * d * width + d * d + 2 * d
            return (("feed_forward", size, size),)
        case None:
            return ()


def explain_parameters(spec: ArchitectureSpec) -> tuple[Figure, ...]:
    """The total with its formula: by component always, in the config's own symbols for a plain Llama-like model."""
    count = count_parameters(spec)
    total = " + ".join(part.name for part in count.components)
    parts = {part.name: (float(part.total), "param") for part in count.components}
    active = {part.name: (float(part.active), "param") for part in count.components}
    figures = [figure("Parameters", "param", total, SOURCE, **parts)]
    if spec.is_sparse or spec.others:
        figures.append(figure("Active parameters", "param", total, SOURCE, **active))
    block = spec.blocks[0]
    if len(spec.blocks) == 1 and isinstance(block.mixer, Attention) and isinstance(block.feed_forward, Mlp):
        figures += _explain_dense(spec, block.count, block.mixer, block.feed_forward)
    return tuple(figures)


def _explain_dense(spec: ArchitectureSpec, layers: int, mixer: Attention, part: Mlp) -> list[Figure]:
    if part.matrices != 3 or part.bias or mixer.out_bias or mixer.qk_norm:
        return []
    formula = "V·d·tables + L·(2·d·h·dh + 2·d·k·dh + 3·d·f + 2·d) + d"
    formula += " + L·(h + 2·k)·dh" if mixer.qkv_bias else ""
    formula += " + L·2·d" if spec.blocks[0].norm_vectors == 4 else ""
    shapes = {
        "V": spec.vocab_size,
        "d": spec.hidden_size,
        "tables": 1 if spec.tied else 2,
        "L": layers,
        "h": mixer.heads,
        "dh": mixer.head_dim,
        "k": mixer.kv_heads,
        "f": part.width,
    }
    symbols = {name: (float(value), "1") for name, value in shapes.items()}
    return [figure("Parameters from the config", "1", formula, SOURCE, **symbols)]
