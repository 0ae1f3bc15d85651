"""Positions that depend on how long the whole text is. Reads a config; runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def long_from(config: PreTrainedConfig) -> int | None:
    """The length from which a text is read with other rotary factors, in tokens; None where length changes nothing.

    LongRoPE (2402.13753, Phi-3) has short factors up to the original context and long ones for every position of a text
    beyond it. "Dynamic" factors change beyond the context only, where no text is taken.
    """
    text = config.get_text_config(decoder=True)
    originals = [
        int(rope.get("original_max_position_embeddings") or getattr(text, "original_max_position_embeddings", 0) or 0)
        for rope in _ropes(getattr(text, "rope_parameters", None))
        if rope.get("rope_type") == "longrope"
    ]
    return min(originals) + 1 if any(originals) else None


def _ropes(parameters: object) -> Iterator[dict[str, Any]]:
    """The settings of all layers, or of each kind of layer."""
    if isinstance(parameters, dict):
        if "rope_type" in parameters:
            yield parameters
        else:
            yield from (part for part in parameters.values() if isinstance(part, dict))
