"""Names with an adapter in them, folders as PEFT writes them and as strangers do, and zips that are not to be trusted."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from playground.errors import BadInput, ModelCorrupt, ModelNotFound, ModelRefused, PlaygroundError
from playground.models import adapter_files
from playground.models.adapter_files import adapter_zip, install_adapter, list_adapters
from playground.models.adapter_names import AdapterName, read_strength, split_adapter, with_adapter, without_adapter
from playground.models.adapters import find_adapter, fits, read_adapter, require_base
from playground.models.catalogue import ModelSource, resolve
from playground.models.low_rank import read_factors
from playground.models.naming import base_names, normal_names, read_compared
from playground.store.adapters import CONFIG, WEIGHTS, delete_adapter, kept_folder, new_adapter
from tests.models.tiny import save_llama

CONFIG_OF_PEFT: dict[str, Any] = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "r": 2,
    "lora_alpha": 4,
    "bias": "none",
    "target_modules": ["q_proj"],
    "base_model_name_or_path": "org/base",
    "auto_mapping": None,
    "modules_to_save": None,
}
MODULE = "base_model.model.model.layers.0.self_attn.q_proj"


def write_adapter(folder: Path, config: object = None, tensors: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(CONFIG_OF_PEFT if config is None else config))
    factors = {
        f"{MODULE}.lora_A.weight": np.ones((2, 6), np.float32),
        f"{MODULE}.lora_B.weight": np.ones((8, 2), np.float32),
    }
    save_file(factors if tensors is None else tensors, folder / WEIGHTS)
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+a7f3c2e91b04", AdapterName("", "a7f3c2e91b04")),
        ("org/model@v2+a7f3c2e91b04*0.25", AdapterName("org/model@v2", "a7f3c2e91b04", 0.25)),
        ("gpt2+/tmp/c++/adapter*1*merged", AdapterName("gpt2", "/tmp/c++/adapter", 1.0, True)),
        ("+~/a*merged", AdapterName("", "~/a", 1.0, True)),
        ("gpt2", None),
        (None, None),
        ("http://host:1/v1#a+b", None),
        ("http://host:1/v1+a7f3c2e91b04*0.5", AdapterName("http://host:1/v1", "a7f3c2e91b04", 0.5)),
    ],
)
def test_a_name_says_base_adapter_and_strength(text: str | None, expected: AdapterName | None) -> None:
    assert split_adapter(text) == expected
    if expected is not None:
        assert split_adapter(expected.text) == expected


def test_a_folder_with_a_plus_sign_is_a_base(tmp_path: Path) -> None:
    base = tmp_path / "c++" / "model"
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}")
    assert split_adapter(str(base)) is None and resolve(str(base)).adapter is None
    assert split_adapter(f"{base}+a/b+c") == AdapterName(str(base), "a/b+c")
    assert without_adapter(f"{base}+x*0.5") == str(base)


def test_another_adapter_or_strength_takes_the_place_of_the_former() -> None:
    assert with_adapter("gpt2+x*0.5", "y", 1.25) == "gpt2+y*1.25"
    assert with_adapter(None, "y") == "+y" and without_adapter("+y") is None
    assert with_adapter("gpt2", "y", 0.1 + 0.2) == "gpt2+y*0.3"


@pytest.mark.parametrize("strength", ["-0.1", "1.6", "nan", "inf", "1e9"])
def test_a_strength_out_of_range_is_refused(strength: str) -> None:
    with pytest.raises(BadInput, match="from 0 to 1.5"):
        read_strength(strength)


def test_names_of_the_same_wish_are_one(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_MODEL", raising=False)
    folder = write_adapter(tmp_path / "adapter")
    long = f"smollm2-135m-instruct+{tmp_path}/./adapter*1.0"
    assert normal_names(long, None, None)[0] == f"+{folder}"
    assert normal_names(f"+{folder}*0.50", None, None)[0] == f"+{folder}*0.5"
    assert base_names(f"gpt2+{folder}", None, None) == ("gpt2", None, None) and base_names("gpt2", None, None) is None
    assert base_names(f"+{folder}", None, None) == (None, None, None)
    monkeypatch.setenv("PLAYGROUND_MODEL", f"gpt2+{folder}*0.5")  # what is meant without a name
    assert normal_names(f"gpt2+{folder}*0.5", None, None)[0] is None
    assert base_names(None, None, None) == ("gpt2", None, None)
    assert normal_names("gpt2", None, None)[0] == "gpt2"  # without the adapter
    assert normal_names(f"+{folder}", None, None)[0] == f"+{folder}" and resolve("+x").hub_id == resolve("gpt2").hub_id


def test_beside_the_model_in_use_an_adapter_is_on_its_base() -> None:
    pinned = read_compared("+a7f3c2e91b04*0.5@chat")
    assert (pinned.spec, pinned.chat, pinned.text) == ("+a7f3c2e91b04*0.5", True, "+a7f3c2e91b04*0.5@chat")
    assert pinned.names("gpt2+other*0.1", "cpu", "bfloat16") == ("gpt2+a7f3c2e91b04*0.5", "cpu", "bfloat16")
    assert read_compared("@bf16").names("gpt2+x", None, None) == ("gpt2+x", None, "bfloat16")


# -- folders -----------------------------------------------------------------------------------------------------------


def test_what_a_folder_says(tmp_path: Path) -> None:
    adapter = read_adapter(write_adapter(tmp_path / "mine"))
    layer = adapter.layers[0]
    assert (adapter.name, adapter.base, adapter.rank, adapter.targets) == ("mine", "org/base", 2, ("q_proj",))
    assert (layer.module, layer.inputs, layer.outputs, layer.scale) == ("model.layers.0.self_attn.q_proj", 6, 8, 2.0)
    assert adapter.parameters == 2 * (6 + 8)


REFUSED: list[tuple[dict[str, Any], type[PlaygroundError], str]] = [
    ({"r": 0}, BadInput, "rank of at least 1"),
    ({"r": "8"}, BadInput, "rank"),
    ({"r": 3}, ModelCorrupt, "not of the rank"),
    ({"lora_alpha": None}, ModelCorrupt, "lora_alpha"),
    ({"peft_type": "IA3"}, ModelRefused, "'IA3'"),
    ({"peft_type": None}, ModelRefused, "only LoRA"),
    ({"task_type": "SEQ_CLS"}, ModelRefused, "not to continue text"),
    ({"bias": "all"}, ModelRefused, "biases"),
    ({"use_dora": True}, ModelRefused, "DoRA"),
    ({"modules_to_save": ["lm_head"]}, ModelRefused, "whole modules"),
    ({"auto_map": {"AutoModel": "x.Y"}}, ModelRefused, "Python code"),
]


@pytest.mark.parametrize(("changes", "error", "words"), REFUSED)
def test_a_config_that_is_not_run_here(
    tmp_path: Path, changes: dict[str, Any], error: type[PlaygroundError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_adapter(write_adapter(tmp_path / "a", CONFIG_OF_PEFT | changes))


def _break(folder: Path, how: str) -> None:
    match how:
        case "config":
            (folder / CONFIG).write_text("{")
        case "list":
            (folder / CONFIG).write_text("[]")
        case "long":
            (folder / CONFIG).write_text(" " * 1_000_001)
        case "pickle":
            (folder / WEIGHTS).rename(folder / "adapter_model.bin")
        case "none":
            (folder / WEIGHTS).unlink()
        case "cut":
            (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1])
        case "code":
            (folder / "modeling.py").write_text("print()")
        case "pipe":
            (folder / CONFIG).unlink()
            os.mkfifo(folder / CONFIG)
        case "gone":
            (folder / CONFIG).unlink()


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("config", ModelCorrupt, "cannot be read"),
        ("list", ModelCorrupt, "cannot be read"),
        ("long", ModelCorrupt, "cannot be read"),
        ("pickle", ModelRefused, "pickled"),
        ("none", ModelCorrupt, "no weights"),
        ("cut", ModelCorrupt, "half-written"),
        ("code", ModelRefused, "Python code"),
        ("pipe", ModelNotFound, "gone"),
        ("gone", ModelNotFound, "gone"),
    ],
)
def test_broken_folders(tmp_path: Path, how: str, error: type[PlaygroundError], words: str) -> None:
    folder = write_adapter(tmp_path / "a")
    _break(folder, how)
    with pytest.raises(error, match=words):
        read_adapter(folder)


@pytest.mark.parametrize(
    "name",
    [
        f"{MODULE}.lora_A.weight",  # without its B
        "base_model.model.model.embed_tokens.lora_embedding_A",
        "base_model.model.score.modules_to_save.weight",
        f"{MODULE}.lora_magnitude_vector",
    ],
)
def test_tensors_that_are_no_pair_of_factors(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelCorrupt, match="no factor|do not match"):
        read_adapter(write_adapter(tmp_path / "a", tensors={name: np.ones((2, 6), np.float32)}))


def test_factors_that_do_not_multiply_and_such_that_are_no_numbers(tmp_path: Path) -> None:
    pair = {
        f"{MODULE}.lora_A.weight": np.ones((2, 6), np.float32),
        f"{MODULE}.lora_B.weight": np.ones((8, 2), np.float32),
    }
    wrong = pair | {f"{MODULE}.lora_B.weight": np.ones((8, 3), np.float32)}
    with pytest.raises(ModelCorrupt, match="do not match"):
        read_adapter(write_adapter(tmp_path / "a", tensors=wrong))
    pair[f"{MODULE}.lora_B.weight"][3, 1] = np.nan
    adapter = read_adapter(write_adapter(tmp_path / "b", tensors=pair))
    with pytest.raises(ModelCorrupt, match="no number .* smaller learning rate"):
        read_factors(adapter)
    (adapter.folder / WEIGHTS).unlink()
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        read_factors(adapter)


def test_an_adapter_that_is_not_there(data: Path) -> None:
    for name in ("a7f3c2e91b04", "/nowhere/at/all", "..", "x\0y"):
        with pytest.raises(ModelNotFound, match="There is no adapter"):
            find_adapter(AdapterName("", name))


def test_which_base(tmp_path: Path) -> None:
    save_llama(tmp_path / "one")
    save_llama(tmp_path / "two")
    hub = ModelSource("hub", "org/base", hub_id="Org/Base")
    bundled = resolve("smollm2-135m-instruct")
    one, two = resolve(str(tmp_path / "one")), resolve(str(tmp_path / "two"))
    for stated, good, bad in [
        ("org/base", [hub, one], [bundled]),
        ("smollm2-135m-instruct", [bundled, one], [hub]),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", [bundled], [hub]),
        (str(tmp_path / "one"), [one, hub], [two]),
        ("/was/elsewhere", [one, two, hub], []),
        (None, [one, two, hub, bundled], []),
    ]:
        adapter = read_adapter(write_adapter(tmp_path / "a", CONFIG_OF_PEFT | {"base_model_name_or_path": stated}))
        assert all(fits(adapter, source) for source in good), stated
        for source in bad:
            with pytest.raises(BadInput, match="was trained on"):
                require_base(adapter, source)


# -- kept here ---------------------------------------------------------------------------------------------------------


def test_adapters_are_their_owners_and_listed_newest_first(data: Path) -> None:
    first, second = (write_adapter(new_adapter("me", name)) for name in ("one", "two\n lines"))
    new_adapter("me", "has no weights yet")
    broken = write_adapter(new_adapter("me", "broken"))
    _break(broken, "config")
    assert [adapter.name for adapter in list_adapters("me")] == ["two lines", "one"]
    assert list_adapters("other") == ()
    stored = find_adapter(AdapterName("", first.name))
    assert (stored.id, stored.name, stored.folder) == (first.name, "one", first.resolve())
    assert not delete_adapter("other", first.name) and delete_adapter("me", first.name)
    assert kept_folder(first.name) is None and kept_folder(second.name) is not None
    assert kept_folder("../../etc") is None


def test_a_zip_there_and_back(data: Path, tmp_path: Path) -> None:
    packed = adapter_zip(write_adapter(tmp_path / "a"))
    adapter = install_adapter("me", packed, "my tone.zip")
    assert adapter.name == "my tone" and list_adapters("me") == (adapter,)
    assert (adapter.folder / WEIGHTS).read_bytes() == (tmp_path / "a" / WEIGHTS).read_bytes()


Members = list[tuple[str, str]]
HOSTILE: list[tuple[Members, str]] = [
    ([(f"../../{CONFIG}", "{}")], "lie elsewhere"),
    ([(f"/tmp/{CONFIG}", "{}")], "lie elsewhere"),
    ([(f"C:\\{CONFIG}", "{}")], "lie elsewhere"),
    ([("link", "/etc/passwd")], "lie elsewhere"),
    ([("modeling.py", "x")], "Python code"),
    ([(f"a/{CONFIG}", "{}"), (f"b/{CONFIG}", "{}")], "more than one"),
    ([(CONFIG, "{}"), ("adapter_model.bin", "x")], "pickled"),
    ([(WEIGHTS, "x")], f"no {CONFIG}"),
    ([(f"{number}", "") for number in range(300)], "300 files"),
    ([(CONFIG, " " * 2_000_000), (WEIGHTS, "x")], "more than 1,000,000"),
    ([(CONFIG, "{}"), (WEIGHTS, "\0" * 200_000)], "more than 100,000"),
    ([(CONFIG, "{}"), (WEIGHTS, "x")], "only LoRA"),
]


@pytest.mark.parametrize(("members", "words"), HOSTILE)
def test_zips_of_strangers(data: Path, monkeypatch: pytest.MonkeyPatch, members: Members, words: str) -> None:
    monkeypatch.setattr(adapter_files, "MOST_BYTES", 100_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o120777 if name == "link" else 0o100644) << 16
            file.writestr(member, content)
    with pytest.raises(PlaygroundError, match=words):
        install_adapter("me", packed.getvalue(), "x.zip")
    assert not list((data / "adapters").glob("*")), "nothing stays"


@pytest.mark.parametrize("given", [b"", b"no zip", b"PK\x03\x04" + b"x" * 50])
def test_what_is_no_zip(data: Path, given: bytes) -> None:
    with pytest.raises(BadInput, match="no zip that can be read"):
        install_adapter("me", given, "x.zip")


def test_a_data_folder_that_cannot_be_written(data: Path, tmp_path: Path) -> None:
    packed = adapter_zip(write_adapter(tmp_path / "a"))
    data.write_text("a file stands in its place")
    with pytest.raises(PlaygroundError, match="cannot be kept"):
        install_adapter("me", packed, "x.zip")
