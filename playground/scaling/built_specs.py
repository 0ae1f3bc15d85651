"""An ``ArchitectureSpec`` of any model that transformers can build, without a formula: shapes read off the built model.

Parameters come from the module tree. What a layer caches comes from a pass over two tokens on the meta device, which
computes shapes and no numbers; where transformers cannot do that, from the config's own words, and a note says so.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from playground.errors import BadInput, PlaygroundError
from playground.scaling.config_classes import one_line
from playground.scaling.config_fields import MAX_CONTEXT
from playground.scaling.configs import LoadedConfig, is_composite
from playground.scaling.meta import build_on_meta, component_of, count_on_meta, part_of
from playground.scaling.specs import (
    ArchitectureSpec,
    Attention,
    Block,
    Component,
    LatentAttention,
    Mixer,
    MixtureOfExperts,
    Recurrent,
)

SOURCE = "transformers' module tree on the meta device"
GUESSED = "How much this architecture caches is read from its config and not from transformers' own cache."
EXPERT_KEYS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
REPEATED = (
    "transformers keeps each of the {heads} query heads' copies of these {kv} heads, {times} times the cache that is "
    "counted here."
)
TOP_K_KEYS = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "top_k_experts",
    "moe_top_k",
    "moe_k",
    "moe_topk",
    "top_k",
)


def spec_of_config(loaded: LoadedConfig) -> ArchitectureSpec:
    """The shapes of ``loaded``: by the formula where there is one, else from the built model; vision and audio beside.

    Raises BadInput for a model that transformers cannot build. Takes seconds for what has no formula; asked twice, none.
    """
    if loaded.spec is not None and not is_composite(loaded.config):
        return loaded.spec
    return replace(_built(json.dumps(loaded.config, sort_keys=True, default=str), loaded.spec), name=loaded.name)


@lru_cache(maxsize=16)
def _built(text: str, formula: ArchitectureSpec | None) -> ArchitectureSpec:
    config: dict[str, Any] = json.loads(text)
    if formula is None:
        try:
            return build_spec(config)
        except PlaygroundError:
            raise
        except Exception as error:  # one of some five hundred architectures that does not answer as the others do
            raise BadInput(f"The model could not be counted: {one_line(error)}; check the config.", "config") from None
    count = count_on_meta(config)
    return replace(
        formula,
        others=tuple(Component(name, size, 0) for name, size in count.others),
        notes=(count.problem,) if count.problem else (),
    )


def build_spec(config: Mapping[str, Any]) -> ArchitectureSpec:
    """The spec of ``config`` from the model that transformers builds of it. Raises BadInput."""
    model, problem = build_on_meta(config)
    text = model.config.get_text_config(decoder=True)
    experts = _experts(text)
    blocks, guessed = _blocks(model, text, experts)
    blocks, repeated = _without_copies(blocks, text)
    counted, others = _components(model, experts)
    notes = tuple(note for note in (problem, GUESSED if guessed else "", repeated) if note)
    length = _size(text, "max_position_embeddings")
    return ArchitectureSpec(
        str(config.get("model_type")),
        str(text.model_type),
        int(_size(text, "hidden_size") or 1),
        int(_size(text, "vocab_size") or 1),
        blocks,
        tied=not any(part.name == "head" for part in counted),
        final_norm_vectors=0,
        context_length=length if length and length <= MAX_CONTEXT else None,
        source=SOURCE,
        counted=counted,
        others=others,
        notes=notes,
    )


def _size(config: Any, *keys: str) -> int | None:
    """The first whole number of at least 1 under one of ``keys``."""
    return next((value for key in keys if type(value := _read(config, key)) is int and value > 0), None)


def _read(config: Any, key: str) -> Any:
    """A field of transformers' config; None where it has none, or where it differs from layer to layer."""
    try:
        return getattr(config, key, None)
    except Exception:  # a field that varies raises an error of its own, which is no AttributeError
        return None


def _experts(text: Any) -> MixtureOfExperts | None:
    experts, top_k = _size(text, *EXPERT_KEYS), _size(text, *TOP_K_KEYS)
    if experts is None or experts < 2 or top_k is None:
        return None
    return MixtureOfExperts(experts, min(top_k, experts), 0)


def _components(model: Any, experts: MixtureOfExperts | None) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The text model's parameters by kind, and what stands beside it. Of the routed experts a token passes top_k."""
    table, head = _table(model.get_input_embeddings), _table(model.get_output_embeddings)
    text: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        part = part_of(name)
        if part:
            others[part] += parameter.numel()
            continue
        kind = "embeddings" if parameter is table else "head" if parameter is head else component_of(name)
        text["experts" if experts and "experts" in name.split(".") else kind] += parameter.numel()
    share = experts.top_k / experts.experts if experts else 1.0
    return (
        tuple(Component(kind, n, round(n * share) if kind == "experts" else n) for kind, n in text.most_common() if n),
        tuple(Component(kind, n, 0) for kind, n in others.most_common()),
    )


def _table(embeddings: Callable[[], Any]) -> Any:
    """The weights of the model's token table or head; None for a model that does not say which they are."""
    try:
        return getattr(embeddings(), "weight", None)
    except NotImplementedError:
        return None


