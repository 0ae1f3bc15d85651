"""A .gguf file's model has the numbers of the model it was made from, whatever transformers leaves out as it reads the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.gguf_config import complete
from playground.models.gguf_file import GgufFile
from playground.models.loading import load
from playground.models.safety import check_gguf
from tests.models.tiny import VOCABULARY, save_gguf

IDS = torch.tensor([[5, 9, 30, 2, 77, 4, 9, 120, 8, 33, 5, 6]])
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}


def _llama(rope: dict[str, Any], **changes: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rope_parameters={"rope_theta": 100.0} | rope,
        **changes,
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(8)
    return cast(LlamaForCausalLM, model)


def _linear(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(4.0)


def _yarn(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(4.0)
    writer.add_rope_scaling_orig_ctx_len(16)


def _freqs(writer: gguf.GGUFWriter) -> None:
    """As llama.cpp writes them: the plain frequencies divided by those of Llama 3."""
    config = _llama(LLAMA3).config
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 100.0 ** -(torch.arange(0, 16, 2) / 16)
    writer.add_tensor("rope_freqs.weight", (plain / scaled).numpy().astype(np.float32))


@pytest.mark.parametrize(
    ("rope", "add"),
    [
        ({"rope_type": "default"}, lambda _writer: None),
        ({"rope_type": "linear", "factor": 4.0}, _linear),
        (YARN, _yarn),
        (LLAMA3, _freqs),
    ],
)
def test_positions_are_scaled_as_the_file_says(
    tmp_path: Path, rope: dict[str, Any], add: Callable[[gguf.GGUFWriter], None]
) -> None:
    saved = _llama(rope)
    save_gguf(tmp_path / "tiny.gguf", saved, add)
    loaded = load(str(tmp_path / "tiny.gguf"), device="cpu", dtype="float32")
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(IDS).logits, saved(IDS).logits, atol=1e-4, rtol=1e-4)


def test_biases_of_a_file_are_read(tmp_path: Path) -> None:
    saved = _llama({"rope_type": "default"}, mlp_bias=True)
    with torch.no_grad():
        for name, weight in saved.named_parameters():
            if name.endswith("bias"):
                weight.normal_()
    save_gguf(tmp_path / "tiny.gguf", saved)
    loaded = load(str(tmp_path / "tiny.gguf"), device="cpu", dtype="float32")
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(IDS).logits, saved(IDS).logits, atol=1e-4, rtol=1e-4)


def _file(kind: str, *tensors: tuple[str, list[float]], **said: Any) -> GgufFile:
    numbers = {name: np.array(values, np.float32) for name, values in tensors}
    values = {"general.architecture": kind} | {f"{kind}.{key}": value for key, value in said.items()}
    return cast(
        GgufFile,
        SimpleNamespace(
            values=values,
            tensors=[SimpleNamespace(name=name) for name in numbers],
            dequantize=lambda tensor: numbers[tensor.name],
        ),
    )


def test_phi3_has_the_factors_of_its_file() -> None:
    config = AutoConfig.for_model("phi3", max_position_embeddings=4096, sliding_window=None)
    factors = ("rope_factors_short.weight", [1.0, 2.0]), ("rope_factors_long.weight", [3.0, 4.0])
    said = {"rope.scaling.original_context_length": 1024, "attention.sliding_window": 512, "rope.dimension_count": 48}
    complete(config, _file("phi3", *factors, **said), "phi3")
    rope = config.rope_parameters
    assert (rope["rope_type"], rope["short_factor"], rope["long_factor"]) == ("longrope", [1.0, 2.0], [3.0, 4.0])
    assert rope["original_max_position_embeddings"] == 1024 and config.sliding_window == 512
    assert rope["partial_rotary_factor"] == 48 / 96


def test_gemma3_scales_its_layers_without_a_window() -> None:
    config = AutoConfig.for_model("gemma3_text", num_hidden_layers=34)
    said = {"rope.scaling.type": "linear", "rope.scaling.factor": 8.0, "rope.freq_base": 1e6, "block_count": 34}
    complete(config, _file("gemma3", **said), "gemma3")
    full, window = (config.rope_parameters[kind] for kind in ("full_attention", "sliding_attention"))
    assert (full["rope_type"], full["factor"], full["rope_theta"]) == ("linear", 8.0, 1e6)
    assert (window["rope_type"], window["rope_theta"]) == ("default", 1e4)


def test_the_largest_gemmas_scale_their_scores_by_width() -> None:
    config = AutoConfig.for_model("gemma2", hidden_size=4608, num_attention_heads=32, head_dim=128)
    complete(config, _file("gemma2", block_count=46), "gemma2")
    assert config.query_pre_attn_scalar == 144


def test_a_scaling_that_is_not_known_is_refused() -> None:
    with pytest.raises(ModelRefused, match="scales its positions by 'spiral' that cannot be read"):
        complete(
            AutoConfig.for_model("llama"),
            _file("llama", **{"rope.scaling.type": "spiral", "rope.scaling.factor": 2.0}),
            "x",
        )


@pytest.mark.parametrize("kind", ["qwen2moe", "gpt-oss", "t5", "clip", ["llama"]])
def test_architectures_are_known_by_llama_cpps_names(tmp_path: Path, kind: object) -> None:
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, kind if isinstance(kind, str) else "llama")
    if not isinstance(kind, str):
        writer.kv_data[0].clear()
        writer.add_array("general.architecture", cast(Any, kind))
    writer.add_block_count(1)
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((2, 2), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if kind in ("qwen2moe", "gpt-oss"):
        check_gguf(path)
        return
    with pytest.raises(ModelRefused, match="cannot unpack as one that continues text"):
        check_gguf(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("block_count", 1, "says that it has '1' layers and holds 2"),
        ("block_count", 10**6, "says that it has '1000000' layers and holds 2"),
        ("feed_forward_length", 10**7, "describes .* parameters and the file holds"),
        ("embedding_length", 10**6, "describes .* parameters and the file holds"),
    ],
)
def test_a_header_that_is_another_models_is_refused(tmp_path: Path, key: str, value: int, words: str) -> None:
    """Before anything is built in memory: the first would leave layers out, the others fill it."""
    path = tmp_path / "tiny.gguf"
    save_gguf(path, _llama({"rope_type": "default"}))
    content = bytearray(path.read_bytes())
    start = content.index(key.encode()) + len(key) + 4
    content[start : start + 4] = value.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match=words):
        load(str(path), device="cpu", dtype="float32")
