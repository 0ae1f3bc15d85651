"""Loading real files of tiny models, and every way a model can be unfit, each in one sentence."""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.errors import BadInput, ModelCorrupt, ModelError, ModelNotFound, ModelRefused, ModelTooLarge
from playground.models import loading
from playground.models.catalogue import ModelSource
from playground.models.hardware import Hardware
from playground.models.loading import load, unload
from tests.engine.architectures import small_model
from tests.models.tiny import (
    VOCABULARY,
    edit_config,
    save_gguf,
    save_gpt2,
    save_llama,
    save_mamba,
    save_t5,
    tiny_tokenizer,
)

GB = 10**9
MACHINE = Hardware(ram_available_bytes=4 * GB)
IDS = torch.tensor([[5, 9, 30, 2]])


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    save_llama(tmp_path / "llama")
    return tmp_path / "llama"


@pytest.mark.parametrize("save", [save_llama, save_gpt2])
def test_a_folder_loads_as_what_was_saved(tmp_path: Path, save: Callable[[Path], torch.nn.Module]) -> None:
    saved = save(tmp_path / "model")
    loaded = load(str(tmp_path / "model"), hardware=MACHINE)
    with torch.inference_mode():
        assert torch.equal(loaded.model(IDS).logits, saved(IDS).logits)
    assert not loaded.model.training
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert loaded.tokenizer("the cat").input_ids == tiny_tokenizer()("the cat").input_ids
    assert loaded.has_attention


def test_the_facts_of_a_model(llama: Path) -> None:
    info = load(str(llama), hardware=MACHINE).info
    saved = load_file(llama / "model.safetensors")
    assert (info.architecture, info.device, info.dtype) == ("LlamaForCausalLM", "cpu", "float32")
    assert info.parameters == sum(tensor.numel() for tensor in saved.values())
    assert info.weights_bytes == 4 * info.parameters
    assert (info.vocab_size, info.context_length, info.layers) == (VOCABULARY, 64, 2)
    assert (info.heads, info.kv_heads, info.head_dim, info.hidden_size) == (4, 2, 4, 16)
    assert info.eos_token_ids == (0, 7)
    assert (info.name, info.has_chat_template) == ("llama", False)


def test_the_revision_changes_with_weights_dtype_and_folder(llama: Path, tmp_path: Path) -> None:
    first = load(str(llama), hardware=MACHINE).info.revision
    assert load(str(llama), hardware=MACHINE).info.revision == first
    assert load(str(llama), hardware=MACHINE, dtype="bfloat16").info.revision != first
    save_llama(llama, seed=1)
    assert load(str(llama), hardware=MACHINE).info.revision != first


def test_dtype_and_attention_as_asked(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(str(llama), hardware=MACHINE, dtype="bfloat16", attn_implementation="eager")
    assert loaded.attn_implementation == "eager"
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.bfloat16}
    assert loaded.model(IDS, output_attentions=True).attentions[0].shape == (1, 4, 4, 4)
    assert load(str(llama), hardware=MACHINE).attn_implementation == "sdpa"
    monkeypatch.setenv("PLAYGROUND_DTYPE", "float16")
    assert load(str(llama), hardware=MACHINE).info.dtype == "float16"
    with pytest.raises(BadInput, match="choose one of cpu"):
        load(str(llama), hardware=MACHINE, device="cuda")


@pytest.mark.parametrize("kind", ["mistral", "mixtral", "ministral"])
def test_a_mistral_reads_its_tokenizer_json(tmp_path: Path, kind: str) -> None:
    """Whether or not mistral-common is installed, and with what of it."""
    small_model(kind).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    tokenizer = loading.read_tokenizer(ModelSource("folder", kind, path=tmp_path), tmp_path)
    assert tokenizer("the cat")["input_ids"] == tiny_tokenizer()("the cat")["input_ids"]


def test_an_attention_that_does_not_exist_is_bad_input(llama: Path) -> None:
    with pytest.raises(BadInput, match="eager"):
        load(str(llama), hardware=MACHINE, attn_implementation="telepathy")


