"""What a key-value cache keeps of the tokens read, as transformers keeps it: bytes by formula, and the formula in words.

Plain attention keeps a key and a value for each of its heads of keys and values. A layer with a sliding window of w keeps
w - 1 tokens: the next one brings its own. Latent attention (DeepSeek-V2, 2405.04434) keeps one latent and one rotated key
a token, from which a pass makes all heads' keys and values anew. Knows no model: shapes in, numbers and sentences out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground.engine.types import CacheLayer
from playground.models.info import LoadedModelInfo
from playground.scaling.memory import kv_bytes, kv_bytes_per_token
from playground.scaling.specs import ArchitectureSpec, Attention, Block, LatentAttention


def plain_spec(
    info: LoadedModelInfo, config: Mapping[str, Any], layers: Sequence[CacheLayer] = ()
) -> ArchitectureSpec | None:
    """The attention of an architecture that no formula knows by name, from what its config says; None without any.

    ``layers``: those that keep keys and values, where the engine knows them; else all, as the config has them.
    Only the shapes of attention and cache in it are to be believed: feed-forward parts are left out.
    """
    if not info.heads:
        return None
    usual: Attention | LatentAttention = Attention(info.heads, info.kv_heads, info.head_dim)
    shapes = [config.get(name) for name in ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")]
    if all(isinstance(size, int) and size > 0 for size in shapes):
        rank, nope, rope, value = (int(size) for size in shapes if size is not None)
        usual = LatentAttention(info.heads, config.get("q_lora_rank"), rank, nope, rope, value)
    mixers = [_windowed(usual, window) for window in _windows(info, config)]
    if isinstance(usual, LatentAttention) and any(one.window is not None for one in layers):
        return None  # layers with a window have latents of their own size
    if layers:
        mixers = [
            Attention(info.heads, one.kv_heads, one.head_dim, window=one.window)
            if isinstance(usual, Attention)
            else usual
            for one in layers
        ]
    blocks = tuple(Block(1, mixer, None, 0) for mixer in mixers)
    return ArchitectureSpec(info.name, "", info.hidden_size, info.vocab_size, blocks, True, 0, info.context_length)


def _windows(info: LoadedModelInfo, config: Mapping[str, Any]) -> list[int | None]:
    """Each layer's sliding window, None for a layer that sees everything."""
    window, kinds = config.get("sliding_window"), config.get("layer_types")
    if not isinstance(window, int) or isinstance(window, bool) or window < 1:
        return [None] * info.layers
    if isinstance(kinds, list) and len(kinds) == info.layers:
        return [window if kind == "sliding_attention" else None for kind in kinds]
    return [window if config.get("use_sliding_window", True) else None] * info.layers


def _windowed(mixer: Attention | LatentAttention, window: int | None) -> Attention | LatentAttention:
    return replace(mixer, window=window) if isinstance(mixer, Attention) else mixer


def cache_bytes(spec: ArchitectureSpec | None, tokens: int, number: float) -> int | None:
    """Bytes of the cache of ``tokens`` at ``number`` bytes a number; None where no layer keeps a cache."""
    if spec is None or not any(isinstance(block.mixer, Attention | LatentAttention) for block in spec.blocks):
        return None
    kept = replace(spec, blocks=tuple(_as_kept(block) for block in spec.blocks))
    return round(kv_bytes(kept, tokens, 1, number))


def _as_kept(block: Block) -> Block:
    mixer = block.mixer
    if isinstance(mixer, Attention) and mixer.window is not None:
        return replace(block, mixer=replace(mixer, window=mixer.window - 1))
    return block


def spelt_out_bytes(spec: ArchitectureSpec, number: float) -> int:
    """Bytes a token that latent attention spares: what the keys and values of all its heads would take; 0 without."""
    numbers = 0
    for block in spec.blocks:
        if isinstance(block.mixer, LatentAttention):
            one = block.mixer
            numbers += block.count * one.heads * (one.nope_dim + one.rope_dim + one.value_dim)
    return round(numbers * number)


def cache_words(spec: ArchitectureSpec, number: float) -> str:
    """The formula with the model's own numbers, and what its windows and latents mean for it."""
    terms: dict[str, int] = {}
    windows: dict[int, int] = {}
    for block in spec.blocks:
        match block.mixer:
            case Attention(kv_heads=heads, head_dim=size, window=window):
                term = f"2 (a key and a value) · {heads} heads · {size} numbers"
                if window is not None:
                    windows[window - 1] = windows.get(window - 1, 0) + block.count
            case LatentAttention(kv_rank=rank, rope_dim=rope):
                term = f"({rank} numbers of the latent + {rope} of the rotated key)"
            case _:
                continue
        terms[term] = terms.get(term, 0) + block.count
    formula = " + ".join(f"{count} layers · {term}" for term, count in terms.items())
    per_token = round(kv_bytes_per_token(spec, number))
    words = [f"A token adds {formula} · {number:g} bytes a number = {per_token:,} bytes."]
    words += [
        f"{count} of the layers keep the last {kept:,} tokens only (sliding window)." for kept, count in windows.items()
    ]
    spelt = spelt_out_bytes(spec, number)
    if spelt:
        words.append(
            f"Keys and values spelt out for every head would take {spelt:,} bytes a token, {spelt / per_token:.1f} times as "
            "much: each pass makes them anew from the latents."
        )
    return " ".join(words)
