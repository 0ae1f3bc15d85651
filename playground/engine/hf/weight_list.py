"""The learned tensors of a loaded model, each counted once, packed layers included. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

from torch import nn
from transformers.cache_utils import DynamicLayer

from playground.engine.hf.prepack import PackedLinear
from playground.engine.types import CacheLayer, Weight, WeightList
from playground.models.decoding import new_cache
from playground.models.loading import LoadedModel


def list_weights(loaded: LoadedModel) -> WeightList:
    """Every tensor of the model in the order of its modules; they add up to ``num_parameters()`` as it was loaded."""
    model = loaded.model
    weights = tuple(_tensors(model))
    head, table = model.get_output_embeddings(), model.get_input_embeddings()
    tied = head is not None and table is not None and _shares(head, table)
    config = json.dumps(model.config.to_dict(), default=str)
    return WeightList(weights, tied, config, _cache_layers(loaded))


def _cache_layers(loaded: LoadedModel) -> tuple[CacheLayer, ...]:
    """By the kinds of layers that transformers makes a cache of; a recurrent or a shared layer keeps no keys."""
    try:
        layers = new_cache(loaded.model.config).layers
    except Exception:  # a config without layers of known kinds
        return ()
    usual = (loaded.info.kv_heads, loaded.info.head_dim)
    shapes = loaded.decoding.key_shapes or (usual,) * len(layers)
    return tuple(
        CacheLayer(*(shape or usual), getattr(layer, "sliding_window", None))
        for layer, shape in zip(layers, shapes, strict=False)
        if isinstance(layer, DynamicLayer)
    )


def _tensors(model: nn.Module) -> Iterator[Weight]:
    """Parameters as they are; a packed layer's weight by its sizes, unless it is another module's own."""
    for path, module in model.named_modules():
        prefix = _plain_name(path)
        if isinstance(module, PackedLinear) and module.shared is None:
            count = module.in_features * module.out_features
            shape = (module.out_features, module.in_features)
            yield Weight(f"{prefix}.weight", shape, count, count * module.packed.element_size())
    for name, parameter in model.named_parameters():  # a tensor held by two modules comes once, by its first name
        yield Weight(
            _plain_name(name), tuple(parameter.shape), parameter.numel(), parameter.numel() * parameter.element_size()
        )


def _plain_name(name: str) -> str:
    """As it is without an adapter, whose layers hold the base's."""
    return f"{name}.".replace(".base.", ".").removesuffix(".")


def _shares(head: nn.Module, table: nn.Module) -> bool:
    own = head.shared if isinstance(head, PackedLinear) else head.weight
    return own is table.weight
