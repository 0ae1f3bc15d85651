"""Models whose weights are not there: refused from their headers, in little memory, with what is missing."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import gguf
import pytest

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.estimate import read_header
from playground.models.locating import locate
from playground.models.safety import check_config, check_folder, check_gguf
from tests.models.tiny import save_llama, tiny_tokenizer

MEMORY_BYTES = 6_000_000_000  # of address space: torch alone maps some three
_CHILD = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
from playground.errors import PlaygroundError
from playground.models.loading import load
for spec in sys.argv[1:]:
    try:
        load(spec, device="cpu", dtype="float32")
    except PlaygroundError as error:
        print(error)
"""


def seven_billion(folder: Path) -> None:
    """A 7B config, and one small tensor."""
    save_llama(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "vocab_size": 32000}
    config |= {"num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128}
    (folder / "config.json").write_text(json.dumps(config))


def a_billion(folder: Path, what: str) -> None:
    """A good model, but for a config that asks for a billion of one of its parts."""
    save_llama(folder)
    config = json.loads((folder / "config.json").read_text()) | {what: 10**9}
    (folder / "config.json").write_text(json.dumps(config))


def vocabulary_only(path: Path, split: int = 0) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(4096)
    if split:
        writer.add_uint16("split.no", 0)
        writer.add_uint16("split.count", split)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_they_are_refused_in_bounded_memory(tmp_path: Path) -> None:
    seven_billion(tmp_path / "seven")
    vocabulary_only(tmp_path / "vocabulary.gguf")
    vocabulary_only(tmp_path / "model-00001-of-00003.gguf", split=3)
    a_billion(tmp_path / "layers", "num_hidden_layers")
    a_billion(tmp_path / "experts", "num_local_experts")
    names = ("seven", "vocabulary.gguf", "model-00001-of-00003.gguf", "layers", "experts")
    specs = [str(tmp_path / name) for name in names]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *specs], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seven, vocabulary, part, layers, experts = done.stdout.strip().splitlines()
    assert "1,000,000,000 layers" in layers and "1,000,000,000 experts" in experts
    assert "lacks 270 of its tensors" in seven
    assert "holds a vocabulary and no weights" in vocabulary
    assert "part 1 of 3" in part and "model-00002-of-00003.gguf" in part and "model-00003-of-00003.gguf" in part


@pytest.mark.parametrize(
    "shape", [["a", 10_000_000_000], [10**30, 10**30], [-1, 4], [True, 4], [1000, 1000], "ab", [[4], 4]], ids=str
)
def test_a_header_whose_shapes_cannot_be_is_half_written(tmp_path: Path, shape: object) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, 16]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(ModelCorrupt, match="half-written"):
        read_header(path)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "chat_template.jinja", "model.safetensors"])
def test_a_pipe_in_a_models_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    save_llama(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelCorrupt, match="is no file"):
        check_folder(tmp_path)


def test_a_pipe_is_no_gguf_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.gguf")
    with pytest.raises(ModelCorrupt):
        check_gguf(tmp_path / "model.gguf")


def test_a_whole_model_is_located(tmp_path: Path) -> None:
    save_llama(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    assert locate(str(tmp_path)).memory.parameters > 0


@pytest.mark.parametrize("kind", ["llava", "mistral3", "qwen2_5_vl", "qwen2_vl"])
def test_a_model_of_pictures_is_told_as_one(kind: str) -> None:
    with pytest.raises(ModelRefused, match="a language model with an encoder for pictures"):
        check_config("folder", {"model_type": kind, "architectures": ["LlavaForConditionalGeneration"]})
