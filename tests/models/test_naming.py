"""The same wish in other words is the same wish, and another one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import BadInput
from playground.models.catalogue import DEFAULT_MODEL, MODEL_VARIABLE
from playground.models.hardware import Gpu, Hardware
from playground.models.naming import ComparedModel, normal_names, read_compared

CPU = Hardware(cpu_bf16=True)
CUDA = Hardware(cuda=(Gpu(0, "a", 10**11, 10**11, True),), cpu_bf16=True)
Names = tuple[str | None, str | None, str | None]


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ((None, None, None), (None, None, None)),
        ((DEFAULT_MODEL, None, None), (None, None, None)),
        ((f" {DEFAULT_MODEL.upper()} ", "auto", ""), (None, None, None)),
        ((None, "cpu", None), (None, None, None)),
        ((None, "CPU", "torch.float32"), (None, None, None)),
        ((None, None, "fp32"), (None, None, None)),
        ((None, None, "bf16"), (None, None, "bfloat16")),
        (("openai-community/gpt2", None, None), ("gpt2", None, None)),
        (("openai-community/gpt2@main", None, None), ("openai-community/gpt2@main", None, None)),
        (("some/model", "cpu", "float32"), ("some/model", None, "float32")),  # a large one would be in bfloat16
        (("no such model", "cuda", "int3"), ("no such model", "cuda", "int3")),  # loading it says why not
    ],
)
def test_on_a_processor(given: Names, normal: Names) -> None:
    assert normal_names(*given, hardware=CPU) == normal
    assert normal_names(*normal, hardware=CPU) == normal


def test_on_a_gpu_the_processor_is_another_place() -> None:
    assert normal_names(None, "cpu", "float32", CUDA) == (None, "cpu", None)
    assert normal_names("some/model", "cuda:0", "bfloat16", CUDA) == ("some/model", None, None)


def test_a_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    for spelt in ("./model", str(folder), "./model/../model/"):
        assert normal_names(spelt, None, None, CPU) == (str(folder), None, None)
    monkeypatch.setenv(MODEL_VARIABLE, "./model")
    assert normal_names(str(folder), None, None, CPU) == (None, None, None)
    assert normal_names(DEFAULT_MODEL, None, None, CPU) == (DEFAULT_MODEL, None, None)


# -- a model to compare with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("@bf16", ComparedModel(dtype="bfloat16")),
        ("gpt2", ComparedModel("gpt2")),
        ("org/name@v1.0@float16", ComparedModel("org/name@v1.0", dtype="float16")),
        (" gpt2@CUDA:1@raw ", ComparedModel("gpt2", "cuda:1", None, chat=False)),
        ("@chat", ComparedModel(chat=True)),
        ("HTTP://box:80/v1/#m@chat", ComparedModel("http://box/v1#m", chat=True)),
    ],
)
def test_a_model_to_compare_with_is_one_word(text: str, model: ComparedModel) -> None:
    assert read_compared(text) == model == read_compared(model.text)


@pytest.mark.parametrize("text", ["", " ", "@bf16@float32", "@chat@raw", "x" * 301, "a\0b", "http://me:pw@box/v1@chat"])
def test_what_names_no_model_to_compare_with_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_compared(text)
    assert "pw" not in str(refused.value)


def test_what_is_not_said_is_as_in_the_model_in_use_but_not_of_another_model() -> None:
    use: Names = ("gpt2", "cpu", "float32")
    assert ComparedModel(dtype="bfloat16").names(*use) == ("gpt2", "cpu", "bfloat16")
    assert ComparedModel("pythia-70m").names(*use) == ("pythia-70m", None, None)
    assert ComparedModel(chat=True).names(*use) == use
    with pytest.raises(BadInput, match="runs where and as its server put it"):
        ComparedModel(dtype="bfloat16").names("http://box/v1", None, None)
