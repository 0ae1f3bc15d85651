"""Readers of architectures that are no Llama: GPT, latent attention, state spaces, hybrids, RWKV."""

from __future__ import annotations

import math
from collections.abc import Callable

from playground.errors import BadInput
from playground.scaling.config_fields import MAX_CONTEXT, Fields
from playground.scaling.readers_parts import group_layers, layer_count, read_attention, read_experts, read_top_k
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

# transformers reads each key under either name, and the second one wins where a config has both.
GPT2_ALIASES = {
    "n_embd": "hidden_size",
    "n_head": "num_attention_heads",
    "n_layer": "num_hidden_layers",
    "n_positions": "max_position_embeddings",
}


def read_gpt2(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    width, count, depth, rows = (fields.either(key, alias) for key, alias in GPT2_ALIASES.items())
    hidden, heads = fields.integer(width), fields.integer(count)
    head_dim = fields.divide(width, count)
    mixer = Attention(heads, heads, head_dim, qkv_bias=True, out_bias=True)
    mlp = Mlp(fields.optional("n_inner") or 4 * hidden, matrices=2, bias=True)
    positions = fields.integer(rows, 1024)
    block = Block(layer_count(fields, depth), mixer, mlp, norm_vectors=4)
    tied = fields.flag("tie_word_embeddings", True)
    vocab = fields.integer("vocab_size")
    return ArchitectureSpec(name, model_type, hidden, vocab, (block,), tied, 2, positions, positions, source)


def read_gpt_neox(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    heads, bias = fields.integer("num_attention_heads"), fields.flag("attention_bias", True)
    head_dim = fields.divide("hidden_size", "num_attention_heads")
    mixer = Attention(heads, heads, head_dim, qkv_bias=bias, out_bias=bias)
    mlp = Mlp(fields.integer("intermediate_size"), matrices=2, bias=True)
    block = Block(layer_count(fields), mixer, mlp, norm_vectors=4)
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


def read_deepseek_v2(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    return _deepseek(fields, name, model_type, source, shared=2, top_k=None, dense=0)


def read_deepseek_v3(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    return _deepseek(fields, name, model_type, source, shared=1, top_k=8, dense=3)


def _deepseek(
    fields: Fields, name: str, model_type: str, source: str, *, shared: int, top_k: int | None, dense: int
) -> ArchitectureSpec:
    """``shared`` experts, ``top_k`` and the number of ``dense`` layers at the start: the class's defaults."""
    layers = layer_count(fields)
    mixer = LatentAttention(
        fields.integer("num_attention_heads"),
        fields.optional("q_lora_rank") if fields.declares("q_lora_rank") else 1536,  # null: one full matrix
        fields.integer("kv_lora_rank"),
        fields.integer("qk_nope_head_dim"),
        fields.integer("qk_rope_head_dim"),
        fields.integer("v_head_dim"),
        fields.flag("attention_bias", False),
    )
    experts, width = (
        read_experts(fields, "n_routed_experts", "num_local_experts"),
        fields.integer("moe_intermediate_size"),
    )
    shared_width = fields.integer("n_shared_experts", shared) * width
    bias = model_type == "deepseek_v2" and fields.flag("mlp_bias", False)
    sparse = MixtureOfExperts(experts, read_top_k(fields, experts, top_k), width, shared_width, shared_bias=bias)
    plain = Mlp(fields.integer("intermediate_size"), bias=bias)
    first = fields.integer("first_k_dense_replace", dense, minimum=0)
    return ArchitectureSpec(
        name,
        model_type,
        fields.integer("hidden_size"),
        fields.integer("vocab_size"),
        group_layers([(mixer, plain if index < first else sparse, 2) for index in range(layers)]),
        tied=fields.flag("tie_word_embeddings", False),
        final_norm_vectors=1,
        context_length=fields.optional("max_position_embeddings", maximum=MAX_CONTEXT),
        source=source,
    )


def _dt_rank(fields: Fields, key: str, hidden: int) -> int:
    return math.ceil(hidden / 16) if fields.is_word(key, "auto") else fields.integer(key, math.ceil(hidden / 16))


def read_mamba(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden = fields.integer("hidden_size")
    mixer = Mamba(
        fields.optional("intermediate_size") or fields.integer("expand", 2) * hidden,
        fields.integer("state_size", 16),
        fields.integer("conv_kernel", 4),
        _dt_rank(fields, "time_step_rank", hidden),
        fields.flag("use_bias", False),
        fields.flag("use_conv_bias", True),
    )
    block = Block(layer_count(fields), mixer, None, 1)
    tied = fields.flag("tie_word_embeddings", True)
    return ArchitectureSpec(
        name, model_type, hidden, fields.integer("vocab_size"), (block,), tied, 1, None, source=source
    )


def read_mamba2(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
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
    block = Block(layer_count(fields), mixer, None, 1)
    tied = fields.flag("tie_word_embeddings", False)
    return ArchitectureSpec(
        name, model_type, hidden, fields.integer("vocab_size"), (block,), tied, 1, None, source=source
    )


def read_jamba(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden, layers = fields.integer("hidden_size"), layer_count(fields)
    attention = read_attention(fields, head_dim=None, kv_default=8, bias="none", qk_norm=False)
    mamba = Mamba(
        fields.integer("mamba_expand", 2) * hidden,
        fields.integer("mamba_d_state", 16),
        fields.integer("mamba_d_conv", 4),
        _dt_rank(fields, "mamba_dt_rank", hidden),
        fields.flag("mamba_proj_bias", False),
        fields.flag("mamba_conv_bias", True),
        inner_norms=True,
    )
    experts, width = read_experts(fields, "num_experts", "num_local_experts", 16), fields.integer("intermediate_size")
    dense: FeedForward = Mlp(width)
    sparse = MixtureOfExperts(experts, read_top_k(fields, experts, 2), width) if experts > 1 else dense
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
        group_layers(parts),
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


def read_rwkv(fields: Fields, name: str, model_type: str, source: str) -> ArchitectureSpec:
    hidden = fields.integer("hidden_size")
    mixer = RwkvTimeMix(fields.optional("attention_hidden_size") or hidden)
    part = RwkvChannelMix(fields.optional("intermediate_size") or 4 * hidden)
    layers = layer_count(fields)
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
