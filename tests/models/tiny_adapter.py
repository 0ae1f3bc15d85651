"""Random LoRA adapters as PEFT writes them, for a model saved in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedModel


def save_adapter(base: Path, folder: Path, *, seed: int = 0, size: float = 0.3, **settings: Any) -> Path:  # noqa: ANN401
    """A LoRA of random factors (B too) for the model in ``base``; returns ``folder``."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    wanted = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"], "task_type": "CAUSAL_LM"}
    adapted = get_peft_model(model, LoraConfig(**{**wanted, **settings}))
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(std=size)
    adapted.save_pretrained(str(folder))
    return folder


def with_peft(base: Path, adapter: Path, dtype: torch.dtype = torch.float32) -> tuple[PreTrainedModel, PeftModel]:
    """PEFT's own model of the two: the base in it, and the whole."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype).eval()
    return model, PeftModel.from_pretrained(model, adapter).eval()
