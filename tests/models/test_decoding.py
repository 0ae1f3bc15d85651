"""A model that is loaded agrees with itself, runs without a cache, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers.cache_utils import DynamicCache

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.decoding import PLAIN, VERIFIED, examine, find_decoding, next_state
from playground.models.loading import load
from tests.engine.architectures import small_config, small_model
from tests.models.tiny import edit_config, tiny_tokenizer


def test_a_config_without_its_task_is_judged_by_the_model(tmp_path: Path) -> None:
    small_model("bert").save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    edit_config(tmp_path, architectures=None)
    with pytest.raises(ModelRefused, match="reads a text in both directions"):
        load(str(tmp_path), device="cpu", dtype="float32")


@pytest.mark.parametrize(
    ("kind", "switch"), [("llama", {"is_causal": False}), ("gemma3_text", {"use_bidirectional_attention": True})]
)
def test_an_embedding_model_of_a_causal_family_is_refused(tmp_path: Path, kind: str, switch: dict[str, object]) -> None:
    """Its config turns the family's mask off; the family's name is no proof of a mask."""
    assert kind in VERIFIED
    small_model(kind).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    edit_config(tmp_path, **switch)
    with pytest.raises(ModelRefused, match="reads a text in both directions"):
        load(str(tmp_path), device="cpu", dtype="float32")


def test_a_decoder_that_could_attend_to_an_encoder_goes_on_from_its_own_keys() -> None:
    config = small_config("gpt2")
    config.add_cross_attention = True
    model, ids = small_model("gpt2", config), torch.tensor([[5, 9, 30]])
    state = next_state(model(input_ids=ids, use_cache=True), "past_key_values", None)
    assert isinstance(state, DynamicCache) and state.get_seq_length() == 3
    assert examine(model, "gpt2").key_heads == 4


def test_a_bert_saved_as_a_decoder_is_one() -> None:
    model = small_model("bert")
    model.config.is_decoder = True
    for layer in model.modules():
        if hasattr(layer, "is_decoder"):
            layer.is_decoder = True
        if hasattr(layer, "is_causal"):
            layer.is_causal = True
    assert examine(model, "bert").argument == "past_key_values"


def test_weights_that_are_not_numbers_are_named() -> None:
    model = small_model("falcon")
    with torch.no_grad():
        model.transformer.h[1].mlp.dense_4h_to_h.weight[0, 0] = torch.nan
    with pytest.raises(ModelCorrupt, match=r"not numbers, 'transformer\.h\.1\.mlp\.dense_4h_to_h\.weight' first"):
        examine(model, "falcon")


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_numbers_are_refused_at_load(tmp_path: Path, value: float) -> None:
    """Fused attention would leave the position out, and the model answer something else."""
    model = small_model("llama")
    with torch.no_grad():
        model.model.layers[1].self_attn.q_proj.weight[0, 0] = value
    model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelCorrupt, match=r"not numbers, 'model\.layers\.1\.self_attn\.q_proj\.weight' first"):
        load(str(tmp_path), device="cpu", dtype="float32")


def test_a_known_family_is_not_asked_and_an_unknown_one_a_few_tokens() -> None:
    model = small_model("llama")
    read: list[int] = []
    model.register_forward_pre_hook(
        lambda _module, _args, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    assert find_decoding(model, "llama") == PLAIN and "llama" in VERIFIED and not read
    assert examine(model, "llama").pieces and len(read) <= 7 and sum(read) < 80


def test_sizes_that_vary_by_layer_have_a_largest(tmp_path: Path) -> None:
    small_model("gemma4_text").save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    info = load(str(tmp_path), device="cpu", dtype="float32").info
    assert (info.layers, info.head_dim) == (4, 512)


def test_the_heads_of_keys_are_those_the_cache_has(tmp_path: Path) -> None:
    small_model("falcon").save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    info = load(str(tmp_path), device="cpu", dtype="float32").info
    assert (info.heads, info.kv_heads) == (4, 1)
