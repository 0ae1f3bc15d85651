"""One reader an architecture: from a config's fields to its ``ArchitectureSpec``. Knows no files and no presets.

``READERS`` is the visible list. A key that a config leaves out takes the default of transformers' own config class
where leaving it out is usual (biases, head size, tied embeddings); the sizes themselves must be there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from playground.errors import BadInput
from playground.scaling.config_fields import MAX_CONTEXT, MAX_EXPERTS, MAX_LAYERS, Fields
from playground.scaling.specs import (
    ArchitectureSpec,
    Attention,
    Block,
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


def _group(layers: list[tuple[Mixer, FeedForward, int]]) -> tuple[Block, ...]:
    return tuple(Block(count, *layer) for layer, count in Counter(layers).items())


def _layer_count(fields: Fields, key: str = "num_hidden_layers") -> int:
    return fields.integer(key, maximum=MAX_LAYERS)


def _attention(fields: Fields, *, head_dim: int | None, kv_default: int | None, bias: str, qk_norm: bool) -> Attention:
    """``bias``: "none", "qkv", or "config" (``attention_bias`` rules q, k, v and the output). ``head_dim`` None:
    hidden size over heads."""
    heads = fields.integer("num_attention_heads")
    size = fields.optional("head_dim") or head_dim or fields.divide("hidden_size", "num_attention_heads")
    declared_null = fields.declares("num_key_value_heads") and not fields.has("num_key_value_heads")
    kv_heads = fields.integer("num_key_value_heads", heads if declared_null or kv_default is None else kv_default)
    if heads % kv_heads:
        raise BadInput(
            f"num_attention_heads ({heads}) must be a multiple of num_key_value_heads ({kv_heads}).",
            "num_key_value_heads",
        )
    on = bias == "config" and fields.flag("attention_bias", False)
    return Attention(heads, kv_heads, size, qkv_bias=on or bias == "qkv", out_bias=on, qk_norm=qk_norm)


@dataclass(frozen=True)
class _Family:
    """What sets one Llama-like family apart from another. Defaults are those of transformers' config classes."""

    head_dim: int | None = None
    kv_default: int | None = None
    bias: str = "none"
    qk_norm: bool = False
    mlp_bias: bool = False  # whether mlp_bias is read at all
    norm_vectors: int = 2
    tied: bool = False
    window: Callable[[Fields, int], list[int | None]] = lambda fields, layers: [None] * layers
    feed_forward: Callable[[Fields, int], list[FeedForward]] | None = None

    def __call__(self, fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
        layers = _layer_count(fields)
        attention = _attention(
            fields, head_dim=self.head_dim, kv_default=self.kv_default, bias=self.bias, qk_norm=self.qk_norm
        )
        parts = self.feed_forward(fields, layers) if self.feed_forward else [self._mlp(fields)] * layers
        windows = self.window(fields, layers)
        return ArchitectureSpec(
            name,
            model_type,
            fields.integer("hidden_size"),
            fields.integer("vocab_size"),
            _group(
                [
                    (replace(attention, window=window), part, self.norm_vectors)
                    for window, part in zip(windows, parts, strict=True)
                ]
            ),
            tied=fields.flag("tie_word_embeddings", self.tied),
            final_norm_vectors=1,
            context_length=fields.optional("max_position_embeddings", maximum=MAX_CONTEXT),
            source=source,
        )

    def _mlp(self, fields: Fields) -> FeedForward:
        return Mlp(fields.integer("intermediate_size"), bias=self.mlp_bias and fields.flag("mlp_bias", False))


def _window_everywhere(default: int | None) -> Callable[[Fields, int], list[int | None]]:
    def windows(fields: Fields, layers: int) -> list[int | None]:
        # An explicit null means no window; only an absent key takes the class default.
        absent = not fields.declares("sliding_window")
        return [default if absent else fields.optional("sliding_window", maximum=MAX_CONTEXT)] * layers

    return windows


def _window_after_max_layers(fields: Fields, layers: int) -> list[int | None]:
    """Qwen: a window only where ``use_sliding_window``, from layer ``max_window_layers`` on."""
    if not fields.flag("use_sliding_window", False):
        return [None] * layers
    window = fields.integer("sliding_window", 4096, maximum=MAX_CONTEXT)
    first = fields.integer("max_window_layers", 28, minimum=0)
    return _windows_by_type(fields, layers, window, [index >= first for index in range(layers)])


def _window_pattern(period: int) -> Callable[[Fields, int], list[int | None]]:
    """Gemma 2 and 3: every ``period``-th layer sees everything, the others a window."""

    def windows(fields: Fields, layers: int) -> list[int | None]:
        window = fields.integer("sliding_window", 4096, maximum=MAX_CONTEXT)
        step = fields.integer("sliding_window_pattern", period) if period != 2 else period
        return _windows_by_type(fields, layers, window, [(index + 1) % step != 0 for index in range(layers)])

    return windows


def _windows_by_type(fields: Fields, layers: int, window: int, local: list[bool]) -> list[int | None]:
    types = fields.words("layer_types", layers)
    if types is not None:
        local = [kind == "sliding_attention" for kind in types]
    return [window if is_local else None for is_local in local]


def _top_k(fields: Fields, experts: int, default: int | None) -> int:
    chosen = fields.integer("num_experts_per_tok", default)
    if chosen > experts:
        raise BadInput(
            f"num_experts_per_tok ({chosen}) is more than the {experts} experts there are.", "num_experts_per_tok"
        )
    return chosen


def _mixtral_experts(fields: Fields, layers: int) -> list[FeedForward]:
    experts = fields.integer("num_local_experts", 8, maximum=MAX_EXPERTS)
    part = MixtureOfExperts(experts, _top_k(fields, experts, 2), fields.integer("intermediate_size"))
    return [part] * layers


def _qwen_experts(top_k: int, shared: bool) -> Callable[[Fields, int], list[FeedForward]]:
    def parts(fields: Fields, layers: int) -> list[FeedForward]:
        experts = fields.integer("num_experts", maximum=MAX_EXPERTS)
        sparse = MixtureOfExperts(
            experts,
            _top_k(fields, experts, top_k),
            fields.integer("moe_intermediate_size"),
            shared_width=fields.integer("shared_expert_intermediate_size", 5632) if shared else 0,
            shared_gate=shared,
        )
        dense = Mlp(fields.integer("intermediate_size"))
        step, only = fields.integer("decoder_sparse_step", 1), set(fields.integers("mlp_only_layers"))
        return [sparse if index not in only and (index + 1) % step == 0 else dense for index in range(layers)]

    return parts


def _read_gpt2(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden, heads = fields.integer("n_embd"), fields.integer("n_head")
    head_dim = fields.divide("n_embd", "n_head")
    mixer = Attention(heads, heads, head_dim, qkv_bias=True, out_bias=True)
    mlp = Mlp(fields.optional("n_inner") or 4 * hidden, matrices=2, bias=True)
    positions = fields.integer("n_positions", fields.optional("n_ctx") or 1024)
    block = Block(_layer_count(fields, "n_layer"), mixer, mlp, norm_vectors=4)
    tied = fields.flag("tie_word_embeddings", True)
    vocab = fields.integer("vocab_size")
    return ArchitectureSpec(name, model_type, hidden, vocab, (block,), tied, 2, positions, positions, source)


def _read_gpt_neox(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    heads, bias = fields.integer("num_attention_heads"), fields.flag("attention_bias", True)
    head_dim = fields.divide("hidden_size", "num_attention_heads")
    mixer = Attention(heads, heads, head_dim, qkv_bias=bias, out_bias=bias)
    mlp = Mlp(fields.integer("intermediate_size"), matrices=2, bias=True)
    block = Block(_layer_count(fields), mixer, mlp, norm_vectors=4)
    return ArchitectureSpec(
        name,
        model_type,
        fields.integer("hidden_size"),
        fields.integer("vocab_size"),
        (block,),
        tied=fields.flag("tie_word_embeddings", False),
        final_norm_vectors=2,
        context_length=fields.optional("max_position_embeddings", maximum=MAX_CONTEXT),
        source=source,
    )


def _read_deepseek(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    layers = _layer_count(fields)
    mixer = LatentAttention(
        fields.integer("num_attention_heads"),
        fields.optional("q_lora_rank"),
        fields.integer("kv_lora_rank"),
        fields.integer("qk_nope_head_dim"),
        fields.integer("qk_rope_head_dim"),
        fields.integer("v_head_dim"),
        fields.flag("attention_bias", False),
    )
    experts, width = fields.integer("n_routed_experts", maximum=MAX_EXPERTS), fields.integer("moe_intermediate_size")
    shared = fields.integer("n_shared_experts", 1) * width
    sparse = MixtureOfExperts(experts, _top_k(fields, experts, 8), width, shared)
    dense = Mlp(fields.integer("intermediate_size"))
    first = fields.integer("first_k_dense_replace", 3, minimum=0)
    return ArchitectureSpec(
        name,
        model_type,
        fields.integer("hidden_size"),
        fields.integer("vocab_size"),
        _group([(mixer, dense if index < first else sparse, 2) for index in range(layers)]),
        tied=fields.flag("tie_word_embeddings", False),
        final_norm_vectors=1,
        context_length=fields.optional("max_position_embeddings", maximum=MAX_CONTEXT),
        source=source,
    )


def _dt_rank(fields: Fields, key: str, hidden: int) -> int:
    return math.ceil(hidden / 16) if fields.is_word(key, "auto") else fields.integer(key, math.ceil(hidden / 16))


def _read_mamba(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden = fields.integer("hidden_size")
    mixer = Mamba(
        fields.integer("expand", 2) * hidden,
        fields.integer("state_size", 16),
        fields.integer("conv_kernel", 4),
        _dt_rank(fields, "time_step_rank", hidden),
        fields.flag("use_bias", False),
        fields.flag("use_conv_bias", True),
    )
    block = Block(_layer_count(fields), mixer, None, 1)
    tied = fields.flag("tie_word_embeddings", True)
    return ArchitectureSpec(
        name, model_type, hidden, fields.integer("vocab_size"), (block,), tied, 1, None, source=source
    )


def _read_mamba2(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden = fields.integer("hidden_size")
    heads, inner = fields.integer("num_heads"), fields.integer("expand", 2) * hidden
    if heads * fields.integer("head_dim") != inner:
        raise BadInput(f"num_heads × head_dim must be expand × hidden_size, which is {inner}.", "num_heads")
    mixer = Mamba2(
        inner,
        fields.integer("state_size", 128),
        fields.integer("conv_kernel", 4),
        heads,
        fields.integer("n_groups", 8),
        fields.flag("use_bias", False),
        fields.flag("use_conv_bias", True),
    )
    block = Block(_layer_count(fields), mixer, None, 1)
    tied = fields.flag("tie_word_embeddings", False)
    return ArchitectureSpec(
        name, model_type, hidden, fields.integer("vocab_size"), (block,), tied, 1, None, source=source
    )


def _read_jamba(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden, layers = fields.integer("hidden_size"), _layer_count(fields)
    attention = _attention(fields, head_dim=None, kv_default=8, bias="none", qk_norm=False)
    mamba = Mamba(
        fields.integer("mamba_expand", 2) * hidden,
        fields.integer("mamba_d_state", 16),
        fields.integer("mamba_d_conv", 4),
        _dt_rank(fields, "mamba_dt_rank", hidden),
        fields.flag("mamba_proj_bias", False),
        fields.flag("mamba_conv_bias", True),
        inner_norms=True,
    )
    experts, width = fields.integer("num_experts", 16, maximum=MAX_EXPERTS), fields.integer("intermediate_size")
    dense: FeedForward = Mlp(width)
    sparse = MixtureOfExperts(experts, _top_k(fields, experts, 2), width) if experts > 1 else dense
    attention_at, sparse_at = _periods(fields, "attn", 8, 4), _periods(fields, "expert", 2, 1)
    parts: list[tuple[Mixer, FeedForward, int]] = [
        (attention if attention_at(index) else mamba, sparse if sparse_at(index) else dense, 2)
        for index in range(layers)
    ]
    return ArchitectureSpec(
        name,
        model_type,
        hidden,
        fields.integer("vocab_size"),
        _group(parts),
        tied=fields.flag("tie_word_embeddings", False),
        final_norm_vectors=1,
        context_length=fields.optional("max_position_embeddings", maximum=MAX_CONTEXT),
        source=source,
    )


def _periods(fields: Fields, kind: str, period: int, offset: int) -> Callable[[int], bool]:
    step = fields.integer(f"{kind}_layer_period", period)
    first = fields.integer(f"{kind}_layer_offset", offset, minimum=0)
    if first >= step:
        raise BadInput(
            f"{kind}_layer_offset ({first}) must be below {kind}_layer_period ({step}).", f"{kind}_layer_offset"
        )
    return lambda index: index % step == first


def _read_rwkv(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden = fields.integer("hidden_size")
    mixer = RwkvTimeMix(fields.optional("attention_hidden_size") or hidden)
    part = RwkvChannelMix(fields.optional("intermediate_size") or 4 * hidden)
    layers = _layer_count(fields)
    # The first block norms the embeddings too: two vectors more, counted with the final norm's two.
    return ArchitectureSpec(
        name,
        model_type,
        hidden,
        fields.integer("vocab_size"),
        (Block(layers, mixer, part, 4),),
        tied=fields.flag("tie_word_embeddings", False),
        final_norm_vectors=4,
        context_length=fields.optional("context_length", maximum=MAX_CONTEXT),
        source=source,
    )


Reader = Callable[[Fields, str, str, str], ArchitectureSpec]
READERS: dict[str, Reader] = {
    "llama": _Family(bias="config", mlp_bias=True),
    "mistral": _Family(kv_default=8, window=_window_everywhere(4096)),
    "qwen2": _Family(kv_default=32, bias="qkv", window=_window_after_max_layers),
    "qwen3": _Family(head_dim=128, kv_default=32, bias="config", qk_norm=True, window=_window_after_max_layers),
    "phi3": _Family(window=_window_everywhere(None)),
    "gemma": _Family(head_dim=256, kv_default=16, bias="config", tied=True),
    "gemma2": _Family(head_dim=256, kv_default=4, bias="config", tied=True, norm_vectors=4, window=_window_pattern(2)),
    "gemma3_text": _Family(
        head_dim=256, kv_default=4, bias="config", tied=True, norm_vectors=4, qk_norm=True, window=_window_pattern(6)
    ),
    "mixtral": _Family(kv_default=8, window=_window_everywhere(None), feed_forward=_mixtral_experts),
    "qwen2_moe": _Family(kv_default=16, bias="qkv", feed_forward=_qwen_experts(4, shared=True)),
    "qwen3_moe": _Family(kv_default=4, bias="config", qk_norm=True, feed_forward=_qwen_experts(8, shared=False)),
    "deepseek_v3": _read_deepseek,
    "gpt2": _read_gpt2,
    "gpt_neox": _read_gpt_neox,
    "mamba": _read_mamba,
    "mamba2": _read_mamba2,
    "jamba": _read_jamba,
    "rwkv": _read_rwkv,
}
