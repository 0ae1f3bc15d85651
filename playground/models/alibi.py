"""Falcon's ALiBi (Falcon-RW), added once whichever way attention is computed.

transformers adds the bias of distance to the mask, which every way of computing takes, and its eager code adds it to the
scores again: weights looked at, and whatever is trained eagerly, would be another model's. Knows the modules of
transformers and no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


def add_alibi_once(model: PreTrainedModel) -> None:
    """Keep the bias out of the scores of Falcon's layers where their mask has it; other models stay as they are."""
    for module in model.modules():
        if type(module).__name__ == "FalconAttention" and getattr(model.config, "alibi", False):
            module.register_forward_pre_hook(_without_second, with_kwargs=True)


def _without_second(
    _module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    bias, mask = named.get("alibi"), named.get("attention_mask")
    return arguments, named | ({"alibi": bias.new_zeros(bias.shape)} if bias is not None and mask is not None else {})