def test_shards_load(tmp_path: Path) -> None:
    saved = save_llama(tmp_path / "sharded", shard="12KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 2
    loaded = load(str(tmp_path / "sharded"), hardware=MACHINE)
    with torch.inference_mode():
        assert torch.equal(loaded.model(IDS).logits, saved(IDS).logits)


def test_a_gguf_file_loads_as_the_model_it_was_made_from(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved = save_llama(tmp_path / "llama")
    save_gguf(tmp_path / "tiny.gguf", saved)
    capfd.readouterr()
    loaded = load(str(tmp_path / "tiny.gguf"), hardware=MACHINE)
    with torch.inference_mode():
        assert torch.allclose(loaded.model(IDS).logits, saved(IDS).logits, atol=1e-6)
    assert loaded.tokenizer("the cat").input_ids == tiny_tokenizer()("the cat").input_ids
    assert (loaded.info.name, loaded.info.layers, loaded.info.eos_token_ids[0]) == ("tiny", 2, 0)
    assert capfd.readouterr() == ("", "")


def test_a_model_without_attention_says_so(tmp_path: Path) -> None:
    save_mamba(tmp_path / "mamba")
    loaded = load(str(tmp_path / "mamba"), hardware=MACHINE)
    assert not loaded.has_attention
    assert (loaded.info.heads, loaded.info.head_dim, loaded.info.layers) == (0, 0, 2)
    assert loaded.model(IDS).logits.shape == (1, 4, VOCABULARY)


def test_loading_is_quiet_and_reports_progress(llama: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(str(llama), hardware=MACHINE, progress=lambda what, fraction: steps.append(fraction))
    assert capfd.readouterr() == ("", "")
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_unload_lets_go_of_the_weights(llama: Path) -> None:
    import weakref

    loaded = load(str(llama), hardware=MACHINE)
    weight = weakref.ref(next(loaded.model.parameters()))
    unload(loaded)
    assert weight() is None
    unload(loaded)


def test_too_large_is_said_before_any_weight_is_read(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*args: object, **kwargs: object) -> None:
        raise AssertionError("weights were read")

    monkeypatch.setattr(loading, "_load_weights", read)
    small = Hardware(ram_available_bytes=600_000)
    with pytest.raises(ModelTooLarge, match=r"needs about \d+ MB \(\d+ MiB\) in float32 and cpu has 1 MB") as caught:
        load(str(llama), hardware=small)
    assert caught.value.available_bytes == 600_000
    assert caught.value.needed_bytes > 600_000


Damage = Callable[[Path], None]


def _write(name: str, content: bytes | str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return damage


def _remove(*names: str) -> Damage:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def _configure(**changes: object) -> Damage:
    return lambda folder: edit_config(folder, **changes)


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _cut_header(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:50])


def _bad_offsets(folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": "x"}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)


def _drop_tensor(folder: Path) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, file, metadata={"format": "pt"})


def _add_bias(folder: Path) -> None:
    file = folder / "model.safetensors"
    bias = {"model.layers.0.mlp.up_proj.bias": torch.ones(32)}
    save_file(load_file(file) | bias, file, metadata={"format": "pt"})


def _pickle_only(folder: Path) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def _only_index(content: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(content)

    return damage


def _only_tekken(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "tekken.json")


def _adapter(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")


UNFIT: dict[str, tuple[Damage, type[ModelError], str]] = {
    "no config": (_remove("config.json"), ModelNotFound, "There is no model at"),
    "config no json": (_write("config.json", "{oops"), ModelCorrupt, "cannot be read"),
    "config no utf-8": (_write("config.json", b"\xff\xfe"), ModelCorrupt, "cannot be read"),
    "config a list": (_write("config.json", "[]"), ModelCorrupt, "no settings"),
    "unknown type": (_configure(model_type="frobnicator"), ModelCorrupt, "does not know"),
    "type no text": (_configure(model_type=["llama"]), ModelCorrupt, "does not know"),
    "absurd sizes": (_configure(hidden_size=-3), ModelCorrupt, "cannot be loaded"),
    "sizes of another": (_configure(hidden_size=32, head_dim=8), ModelCorrupt, "llama"),
    "fewer layers": (_configure(num_hidden_layers=1), ModelCorrupt, r"no place for, 'model\.layers\.1\."),
    "no layers": (_configure(num_hidden_layers=0), ModelCorrupt, r"no place for, 'model\.layers\.0\."),
    "layers below none": (_configure(num_hidden_layers=-1), ModelCorrupt, r"no place for, 'model\.layers\.0\."),
    "many layers": (_configure(num_hidden_layers=100_000), ModelCorrupt, "asks for 100,000 layers"),
    "a bias too many": (_add_bias, ModelCorrupt, r"no place for, 'model\.layers\.0\.mlp\.up_proj\.bias' first"),
    "wider than memory": (_configure(hidden_size=10**9), ModelCorrupt, "describes 893,000,000,000 parameters"),
    "quantised and not there": (
        _configure(hidden_size=4096, head_dim=1024, quantization_config={"quant_method": "mxfp4"}),
        ModelCorrupt,
        "weight files hold",
    ),
    "an end that is no number": (
        _write("generation_config.json", '{"eos_token_id": "x"}'),
        ModelCorrupt,
        "'x', no number",
    ),
    "a file of an endless name": (_only_index(json.dumps({"weight_map": {"a": "x" * 5000}})), ModelCorrupt, "lacks 1"),
    "remote code": (_configure(auto_map={"AutoModelForCausalLM": "evil.Model"}), ModelRefused, "own Python code"),
    "code file": (_write("modeling_evil.py", "import os"), ModelRefused, "own Python code"),
    "pickle only": (_pickle_only, ModelRefused, "pickled"),
    "no weights": (_remove("model.safetensors"), ModelCorrupt, "no weights"),
    "empty weights": (_write("model.safetensors", b""), ModelCorrupt, "half-written"),
    "cut off": (_cut, ModelCorrupt, "half-written"),
    "header cut off": (_cut_header, ModelCorrupt, "half-written"),
    "header no json": (_write("model.safetensors", struct.pack("<Q", 8) + b"{'no': 1"), ModelCorrupt, "half-written"),
    "header bomb": (_write("model.safetensors", struct.pack("<Q", 2**62) + b"{}"), ModelCorrupt, "half-written"),
    "bad offsets": (_bad_offsets, ModelCorrupt, "half-written"),
    "tensor missing": (_drop_tensor, ModelCorrupt, "lacks 1 of its tensors"),
    "no tokenizer": (_remove("tokenizer.json", "tokenizer_config.json"), ModelCorrupt, "no tokenizer"),
    "tokenizer of Mistral's": (_only_tekken, ModelRefused, r"Mistral's own format \(tekken\.json\) alone"),
    "bad tokenizer": (_write("tokenizer.json", "{}"), ModelCorrupt, "tokenizer"),
    "bad index": (_only_index("[]"), ModelCorrupt, "list of weight files"),
    "index elsewhere": (_only_index('{"weight_map": {"a": "../secret"}}'), ModelCorrupt, "list of weight files"),
    "only an adapter": (_adapter, ModelCorrupt, "no weights"),
    "tokenizer code": (_write("tokenizer_config.json", '{"auto_map": {"a": "b"}}'), ModelRefused, "own Python code"),
    "not a text model": (_configure(architectures=["LlamaForTokenClassification"]), ModelRefused, "does not continue"),
    "vision model": (_configure(model_type="vit"), ModelRefused, "does not continue"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_model_is_refused_in_one_sentence(llama: Path, case: str) -> None:
    damage, kind, words = UNFIT[case]
    damage(llama)
    with pytest.raises(ModelError, match=words) as caught:
        load(str(llama), hardware=MACHINE)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert message.endswith(".")
    assert len(message) < 400
    assert "\n" not in message


def test_a_limit_that_is_no_number_is_none(llama: Path) -> None:
    _write("tokenizer_config.json", '{"model_max_length": "long"}')(llama)
    loaded = load(str(llama), device="cpu", dtype="float32")
    assert loaded.tokenizer("the cat")["input_ids"] and loaded.info.context_length == 64


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    save_llama(tmp_path / "sharded", shard="12KB")
    gone = sorted((tmp_path / "sharded").glob("*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(ModelCorrupt, match=gone.name):
        load(str(tmp_path / "sharded"), hardware=MACHINE)


def test_an_encoder_decoder_is_refused(tmp_path: Path) -> None:
    save_t5(tmp_path / "t5")
    with pytest.raises(ModelRefused, match="decoder-only"):
        load(str(tmp_path / "t5"), hardware=MACHINE)


def test_pickles_are_never_opened_even_beside_good_weights(llama: Path) -> None:
    (llama / "pytorch_model.bin").write_bytes(b"not even a pickle")
    assert load(str(llama), hardware=MACHINE).info.parameters > 0


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="There is no model at"):
        load(str(tmp_path), hardware=MACHINE)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 64, b"PK\x03\x04" + b"0" * 100])
def test_a_broken_gguf_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"not a whole \.gguf file"):
        load(str(tmp_path / "model.gguf"), hardware=MACHINE)


def test_a_hub_model_offline_is_not_found_at_once() -> None:
    with pytest.raises(ModelNotFound, match="HF_HUB_OFFLINE"):
        load("nobody/nothing-here", hardware=MACHINE)
