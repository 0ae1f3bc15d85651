"""Model families of equal size, to be raced with random weights: transformers' own classes, and ours where it has none.

Speed and memory do not depend on what the weights say. Each family's number of layers is chosen so that all have about
3.3 million parameters at width 256, a quarter million of them in the vocabulary's table. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VOCABULARY, WIDTH = 1024, 256
MOST_CONTEXT = 131_072
_COMMON = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "tie_word_embeddings": True}


@dataclass(frozen=True, slots=True)
class Family:
    """``config``: for transformers' classes. ``layers`` and ``wider``: of our own ``SequenceModel``, where there is no config.

    ``state``: what it keeps of the text. ``prefill``: how a text is read here, and what is slow about it.
    """

    label: str
    year: int
    source: str
    state: str
    prefill: str
    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    wider: float = 2.0


_SLOW = "without the GPU kernels of its authors: on this machine transformers runs the scan as a loop over positions"
FAMILIES: dict[str, Family] = {
    "transformer": Family(
        "Transformer",
        2017,
        "1706.03762, 2302.13971",
        "a key and a value a token in every layer",
        "all positions at once; each looks at all before it",
        {
            "model_type": "llama",
            **_COMMON,
            "intermediate_size": 672,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": MOST_CONTEXT,
        },
    ),
    "mamba": Family(
        "Mamba",
        2023,
        "2312.00752",
        "16 numbers for each of 512 channels a layer, and the last four inputs of a convolution",
        _SLOW,
        {"model_type": "mamba", **_COMMON, "num_hidden_layers": 7, "state_size": 16},
    ),
    "mamba-2": Family(
        "Mamba-2",
        2024,
        "2405.21060",
        "64 numbers for each of 512 channels a layer, and the last four inputs of a convolution",
        "in chunks of 256 positions, each as a product of matrices; " + "without the GPU kernels of its authors",
        {
            "model_type": "mamba2",
            **_COMMON,
            "num_hidden_layers": 7,
            "state_size": 64,
            "num_heads": 8,
            "head_dim": 64,
            "expand": 2,
            "n_groups": 1,
        },
    ),
    "rwkv": Family(
        "RWKV-4",
        2023,
        "2305.13048",
        "five numbers a channel and layer",
        _SLOW,
        {
            "model_type": "rwkv",
            **_COMMON,
            "num_hidden_layers": 4,
            "attention_hidden_size": WIDTH,
            "intermediate_size": 4 * WIDTH,
            "context_length": MOST_CONTEXT,
        },
    ),
    "jamba": Family(
        "Jamba-like hybrid",
        2024,
        "2403.19887",
        "keys and values in one layer of four, a Mamba state in the others",
        _SLOW,
        {
            "model_type": "jamba",
            **_COMMON,
            "intermediate_size": 448,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "attn_layer_period": 4,
            "attn_layer_offset": 2,
            "num_experts": 1,
            "num_experts_per_tok": 1,
            "expert_layer_period": 100,
            "expert_layer_offset": 99,
        },
    ),
    "s4": Family(
        "S4",
        2021,
        "2111.00396, 2206.11893",
        "16 complex numbers a channel and layer",
        "as a convolution by FFT, all positions at once",
        layers=("s4",) * 8,
    ),
    "h3": Family(
        "H3",
        2022,
        "2212.14052",
        "16 complex numbers and the last three keys a channel and layer",
        "as a convolution by FFT, all positions at once",
        layers=("h3",) * 6,
    ),
    "gru": Family(
        "GRU",
        2014,
        "1406.1078",
        "one number a channel and layer",
        "one position after the other: each needs the one before, and no order of sums can change that",
        layers=("gru",) * 5,
    ),
}
DEFAULT = ("transformer", "gru", "s4", "rwkv", "mamba-2", "jamba")
