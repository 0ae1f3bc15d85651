"""Counting a model by building it without storage: transformers on torch's meta device.

The only module of ``scaling`` that touches torch, and only inside its functions: importing it costs nothing. A
config's own code (``auto_map``) is never run and its weights are never fetched. This is the count that a formula must
agree with, and the only one for architectures without a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.errors import BadInput
from playground.scaling.config_fields import MAX_CONTEXT, MAX_LAYERS, MAX_SIZE
from playground.scaling.configs import find_text_config

# Keys that choose code, kernels or quantisers to load, none of which changes the number of parameters.
DROPPED_KEYS = frozenset(
    {"auto_map", "quantization_config", "dtype", "torch_dtype", "architectures", "attn_implementation"}
)
# What no model has none of: transformers builds one without layers and says nothing.
NEVER_EMPTY = frozenset(
    {"vocab_size", "hidden_size", "d_model", "n_embd", "num_attention_heads", "n_head", "n_heads"}
    | {"num_hidden_layers", "num_layers", "n_layer", "n_layers"}
)
MAX_ROWS = 10**9  # of a vocabulary's table: some models hash n-grams into tens of millions of rows


@dataclass(frozen=True, slots=True)
class MetaCount:
    """Parameters of a model as transformers builds it; ``components`` by the modules' names, largest first."""

    total: int
    components: tuple[tuple[str, int], ...]
    class_name: str


def count_on_meta(config: Mapping[str, Any]) -> MetaCount:
    """Build the text model of ``config`` on the meta device and count its parameters, tied ones once.

    Takes seconds the first time (torch and transformers are imported) and holds no weights in memory. Raises BadInput
    for configs that transformers does not know or refuses.
    """
    text_config, prefix = find_text_config(config)
    _check_sizes(text_config, prefix)
    model_type = str(text_config["model_type"])
    model = _build(model_type, text_config, prefix)
    seen: set[int] = set()
    groups: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        if id(parameter) not in seen:
            seen.add(id(parameter))
            group = component_of(name)
            groups[group] = groups.get(group, 0) + math.prod(parameter.shape)
    ordered = tuple(sorted(groups.items(), key=lambda item: -item[1]))
    return MetaCount(sum(groups.values()), ordered, type(model).__name__)


def _build(model_type: str, text_config: Mapping[str, Any], prefix: str) -> Any:
    from accelerate import init_empty_weights
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    if model_type not in CONFIG_MAPPING:
        raise BadInput(
            f"model_type {model_type[:40]!r} is unknown to transformers, so its parameters cannot be counted; "
            "check its spelling.",
            prefix + "model_type",
        )
    kept = {
        key: value
        for key, value in text_config.items()
        if key not in DROPPED_KEYS and key != "model_type" and not key.startswith("_")
    }
    try:
        built = AutoConfig.for_model(model_type, **kept)
    except Exception as error:
        raise BadInput(
            f"transformers does not read this config of model_type {model_type[:40]!r}: {_one_line(error)}.",
            prefix + "model_type",
        ) from None
    try:
        # include_buffers makes everything on the meta device from the start, so that tied weights can be tied; drawing
        # initial values, even storage-free, would take a minute for a model of thousands of experts.
        with init_empty_weights(include_buffers=True), no_init_weights():
            model = AutoModelForCausalLM.from_config(built, trust_remote_code=False, attn_implementation="eager")
            model.tie_weights()  # left out together with the initial values
            return model
    except Exception as error:
        raise BadInput(
            f"transformers cannot build {model_type[:40]!r} from this config: {_one_line(error)}.", "config"
        ) from None


def component_of(parameter_name: str) -> str:
    """What part of a model a parameter belongs to, by its name: ``model.layers.3.mlp.up_proj.weight`` → ``mlp``."""
    parts = parameter_name.split(".")
    inner = [index for index, part in enumerate(parts) if part.isdigit()]
    if not inner:
        return parts[-2] if len(parts) > 1 else parts[0]
    after = parts[inner[0] + 1 :]
    return after[0] if len(after) > 2 or len(after) == 1 else after[-2]


def _check_sizes(config: Mapping[str, Any], prefix: str) -> None:
    """Refuse what would take minutes, overflow or count as nothing, for any architecture, by the keys' usual names."""
    for key, value in config.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not math.isfinite(value) or (value > _limit(key) and "token" not in key and "theta" not in key):
            raise BadInput(f"{prefix}{key} is {value:g}, which no model has; at most {_limit(key):,.0f}.", prefix + key)
        least = 1 if key in NEVER_EMPTY else 0 if key.endswith(("_size", "_dim", "_layers", "_heads")) else -math.inf
        if value < least:
            raise BadInput(f"{prefix}{key} must be at least {least}, not {value:g}.", prefix + key)


def _limit(key: str) -> float:
    """The largest value under a key of that name."""
    if "layers" in key or key in {"n_layer", "depth", "num_blocks"}:
        return MAX_LAYERS
    if "position" in key or "window" in key or "length" in key:
        return MAX_CONTEXT
    return MAX_ROWS if "vocab" in key else MAX_SIZE


def _one_line(error: Exception) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in str(error))
    text = " ".join(printable.split()) or type(error).__name__
    return (text if len(text) <= 200 else text[:197] + "...").rstrip(".")
