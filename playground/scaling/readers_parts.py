"""What several architectures read from a config in the same way. Knows no architecture by name."""

from __future__ import annotations

from collections import Counter

from playground.errors import BadInput
from playground.scaling.config_fields import MAX_EXPERTS, MAX_LAYERS, Fields
from playground.scaling.specs import (
    Attention,
    Block,
    FeedForward,
    Mixer,
)


def group_layers(layers: list[tuple[Mixer, FeedForward, int]]) -> tuple[Block, ...]:
    return tuple(Block(count, *layer) for layer, count in Counter(layers).items())


def layer_count(fields: Fields, key: str = "num_hidden_layers") -> int:
    return fields.integer(key, maximum=MAX_LAYERS)


def read_attention(
    fields: Fields, *, head_dim: int | None, kv_default: int | None, bias: str, qk_norm: bool
) -> Attention:
    """``bias``: "none", "qkv", "qkv_bias" (that key rules q, k and v), or "config" (``attention_bias`` rules q, k, v and
    the output). ``head_dim`` None: hidden size over heads."""
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
    inner = on or bias == "qkv" or (bias == "qkv_bias" and fields.flag("qkv_bias", True))
    return Attention(heads, kv_heads, size, qkv_bias=inner, out_bias=on, qk_norm=qk_norm)


def read_experts(fields: Fields, key: str, alias: str | None = None, default: int | None = None) -> int:
    """The number of experts under ``key``, or under the ``alias`` that transformers also reads and may write."""
    written = alias if alias and fields.has(alias) and not fields.has(key) else key
    return fields.integer(written, default, maximum=MAX_EXPERTS)


def read_top_k(fields: Fields, experts: int, default: int | None) -> int:
    chosen = fields.integer("num_experts_per_tok", default)
    if chosen > experts:
        raise BadInput(
            f"num_experts_per_tok ({chosen}) is more than the {experts} experts there are.", "num_experts_per_tok"
        )
    return chosen
