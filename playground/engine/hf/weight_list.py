"""The learned tensors of a loaded model, each counted once, packed layers included. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers.cache_utils import DynamicLayer

from playground.engine.hf.prepack import PackedLinear
from playground.engine.types import CacheLayer, Weight, WeightList
from playground.models.decoding import new_cache
from playground.models.info import ModelInfo
from playground.models.loading import setting


def list_weights(model: Any, info: ModelInfo) -> WeightList:
    """Every tensor of ``model`` in the order of its modules; they add up to ``num_parameters()`` as it was loaded."""
    weights = tuple(_tensors(model))
    head, table = model.get_output_embeddings(), model.get_input_embeddings()
    tied = head is not None and table is not None and _shares(head, table)
    config = json.dumps(model.config.to_dict(), default=str)
    return WeightList(weights, tied, config, _cache_layers(model.config, info))


def _cache_layers(config: Any, info: ModelInfo) -> tuple[CacheLayer, ...]:
    """By the kinds of layers that transformers makes a cache of; a recurrent or a shared layer keeps no keys."""
    text = config.get_text_config(decoder=True)
    try:
        layers = new_cache(config).layers
        varied = text.per_layer_config if "per_layer_config" in text.to_dict() else [None] * len(layers)
    except Exception:  # a config without layers of known kinds
        return ()
    found = []
    for layer, own in zip(layers, varied, strict=False):
        if isinstance(layer, DynamicLayer):
            heads, size = (info.kv_heads, info.head_dim) if own is None else _own_sizes(own, info)
            found.append(CacheLayer(heads, size, getattr(layer, "sliding_window", None)))
    return tuple(found)


def _own_sizes(layer: Any, info: ModelInfo) -> tuple[int, int]:
    return setting(layer, "num_key_value_heads") or info.kv_heads, setting(layer, "head_dim") or info.head_dim


def _tensors(model: nn.Module) -> Iterator[Weight]:
    """Parameters as they are; a packed layer's weight by its sizes, unless it is another module's own."""
    for prefix, module in model.named_modules():
        if isinstance(module, PackedLinear) and module.shared is None:
            count = module.in_features * module.out_features
            shape = (module.out_features, module.in_features)
            yield Weight(f"{prefix}.weight", shape, count, count * module.packed.element_size())
    for name, parameter in model.named_parameters():  # a tensor held by two modules comes once, by its first name
        yield Weight(name, tuple(parameter.shape), parameter.numel(), parameter.numel() * parameter.element_size())


def _shares(head: nn.Module, table: nn.Module) -> bool:
    own = head.shared if isinstance(head, PackedLinear) else head.weight
    return own is table.weight
