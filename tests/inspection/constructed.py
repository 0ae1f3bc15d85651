"""A small GPT-2 with weights set by hand, whose heads do what their names say. Two layers of three heads.

The residual stream has three parts of 32: the token (one-hot), its position (one-hot), and the token before, which
layer 0's previous-token head writes there. All inputs of a LayerNorm have the same number of ones, so it only scales.

| layer | head 0 | head 1 | head 2 |
|---|---|---|---|
| 0 | previous token | first token | even |
| 1 | induction: keys whose token before is the query's token | duplicate: keys of the query's token | even |
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Attention

from playground.models.decoding import PLAIN
from playground.models.loading import LoadedModel
from tests.engine.small import byte_level_tokenizer, small_info

PART, WIDTH, HEADS = 32, 96, 3
PREVIOUS, FIRST, INDUCTION, DUPLICATE = (0, 0), (0, 1), (1, 0), (1, 1)
TOKEN, POSITION, BEFORE = (slice(part * PART, (part + 1) * PART) for part in range(3))
SHARP = 2.0  # scores of some 34 above the rest: a softmax that is all but hard


def constructed_model() -> PreTrainedModel:
    config = GPT2Config(
        vocab_size=PART,
        n_positions=PART,
        n_embd=WIDTH,
        n_layer=2,
        n_head=HEADS,
        n_inner=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        weight.zero_()
        if ".ln_" in name and name.endswith("weight"):
            weight.fill_(1.0)
    one = torch.eye(PART)
    model.transformer.wte.weight[:, TOKEN] = one
    model.transformer.wpe.weight[:, POSITION] = one
    first, second = (block.attn for block in model.transformer.h)
    shift = torch.zeros(PART, PART)
    shift[torch.arange(1, PART), torch.arange(PART - 1)] = 1.0  # from position p to p - 1
    _wire(first, 0, query=(POSITION, shift), key=(POSITION, one))
    first.c_attn.weight[TOKEN, _columns(2, 0)] = one  # the value is the token ...
    first.c_proj.weight[_columns(0, 0), BEFORE] = one * 0.145  # ... written as a one again: LayerNorm had scaled it
    at_zero = torch.zeros(PART, PART)
    at_zero[:, 0] = 1.0  # from any position to position 0
    _wire(first, 1, query=(POSITION, at_zero), key=(POSITION, one))
    _wire(second, 0, query=(TOKEN, one), key=(BEFORE, one))
    _wire(second, 1, query=(TOKEN, one), key=(TOKEN, one))
    return model


def _columns(kind: int, head: int) -> slice:
    """Where c_attn writes a head's queries (0), keys (1) or values (2)."""
    begin = kind * WIDTH + head * PART
    return slice(begin, begin + PART)


def _wire(
    attention: GPT2Attention, head: int, *, query: tuple[slice, torch.Tensor], key: tuple[slice, torch.Tensor]
) -> None:
    for kind, (source, matrix) in enumerate((query, key)):
        attention.c_attn.weight[source, _columns(kind, head)] = matrix * SHARP


def constructed_loaded() -> LoadedModel:
    info = small_info(
        context_length=PART, vocab_size=PART, layers=2, heads=HEADS, kv_heads=HEADS, head_dim=PART, hidden_size=WIDTH
    )
    return LoadedModel(
        model=constructed_model(),
        tokenizer=byte_level_tokenizer(),
        info=info,
        source=cast(Any, None),
        placement=cast(Any, SimpleNamespace(device="cpu")),
        memory=cast(Any, None),
        attn_implementation="sdpa",
        has_attention=True,
        decoding=PLAIN,
    )
