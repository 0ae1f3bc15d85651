"""Configs that are not transformers': those of mamba_ssm, GPT-2 and Llama as first published, known by their keys.

``translate`` gives each the keys that transformers uses. A config with a model_type is left as it is. Knows no formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from playground.errors import BadInput
from playground.scaling.config_classes import type_of_class
from playground.scaling.config_fields import MAX_LAYERS, Fields

Config = dict[str, Any]


def translate(raw: Mapping[str, Any]) -> Config:
    """``raw`` with a model_type, by its architecture's class or by its keys; unchanged where neither is known."""
    if raw.get("model_type") is not None:
        return dict(raw)
    classes = raw.get("architectures")
    if isinstance(classes, list) and classes and isinstance(classes[0], str):
        model_type = type_of_class(classes[0])
        if model_type:
            return {**raw, "model_type": model_type}
    for keys, read in FORMATS.items():
        if all(raw.get(key) is not None for key in keys):
            return read(Fields(raw))
    return dict(raw)


def _mamba_ssm(fields: Fields) -> Config:
    """MambaConfig of the mamba_ssm package. Its Mamba-2 layer's own defaults: 128 states, heads of 64, one group."""
    hidden, inner = fields.integer("d_model"), fields.nested("ssm_cfg")
    if fields.integers("attn_layer_idx") or fields.integer("d_intermediate", 0, minimum=0):
        raise BadInput(
            "This mamba_ssm config mixes in attention or feed-forward layers; give the transformers config.json.",
            "attn_layer_idx",
        )
    multiple = fields.integer("pad_vocab_size_multiple", 8)
    expand, second = inner.integer("expand", 2), inner.is_word("layer", "Mamba2")
    config: Config = {
        "model_type": "mamba2" if second else "mamba",
        "hidden_size": hidden,
        "num_hidden_layers": fields.integer("n_layer", maximum=MAX_LAYERS),
        "vocab_size": -(-fields.integer("vocab_size") // multiple) * multiple,
        "state_size": inner.integer("d_state", 128 if second else 16),
        "conv_kernel": inner.integer("d_conv", 4),
        "expand": expand,
        "tie_word_embeddings": fields.flag("tie_embeddings", True),
    }
    if second:
        head = inner.integer("headdim", 64)
        config |= {"head_dim": head, "num_heads": expand * hidden // head, "n_groups": inner.integer("ngroups", 1)}
    elif inner.has("dt_rank") and not inner.is_word("dt_rank", "auto"):
        config["time_step_rank"] = inner.integer("dt_rank")
    return config


def _gpt2(fields: Fields) -> Config:
    """GPT-2's hparams.json and nanoGPT's config."""
    rows = "vocab_size" if fields.has("vocab_size") else "n_vocab"
    length = "block_size" if fields.has("block_size") else "n_ctx"
    return {
        "model_type": "gpt2",
        **{key: fields.integer(key) for key in ("n_embd", "n_head")},
        "n_layer": fields.integer("n_layer", maximum=MAX_LAYERS),
        "vocab_size": fields.integer(rows, 50257),
        "n_positions": fields.integer("n_positions" if fields.has("n_positions") else length, 1024),
    }


def _llama(fields: Fields) -> Config:
    """Meta's params.json. The width is two thirds of 4·dim, times a factor, up to a multiple."""
    dim, heads = fields.integer("dim"), fields.integer("n_heads")
    multiple = fields.integer("multiple_of", 256)
    width = int(fields.number("ffn_dim_multiplier", 1.0, maximum=100) * (2 * 4 * dim // 3))
    return {
        "model_type": "llama",
        "hidden_size": dim,
        "num_attention_heads": heads,
        "num_key_value_heads": fields.integer("n_kv_heads", heads),
        "num_hidden_layers": fields.integer("n_layers", maximum=MAX_LAYERS),
        "intermediate_size": fields.optional("hidden_dim") or -(-width // multiple) * multiple,
        "vocab_size": fields.integer("vocab_size"),
    }


FORMATS: dict[tuple[str, ...], Callable[[Fields], Config]] = {
    ("d_model", "n_layer"): _mamba_ssm,
    ("n_embd", "n_head", "n_layer"): _gpt2,
    ("dim", "n_heads", "n_layers"): _llama,
}
