"""A tiny random model with a chat template, and rows to teach it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from playground.training.demonstrations import Demonstration
from playground.training.masks import Row
from playground.training.pairs import Pair
from playground.training.running import Prepared, prepare
from playground.training.settings import Kind, TrainSettings
from playground.training.student import open_student
from tests.models.tiny import VOCABULARY, tiny_tokenizer

TEMPLATE = (
    "{% for m in messages %}{{ '<end>' + m['role'] + ': ' + m['content'] + '<end>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<end>assistant: ' }}{% endif %}"
)
DEMONSTRATIONS = tuple(Demonstration(f"the {n}?", "the cat sat" if n % 2 else "the hat on the mat") for n in range(12))
PAIRS = tuple(Pair(f"the {n}?", "the cat sat", "mat mat " * (1 + n % 3), margin=0.5 * (n % 2)) for n in range(12))


def save_tiny(folder: Path, seed: int = 0) -> Path:
    """A random Llama of two layers."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).eval().save_pretrained(folder)
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.pad_token = "<end>"
    tokenizer.save_pretrained(folder)
    return folder


def settings_of(kind: Kind = "sft", **changes: Any) -> TrainSettings:
    wanted: dict[str, Any] = {"dtype": "float32", "learning_rate": 0.01, "epochs": 2, "heldout_share": 0.25} | changes
    return replace(TrainSettings.of(kind), **wanted)


def rows_of(kind: Kind) -> tuple[Row, ...]:
    return DEMONSTRATIONS if kind == "sft" else PAIRS


def prepared(folder: Path, settings: TrainSettings, rows: tuple[Row, ...] | None = None) -> Prepared:
    return prepare(open_student(str(folder), settings), rows or rows_of(settings.kind), settings, None)
