"""What a loaded model is made of: its learned tensors by what they do, and its config in words. No forward pass."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from playground.engine.types import Weight, WeightList
from playground.errors import PlaygroundError
from playground.models.info import LoadedModelInfo
from playground.scaling.configs import parse_config
from playground.scaling.parameters import ParameterCount, count_parameters
from playground.scaling.specs import ArchitectureSpec, Attention, LatentAttention, Mlp

# Read from top to bottom over a tensor's full name; the first that is found decides. (pattern, group, part)
_RULES: tuple[tuple[str, str, str], ...] = (
    (r"(q|k|query|key)_(layer)?norm", "attention", "query and key norms"),
    (r"(q|kv)_a_layernorm", "attention", "norms of the latents"),
    (r"norm|(^|\.)ln(_|\d|\.)", "norms", "norms"),
    (r"wpe|embed_positions|position_embeddings", "positions", "positions"),
    (r"lm_head|embed_out", "head", "head"),
    (r"wte|embed_tokens|embed_in|word_embeddings|(^|\.)embeddings?\.", "embeddings", "embeddings"),
    (r"project_(in|out)", "embeddings", "projections"),
    (r"shared_expert", "shared experts", "shared experts"),
    (r"experts\.", "experts", "experts"),
    (r"(router|moe\.gate|mlp\.gate)\.", "router", "router"),
    (r"(c_attn|qkv|query_key_value|W_pack)", "attention", "query, key and value in one"),
    (r"(attn|attention)\.(.*\.)?kv_", "attention", "key and value in one"),
    (r"(attn|attention)\.(.*\.)?(q_|query)", "attention", "query"),
    (r"(attn|attention)\.(.*\.)?(k_|key)", "attention", "key"),
    (r"(attn|attention)\.(.*\.)?(v_|value)", "attention", "value"),
    (r"(attn|attention)\.(.*\.)?(o_proj|out_proj|c_proj|dense|wo)", "attention", "output"),
    (r"attn|attention", "attention", "other"),
    (r"gate_up_proj", "feed-forward", "gate and up"),
    (r"gate_proj", "feed-forward", "gate"),
    (r"up_proj|c_fc|fc1|fc_in|dense_h_to_4h", "feed-forward", "up"),
    (r"down_proj|mlp\.c_proj|fc2|fc_out|dense_4h_to_h", "feed-forward", "down"),
    (r"mlp|feed_forward|ffn|channel_mix", "feed-forward", "other"),
    (r"mixer|mamba|ssm|time_mix|rwkv", "recurrent", "recurrent"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """All tensors that do one thing, over all layers."""

    group: str
    name: str
    tensors: int
    parameters: int
    bytes: int

    @property
    def title(self) -> str:
        return self.name if self.name == self.group else f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True)
class Anatomy:
    """``parts`` add up to ``total``, which is the model's ``num_parameters()``. ``formula`` counts the same from the
    config alone, None for an architecture without a formula here. ``words``: the config in sentences."""

    parts: tuple[Part, ...]
    total: int
    tied: bool
    formula: ParameterCount | None
    spec: ArchitectureSpec | None
    words: tuple[str, ...]

    def group(self, name: str) -> int:
        """Parameters of a group."""
        return sum(part.parameters for part in self.parts if part.group == name)


def place_of(name: str) -> tuple[str, str]:
    """(group, part) of a tensor by its name in transformers' modules; ("other", "other") where no rule knows it."""
    for pattern, group, part in _RULES:
        if re.search(pattern, name):
            return group, part
    return "other", "other"


def examine_weights(info: LoadedModelInfo, listed: WeightList) -> Anatomy:
    """Sort the tensors, read the config."""
    places: dict[tuple[str, str], list[Weight]] = {}
    for weight in listed.weights:
        places.setdefault(place_of(weight.name), []).append(weight)
    parts = tuple(
        Part(group, name, len(weights), sum(w.parameters for w in weights), sum(w.bytes for w in weights))
        for (group, name), weights in places.items()
    )
    spec = spec_of(listed)
    formula = None if spec is None else count_parameters(spec)
    words = config_words(info, text_config(listed), spec, listed.tied)
    return Anatomy(parts, listed.parameters, listed.tied, formula, spec, words)


