"""What an architecture is made of, as frozen data: blocks of identical layers, each a mixer and a feed-forward part.

Counting parameters, memory and FLOPs needs only these shapes. Knows nothing of config files, torch or transformers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attention:
    """Multi-head, grouped-query or multi-query attention. ``window``: tokens a layer can look back on, or None.

    ``chunked``: the window does not slide; a token looks back to the start of its chunk (Llama 4). ``state``: numbers of a
    recurrent state that stands beside the heads in the same layer (Falcon-H1). ``kv_heads`` 0: another layer's cache.
    ``shared_kv``: keys are the values too, and one of both is kept (DeepSeek-V4). ``beside``: numbers a token that are kept
    whatever the window: keys of an indexer, and summaries of some tokens each, in their share.
    """

    heads: int
    kv_heads: int
    head_dim: int
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    window: int | None = None
    chunked: bool = False
    state: int = 0
    shared_kv: bool = False
    beside: float = 0.0

    def mean_context(self, tokens: float) -> float:
        """Tokens that one of ``tokens`` looks back on, on average: half of them, or w − w²/(2s) beyond a window w.

        In chunks of w: half a chunk, and less for those of the last one.
        """
        if self.window is None or tokens <= self.window:
            return tokens / 2
        if self.chunked:
            whole, rest = divmod(tokens, self.window)
            return (whole * self.window**2 + rest**2) / (2 * tokens)
        return self.window - self.window**2 / (2 * tokens)

    def context_at(self, tokens: float) -> float:
        """Tokens that the next one after ``tokens`` looks back on; in chunks, on average."""
        if self.window is None or tokens <= self.window:
            return tokens
        return self.window / 2 if self.chunked else self.window


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """Multi-head latent attention (DeepSeek-V2, 2405.04434): the cache holds ``kv_rank + rope_dim`` numbers a token.

    ``beside``: those of an indexer's keys, which choose what is looked at (DeepSeek-V3.2).
    """

    heads: int
    q_rank: int | None
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    bias: bool = False
    beside: float = 0.0


@dataclass(frozen=True, slots=True)
class Mamba:
    """Selective state space layer (Mamba, 2312.00752). ``inner_norms``: Jamba's norms on dt, B and C."""

    inner: int
    state: int
    conv: int
    dt_rank: int
    bias: bool = False
    conv_bias: bool = True
    inner_norms: bool = False


@dataclass(frozen=True, slots=True)
class Mamba2:
    """State space dual layer (Mamba-2, 2405.21060)."""

    inner: int
    state: int
    conv: int
    heads: int
    groups: int
    bias: bool = False
    conv_bias: bool = True


@dataclass(frozen=True, slots=True)
class RwkvTimeMix:
    """RWKV-4's time mixing (2305.13048)."""

    inner: int


@dataclass(frozen=True, slots=True)
class Recurrent:
    """A layer known by its cache alone: ``state`` numbers a sequence, whatever its length (0: it keeps nothing)."""

    state: int


@dataclass(frozen=True, slots=True)
class Mlp:
    """Feed-forward part with two matrices (GPT) or three (gated: SwiGLU, GeGLU)."""

    width: int
    matrices: int = 3
    bias: bool = False


@dataclass(frozen=True, slots=True)
class MixtureOfExperts:
    """``experts`` gated feed-forward parts of ``width``, ``top_k`` of them for a token, and a shared one for all.

    ``shared_bias``: on the three matrices of the shared one alone.
    """

    experts: int
    top_k: int
    width: int
    shared_width: int = 0
    shared_gate: bool = False
    shared_bias: bool = False


@dataclass(frozen=True, slots=True)
class RwkvChannelMix:
    """RWKV-4's channel mixing."""

    width: int


Mixer = Attention | LatentAttention | Mamba | Mamba2 | RwkvTimeMix | Recurrent
FeedForward = Mlp | MixtureOfExperts | RwkvChannelMix | None


@dataclass(frozen=True, slots=True)
class Block:
    """``count`` identical layers. ``norm_vectors``: learned vectors of the hidden size in a layer's norms."""

    count: int
    mixer: Mixer
    feed_forward: FeedForward
    norm_vectors: int


@dataclass(frozen=True, slots=True)
class Component:
    """Parameters of one kind over the whole model. ``active``: those that one token of text passes through."""

    name: str
    total: int
    active: int


@dataclass(frozen=True, slots=True)
class ArchitectureSpec:
    """The shapes of a language model. Sizes in numbers, ``context_length`` in tokens (None: no limit stated).

    ``counted``: the text model's parameters by its modules, for an architecture without a formula. ``others``: what
    stands beside the text model (vision, audio). ``assumed``: keys left out, with the default taken for each.
    ``notes``: sentences about what could not be counted.
    """

    name: str
    model_type: str
    hidden_size: int
    vocab_size: int
    blocks: tuple[Block, ...]
    tied: bool
    final_norm_vectors: int
    context_length: int | None
    position_rows: int = 0
    source: str = "config.json"
    counted: tuple[Component, ...] = ()
    others: tuple[Component, ...] = ()
    assumed: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        return sum(block.count for block in self.blocks)

    @property
    def experts(self) -> MixtureOfExperts | None:
        """The mixture of its sparse layers, which all have the same number of experts; None for a dense model."""
        parts = [block.feed_forward for block in self.blocks]
        return next((part for part in parts if isinstance(part, MixtureOfExperts)), None)

    @property
    def is_sparse(self) -> bool:
        return self.experts is not None
