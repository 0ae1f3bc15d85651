"""A model built from a config with random weights: what it costs to run does not depend on what the weights say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.errors import BadInput

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


def random_model(config: PreTrainedConfig, name: str, seed: int) -> PreTrainedModel:
    """The causal language model of ``config`` in float32, for reading only. Raises BadInput where it cannot be built."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with torch.random.fork_rng(devices=[]):  # others draw from the same stream
            torch.manual_seed(seed)
            model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    except Exception as error:  # some five hundred architectures, each with its own complaint
        raise BadInput(f"{name} cannot be built here ({type(error).__name__}): check its config.", "config") from None
    return model.eval().requires_grad_(False)
