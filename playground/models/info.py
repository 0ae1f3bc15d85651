"""What is known of a model once it is loaded. Plain data; knows neither torch nor transformers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about the loaded model, as shown in the sidebar and written into exports.

    ``revision`` identifies the exact weights, dtype and device class: logits cached under one revision are never
    served for another. Sizes are in bytes, counts in parameters or tokens.
    """

    id: str  # what the user typed to choose it: catalogue name, hub id or folder
    name: str  # what the page calls it
    revision: str
    architecture: str  # e.g. "LlamaForCausalLM"
    parameters: int
    weights_bytes: int
    device: str  # "cpu", "cuda:0", "mps"
    dtype: str  # "float32", "bfloat16", "float16"
    vocab_size: int  # rows of the output head: the length of a logits row
    context_length: int  # tokens
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden_size: int
    has_chat_template: bool
    eos_token_ids: tuple[int, ...]
    license: str | None = None
