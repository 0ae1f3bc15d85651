"""Falcon's bias of distance: weights and answers against the sums written out (Falcon-RW; ALiBi is 2108.12409)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import FalconConfig, FalconForCausalLM, FalconModel, PreTrainedModel

from playground.engine.hf.engine import TransformersEngine
from playground.models.locating import locate
from playground.models.scoring_head import read_with_head
from tests.engine.small import CONFIGS, VOCAB, byte_level_tokenizer, small_loaded

HEADS, WIDTH, LENGTH = 4, 32, 30
SIZE = WIDTH // HEADS  # of a head


CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "alibi": True,
    "multi_query": False,
    "parallel_attn": False,
    "bias": True,
}
IDS = tuple(int(token) for token in np.random.default_rng(0).integers(0, VOCAB, LENGTH))


def sharpen(model: PreTrainedModel) -> None:
    """So that attention is far from even."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(8)


@pytest.fixture(params=["sdpa", "eager"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TransformersEngine:
    monkeypatch.setitem(CONFIGS, "falcon-rw", lambda: FalconConfig(**CONFIG))
    loaded = small_loaded("falcon-rw")
    loaded.model.config._attn_implementation = request.param
    sharpen(loaded.model)
    return TransformersEngine(loaded)


def written_out(layers: FalconModel, ids: tuple[int, ...]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Last states (T, width), and the weights (heads, T, T) of each layer: softmax((q·k + slope × place) / √size)."""
    states = layers.word_embeddings(torch.tensor(ids))  # (T, width)
    length, places = len(ids), torch.arange(len(ids))
    slopes = torch.tensor([2.0 ** (-8 * (head + 1) / HEADS) for head in range(HEADS)])
    later = places[None, :] > places[:, None]
    weights = []
    for block in layers.h:
        mixed = block.self_attention.query_key_value(block.input_layernorm(states)).view(length, HEADS, 3, SIZE)
        query, key, value = mixed.permute(2, 1, 0, 3)  # each (heads, T, size)
        scores = (query @ key.mT + slopes[:, None, None] * places) / math.sqrt(SIZE)
        weights.append(scores.masked_fill(later, -torch.inf).softmax(-1))
        attended = (weights[-1] @ value).transpose(0, 1).reshape(length, WIDTH)
        states = states + block.self_attention.dense(attended)
        states = states + block.mlp(block.post_attention_layernorm(states))
    return layers.ln_f(states), weights


@torch.inference_mode()
def test_weights_and_answers_have_the_bias_once(engine: TransformersEngine) -> None:
    model = cast(FalconForCausalLM, engine.loaded.model)
    states, weights = written_out(model.transformer, IDS)
    np.testing.assert_allclose(engine.next_logits(IDS).logits, model.lm_head(states[-1]).numpy(), atol=1e-4)
    shown = engine.attentions(IDS, start=10)
    for layer, whole in zip(shown.layers, weights, strict=True):
        np.testing.assert_allclose(layer.weights, whole[:, 10:, 10:].numpy(), atol=1e-5)
        np.testing.assert_allclose(layer.before, whole[:, 10:, :10].sum(-1).numpy(), atol=1e-5)


@torch.inference_mode()
def test_a_reward_model_begins_with_the_bias_once(tmp_path: Path) -> None:
    """It is trained eagerly."""
    torch.manual_seed(0)
    saved = FalconForCausalLM(FalconConfig(**CONFIG))
    sharpen(saved)
    saved.save_pretrained(tmp_path)
    byte_level_tokenizer().save_pretrained(tmp_path)
    model, _tokenizer = read_with_head(locate(str(tmp_path), device="cpu", dtype="float32"), 0)
    states = model.transformer(torch.tensor([IDS])).last_hidden_state[0]
    torch.testing.assert_close(states, written_out(model.transformer, IDS)[0], atol=1e-4, rtol=1e-4)
