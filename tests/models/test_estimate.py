"""Memory estimated from headers and configs equals what the real objects hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import DynamicCache

from playground.models.catalogue import CATALOGUE, resolve
from playground.models.estimate import estimate_config, estimate_folder, estimate_gguf
from playground.models.listing import estimate
from tests.models.tiny import VOCABULARY, save_gpt2, save_llama

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@pytest.mark.parametrize("dtype", BYTES)
def test_the_weights_are_counted_from_the_header(tmp_path: Path, dtype: str) -> None:
    model = save_llama(tmp_path)
    need = estimate_folder(tmp_path, dtype)
    assert need.parameters == model.num_parameters()
    assert need.weights_bytes == model.num_parameters() * BYTES[dtype]
    assert need.in_dtype("float32") == estimate_folder(tmp_path, "float32")


@pytest.mark.parametrize("save", [save_llama, save_gpt2])
def test_a_config_alone_gives_the_same_number(tmp_path: Path, save: object) -> None:
    assert callable(save)
    model = save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert estimate_config(config, "float32").parameters == model.num_parameters()


def test_working_memory_is_a_full_cache_and_a_prefills_logits(tmp_path: Path) -> None:
    import torch

    model = save_llama(tmp_path)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(torch.zeros((1, 64), dtype=torch.long), past_key_values=cache, use_cache=True)  # the whole context
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    need = estimate_folder(tmp_path, "float32")
    assert need.cache_bytes == held
    assert need.logits_bytes == 512 * VOCABULARY * 4
    assert need.total_bytes == need.weights_bytes + held + need.logits_bytes


def test_a_small_gguf_file(tmp_path: Path) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_embedding_length(16)
    writer.add_context_length(64)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tensor("token_embd.weight", np.zeros((VOCABULARY, 16), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    need = estimate_gguf(tmp_path / "tiny.gguf", "bfloat16")
    assert (need.parameters, need.weights_bytes) == (VOCABULARY * 16, VOCABULARY * 16 * 2)
    assert need.cache_bytes == 2 * 2 * 16 * 64 * 2


def test_a_source_is_estimated_without_its_weights() -> None:
    assert estimate(resolve("smollm2-135m-instruct"), "float32").weights_bytes == 538_060_032
    assert estimate(resolve("pythia-70m"), "float32").parameters == CATALOGUE["pythia-70m"].parameters


@pytest.mark.model
def test_the_bundled_models_constants_are_those_of_its_files(bundled_model_path: Path) -> None:
    assert estimate(resolve("smollm2-135m-instruct"), "bfloat16") == estimate_folder(bundled_model_path, "bfloat16")