def _blocks(model: Any, text: Any, experts: MixtureOfExperts | None) -> tuple[tuple[Block, ...], bool]:
    """Layers by what they cache, and whether that had to be guessed."""
    kinds = _read(text, "layer_types") or _read(text, "layers_block_type") or []
    layers = _cached_layers(model)
    guessed = layers is None
    count = _size(text, "num_hidden_layers") or len(kinds) or 1
    if layers is None:
        mixers = [_guessed(text, kinds[index] if index < len(kinds) else "full_attention") for index in range(count)]
    else:
        mixers = [
            _mixer(layer, text, str(kinds[index]) if index < len(kinds) else "") for index, layer in enumerate(layers)
        ]
        heads, size = _heads(text)
        mixers += [Attention(heads, 0, size)] * (count - len(layers))  # layers that read another one's cache
    return tuple(Block(number, mixer, experts, 0) for mixer, number in Counter(mixers).items()), guessed


def _without_copies(blocks: tuple[Block, ...], text: Any) -> tuple[tuple[Block, ...], str]:
    """Falcon's newer decoder (40B, 180B) shares each key-value head among query heads, and transformers copies it to all of
    them before it caches: what the architecture needs is counted, and the copies are a note."""
    kv_heads = _size(text, "num_kv_heads")
    if text.model_type != "falcon" or not _read(text, "new_decoder_architecture") or kv_heads is None:
        return blocks, ""
    heads = _heads(text)[0]
    shared = tuple(
        replace(block, mixer=replace(block.mixer, kv_heads=kv_heads)) if isinstance(block.mixer, Attention) else block
        for block in blocks
    )
    return shared, REPEATED.format(heads=heads, kv=kv_heads, times=heads // kv_heads) if kv_heads < heads else ""


def _cached_layers(model: Any) -> list[Any] | None:
    """The layers of transformers' own cache after two tokens; None where they cannot be had on the meta device."""
    import torch

    # The usual way asks which experts are chosen, which shapes do not say; some models have no such choice.
    with contextlib.suppress(AttributeError, ValueError):
        model.set_experts_implementation("batched_mm")
    try:
        ids = torch.zeros(1, 2, dtype=torch.long, device="meta")
        with torch.device("meta"), torch.no_grad(), _unvalidated():
            out = model(input_ids=ids, use_cache=True)
        cache = getattr(out, "past_key_values", None)
        if cache is None:
            cache = getattr(out, "cache_params", None)
        layers = _all_layers(cache)
    except Exception:  # whatever one of some two hundred architectures does without numbers
        return None
    return list(layers) if layers else None


def _all_layers(cache: Any) -> list[Any]:
    """A cache's layers. MiniMax keeps the states of its linear attention in a list of their own."""
    layers, linear = list(getattr(cache, "layers", None) or []), getattr(cache, "linear_cache", None) or []
    for place, state in enumerate(linear):
        if not isinstance(state, list):
            layers[place : place + 1] = [SimpleNamespace(recurrent_states={0: state})]
    return layers


@contextlib.contextmanager
def _unvalidated() -> Iterator[None]:
    """Distributions that do not look at their parameters' numbers (Gemma 3n's sparsity has one)."""
    from torch.distributions import Distribution

    usual = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(usual)


def _mixer(layer: Any, text: Any, kind: str) -> Mixer:
    heads, _ = _heads(text)
    keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
    state = sum(
        tensor[0].numel()
        for name in ("conv_states", "recurrent_states")
        for tensor in dict(getattr(layer, name, None) or {}).values()
        if tensor is not None
    )
    if keys is None or values is None or keys.dim() != 4:
        return Recurrent(state)
    kept, beside = int(keys.shape[-1] + values.shape[-1]), _beside(layer)
    latent = _latent(text, heads)
    if latent is not None and keys.shape[1] == 1 and kept == latent.kv_rank + latent.rope_dim:
        return replace(latent, beside=beside)
    window = getattr(layer, "sliding_window", None) if getattr(layer, "is_sliding", False) else None
    return Attention(
        heads,
        int(keys.shape[1]),
        kept // 2,
        window=window,
        chunked=kind.startswith("chunked"),
        state=int(state),
        shared_kv=keys is values,
        beside=beside,
    )


def _beside(layer: Any) -> float:
    """Numbers a token of an indexer's keys, and of summaries that stand for ``compress_rate`` tokens each."""
    indexer, summaries = getattr(layer, "indexer_keys", None), getattr(layer, "compressed_kv", None) or {}
    width = sum(int(each.shape[-1]) for each in summaries.values() if each is not None)
    return (0 if indexer is None else int(indexer.shape[-1])) + width / getattr(layer, "compress_rate", 1)


def _heads(text: Any) -> tuple[int, int]:
    """Query heads and their size."""
    heads = _size(text, "num_attention_heads", "n_head", "n_heads") or 1
    return heads, _size(text, "head_dim") or max((_size(text, "hidden_size") or heads) // heads, 1)


def _latent(text: Any, heads: int) -> LatentAttention | None:
    shapes = [_size(text, key) for key in ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")]
    rank, nope, rope, value = (size or 0 for size in shapes)
    return LatentAttention(heads, _size(text, "q_lora_rank"), rank, nope, rope, value) if all(shapes) else None


def _guessed(text: Any, kind: str) -> Mixer:
    if kind.startswith("linear") or not ("attention" in kind or kind.startswith("hybrid")):
        return Recurrent(0)
    heads, size = _heads(text)
    latent = _latent(text, heads)
    if latent is not None:
        return latent
    window = _size(text, "sliding_window") if kind == "sliding_attention" else None
    return Attention(heads, _size(text, "num_key_value_heads") or heads, size, window=window)