def spec_of(listed: WeightList) -> ArchitectureSpec | None:
    """The shapes the config describes; None where no formula knows the architecture."""
    try:
        return parse_config(listed.config).spec
    except PlaygroundError:
        return None


def text_config(listed: WeightList) -> dict[str, Any]:
    """The config of the language model itself, where it stands inside that of a larger one."""
    raw = json.loads(listed.config)
    nested = raw.get("text_config")
    return nested if isinstance(nested, dict) else raw


def config_words(
    info: LoadedModelInfo, config: dict[str, Any], spec: ArchitectureSpec | None, tied: bool
) -> tuple[str, ...]:
    """The config as plain sentences; what it does not say is left out."""
    words = [
        f"{info.architecture}: {info.layers} layers, one after the other, on a stream of {info.hidden_size:,} numbers a token."
    ]
    words += _attention_words(info, spec)
    words += _feed_forward_words(config, spec)
    words.append(
        f"Vocabulary of {info.vocab_size:,} tokens; the head "
        + ("reads the token table itself (tied), so it costs nothing more." if tied else "is a matrix of its own.")
    )
    theta = _rotary_base(config)
    if theta is not None:
        words.append(f"Positions by rotation of queries and keys (RoPE, base {theta:,.0f}); nothing learned.")
    words.append(f"Reads at most {info.context_length:,} tokens.")
    cap = config.get("final_logit_softcapping")
    if cap:
        words.append(f"Logits are bent to stay within ±{float(cap):g} (soft-capping); the lens does the same.")
    return tuple(words)


def _attention_words(info: LoadedModelInfo, spec: ArchitectureSpec | None) -> list[str]:
    if not info.heads:
        return ["No attention: each layer carries a state of constant size along the text (recurrent)."]
    mixers = [(block.count, block.mixer) for block in spec.blocks] if spec else []
    latent = next((mixer for _count, mixer in mixers if isinstance(mixer, LatentAttention)), None)
    if latent is not None:
        return [
            f"Attention with {latent.heads} query heads, whose keys and values are made from one latent of {latent.kv_rank:,} "
            f"numbers and one rotated key of {latent.rope_dim} a token (multi-head latent attention)."
        ]
    if info.kv_heads == info.heads:
        kind = "each with keys and values of its own (multi-head attention)"
    elif info.kv_heads == 1:
        kind = "all sharing one head of keys and values (multi-query attention)"
    else:
        kind = f"sharing {info.kv_heads} heads of keys and values (grouped-query attention)"
    words = [f"Attention with {info.heads} query heads of {info.head_dim} numbers, {kind}."]
    windowed = [(count, mixer.window) for count, mixer in mixers if isinstance(mixer, Attention) and mixer.window]
    if windowed:
        count, window = sum(count for count, _window in windowed), windowed[0][1]
        words.append(f"{count} of the layers look back on the last {window:,} tokens only (sliding window).")
    recurrent = sum(count for count, mixer in mixers if not isinstance(mixer, Attention))
    if recurrent:
        words.append(f"{recurrent} of the layers have another mixer in attention's place.")
    return words


def _feed_forward_words(config: dict[str, Any], spec: ArchitectureSpec | None) -> list[str]:
    act = config.get("hidden_act") or config.get("activation_function") or config.get("hidden_activation")
    by = f" with {act}" if isinstance(act, str) else ""
    part = spec.blocks[0].feed_forward if spec else None
    if isinstance(part, Mlp):
        kind = "gated, three matrices" if part.matrices == 3 else "two matrices"
        return [f"Feed-forward part of width {part.width:,}{by} ({kind})."]
    if spec is not None and spec.is_sparse:
        return [f"Feed-forward parts are a mixture of experts{by}: each token goes through a few of them."]
    return []


def _rotary_base(config: dict[str, Any]) -> float | None:
    rope = config.get("rope_parameters")
    value = rope.get("rope_theta") if isinstance(rope, dict) else config.get("rope_theta")
    return float(value) if isinstance(value, int | float) else None
