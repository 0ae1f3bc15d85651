"""One reader an architecture: from a config's fields to its ``ArchitectureSpec``. Knows no files and no presets.

``READERS`` is the visible list. A key that a config leaves out takes the default of transformers' own config class:
written down here where leaving it out is usual (biases, head size, tied embeddings), asked of the class otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from playground.scaling.config_fields import MAX_CONTEXT, Fields
from playground.scaling.readers_other import (
    read_deepseek_v2,
    read_deepseek_v3,
    read_gpt2,
    read_gpt_neox,
    read_jamba,
    read_mamba,
    read_mamba2,
    read_rwkv,
)
from playground.scaling.readers_parts import group_layers, layer_count, read_attention, read_experts, read_top_k
from playground.scaling.specs import (
    ArchitectureSpec,
    FeedForward,
    MixtureOfExperts,
    Mlp,
)


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
        layers = layer_count(fields)
        attention = read_attention(
            fields, head_dim=self.head_dim, kv_default=self.kv_default, bias=self.bias, qk_norm=self.qk_norm
        )
        parts = self.feed_forward(fields, layers) if self.feed_forward else [self._mlp(fields)] * layers
        windows = self.window(fields, layers)
        return ArchitectureSpec(
            name,
            model_type,
            fields.integer("hidden_size"),
            fields.integer("vocab_size"),
            group_layers(
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
    return lambda fields, layers: [_stated_window(fields, default)] * layers


def _stated_window(fields: Fields, default: int | None) -> int | None:
    """An explicit null means no window; only an absent key takes the class default."""
    return fields.optional("sliding_window", maximum=MAX_CONTEXT) if fields.declares("sliding_window") else default


def _window_after_max_layers(fields: Fields, layers: int) -> list[int | None]:
    """Qwen: a window only where ``use_sliding_window``, from layer ``max_window_layers`` on."""
    if not fields.flag("use_sliding_window", False):
        return [None] * layers
    window = _stated_window(fields, 4096)
    first = fields.integer("max_window_layers", 28, minimum=0)
    return _windows_by_type(fields, layers, window, [index >= first for index in range(layers)])


def _window_if_used(fields: Fields, layers: int) -> list[int | None]:
    """Qwen3's mixtures: every layer, where ``use_sliding_window``."""
    if not fields.flag("use_sliding_window", False):
        return [None] * layers
    return [_stated_window(fields, 4096)] * layers


def _window_without_rope(fields: Fields, layers: int) -> list[int | None]:
    """SmolLM3: where ``use_sliding_window``, the layers without rotary positions, every fourth unless listed."""
    if not fields.flag("use_sliding_window", False):
        return [None] * layers
    step = fields.integer("no_rope_layer_interval", 4)
    rotary = fields.integers("no_rope_layers") or [(index + 1) % step for index in range(layers)]
    local = [index < len(rotary) and rotary[index] == 0 for index in range(layers)]
    return _windows_by_type(fields, layers, _stated_window(fields, None), local)


def _window_alternating(fields: Fields, layers: int) -> list[int | None]:
    """Qwen2's mixtures: where ``use_sliding_window``, every other layer below ``max_window_layers``."""
    if not fields.flag("use_sliding_window", False):
        return [None] * layers
    window = _stated_window(fields, 4096)
    below = fields.integer("max_window_layers", 28, minimum=0)
    return _windows_by_type(fields, layers, window, [index % 2 == 0 and index < below for index in range(layers)])


def _window_pattern(period: int) -> Callable[[Fields, int], list[int | None]]:
    """Gemma 2 and 3: every ``period``-th layer sees everything, the others a window."""

    def windows(fields: Fields, layers: int) -> list[int | None]:
        window = _stated_window(fields, 4096)
        step = fields.integer("sliding_window_pattern", period) if period != 2 else period
        return _windows_by_type(fields, layers, window, [(index + 1) % step != 0 for index in range(layers)])

    return windows


def _windows_by_type(fields: Fields, layers: int, window: int | None, local: list[bool]) -> list[int | None]:
    types = fields.words("layer_types", layers)
    if types is not None:
        local = [kind == "sliding_attention" for kind in types]
    return [window if is_local else None for is_local in local]


def _mixtral_experts(fields: Fields, layers: int) -> list[FeedForward]:
    experts = read_experts(fields, "num_local_experts", "num_experts", 8)
    part = MixtureOfExperts(experts, read_top_k(fields, experts, 2), fields.integer("intermediate_size"))
    return [part] * layers


def _qwen_experts(top_k: int, shared: bool, alias: str | None = None) -> Callable[[Fields, int], list[FeedForward]]:
    def parts(fields: Fields, layers: int) -> list[FeedForward]:
        experts = read_experts(fields, "num_experts", alias)
        sparse = MixtureOfExperts(
            experts,
            read_top_k(fields, experts, top_k),
            fields.integer("moe_intermediate_size"),
            shared_width=fields.integer("shared_expert_intermediate_size", 5632) if shared else 0,
            shared_gate=shared,
        )
        dense = Mlp(fields.integer("intermediate_size"))
        step, only = fields.integer("decoder_sparse_step", 1), set(fields.integers("mlp_only_layers"))
        return [sparse if index not in only and (index + 1) % step == 0 else dense for index in range(layers)]

    return parts


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
    "qwen2_moe": _Family(
        kv_default=16, bias="qkv_bias", window=_window_alternating, feed_forward=_qwen_experts(4, shared=True)
    ),
    "qwen3_moe": _Family(
        kv_default=4,
        bias="config",
        qk_norm=True,
        window=_window_if_used,
        feed_forward=_qwen_experts(8, shared=False, alias="num_local_experts"),
    ),
    "smollm3": _Family(kv_default=4, bias="config", mlp_bias=True, tied=True, window=_window_without_rope),
    "deepseek_v2": read_deepseek_v2,
    "deepseek_v3": read_deepseek_v3,
    "gpt2": read_gpt2,
    "gpt_neox": read_gpt_neox,
    "mamba": read_mamba,
    "mamba2": read_mamba2,
    "jamba": read_jamba,
    "rwkv": read_rwkv,
}
