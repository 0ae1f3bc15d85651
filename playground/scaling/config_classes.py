"""What transformers' own config classes say of a config: defaults of keys left out, and where the text model stands.

transformers is imported inside the functions only, so importing this costs nothing. A config's own code (``auto_map``)
is never run, and sizes that no model has are refused before a class sees them. Builds no model; ``meta`` does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from playground.errors import BadInput
from playground.scaling.config_fields import MAX_CONTEXT, MAX_EXPERTS, MAX_LAYERS, MAX_SIZE

# Keys that choose code, kernels or quantisers to load, none of which changes the number of parameters.
DROPPED_KEYS = frozenset(
    {"auto_map", "quantization_config", "dtype", "torch_dtype", "architectures", "attn_implementation", "model_type"}
)
# What no model has none of: transformers builds one without layers and says nothing.
NEVER_EMPTY = frozenset(
    {"vocab_size", "hidden_size", "d_model", "n_embd", "num_attention_heads", "n_head", "n_heads"}
    | {"num_hidden_layers", "num_layers", "n_layer", "n_layers"}
)
MAX_ROWS = 10**9  # of a vocabulary's table: some models hash n-grams into tens of millions of rows
MAX_LAYER_EXPERTS = 200_000  # layers × experts; the largest published mixtures have some 25,000


def build_config(model_type: str, raw: Mapping[str, Any], prefix: str = "") -> Any:
    """transformers' config object of ``raw``. Raises BadInput for a type it does not know or values it refuses."""
    check_sizes(raw, prefix)
    from transformers import CONFIG_MAPPING, AutoConfig

    if model_type not in CONFIG_MAPPING:
        raise BadInput(
            f"model_type {model_type[:40]!r} is unknown to transformers, so its parameters cannot be counted; "
            "check its spelling.",
            prefix + "model_type",
        )
    try:
        return AutoConfig.for_model(model_type, **_without_code(raw))
    except Exception as error:  # each class refuses in its own way
        raise BadInput(
            f"transformers does not read this config of model_type {model_type[:40]!r}: {one_line(error)}.",
            prefix + "model_type",
        ) from None


def text_model_type(model_type: str, raw: Mapping[str, Any]) -> str | None:
    """The model_type of the text model within the composite ``raw``, where its nested config does not say; or None."""
    try:
        text_type = build_config(model_type, raw).get_text_config().model_type
    except (BadInput, AttributeError):  # a class without a text part keeps what was given under that name, be it {}
        return None
    return str(text_type) if text_type != model_type else None


def has_other_parts(model_type: str) -> bool:
    """Whether transformers' model of this type has parts with configs of their own beside its text model."""
    from transformers import CONFIG_MAPPING

    supported = model_type in CONFIG_MAPPING
    return supported and bool(set(getattr(CONFIG_MAPPING[model_type], "sub_configs", {})) - {"text_config"})


def type_of_class(class_name: str) -> str | None:
    """The model_type whose model is called ``class_name``, such as LlamaForCausalLM; None where no model is."""
    from transformers.models.auto import modeling_auto

    listings = ("MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES")
    names = [pair for listing in listings for pair in getattr(modeling_auto, listing).items()]
    types = [str(model_type) for model_type, name in names if class_name == name]
    own = [one for one in types if class_name.lower().startswith(one.replace("_", ""))]  # others borrow the class
    return next(iter(own or types), None)


def check_sizes(config: Mapping[str, Any], prefix: str = "") -> None:
    """Refuse what would take minutes, overflow or count as nothing, for any architecture, by the keys' usual names."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            check_sizes(value, f"{prefix}{key}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not math.isfinite(value) or (value > _limit(key) and "token" not in key and "theta" not in key):
            raise BadInput(f"{prefix}{key} is {value:g}, which no model has; at most {_limit(key):,.0f}.", prefix + key)
        least = 1 if key in NEVER_EMPTY else 0 if key.endswith(("_size", "_dim", "_layers", "_heads")) else -math.inf
        if value < least:
            raise BadInput(f"{prefix}{key} must be at least {least}, not {value:g}.", prefix + key)
    layers, experts = (_largest(config, word) for word in ("layer", "experts"))
    if layers * experts > MAX_LAYER_EXPERTS:
        raise BadInput(
            f"{layers:,} layers of {experts:,} experts are more than any model has; check both.", f"{prefix}num_experts"
        )


def _largest(config: Mapping[str, Any], word: str) -> int:
    """The largest whole number under a key that counts layers or experts, at least 1."""
    numbers = [value for key, value in config.items() if type(value) is int and word in key and "per_tok" not in key]
    return max(numbers, default=1) or 1


def _limit(key: str) -> float:
    """The largest value under a key of that name."""
    if "layers" in key or key in {"n_layer", "depth", "num_blocks"}:
        return MAX_LAYERS
    if "position" in key or "window" in key or "length" in key or "chunk" in key:
        return MAX_CONTEXT
    if key.endswith("experts"):
        return MAX_EXPERTS
    return MAX_ROWS if "vocab" in key else MAX_SIZE


def _without_code(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``raw`` without what would choose code; a nested config keeps its model_type."""
    kept = {}
    for key, value in raw.items():
        if key in DROPPED_KEYS or key.startswith("_"):
            continue
        if isinstance(value, Mapping) and key.endswith("_config"):
            inner = _without_code(value)
            kept[key] = {**inner, "model_type": value["model_type"]} if value.get("model_type") else inner
        else:
            kept[key] = value
    return kept


def one_line(error: Exception) -> str:
    """What ``error`` says, printable, in at most 200 characters, without its full stop."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(error))
    text = " ".join(printable.split()) or type(error).__name__
    return (text if len(text) <= 200 else text[:197] + "...").rstrip(".")
