"""``train sft``, ``train reward``, ``train dpo``: their fields, their folders, their refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from playground.training.demonstrations import write_demonstrations
from playground.training.pairs import write_pairs
from tests.training.tiny_student import DEMONSTRATIONS, PAIRS, save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("cli") / "model")


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    for name, text in (("sft", write_demonstrations(DEMONSTRATIONS)), ("pairs", write_pairs(PAIRS))):
        (tmp_path / f"{name}.jsonl").write_text(text)
    return {"sft": str(tmp_path / "sft.jsonl"), **dict.fromkeys(("reward", "dpo"), str(tmp_path / "pairs.jsonl"))}


def trained(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["train", *words, "--json"]) == 0
    run: dict[str, Any] = json.loads(capsys.readouterr().out)
    return run


@pytest.mark.parametrize("kind", ["sft", "reward", "dpo"])
def test_the_fields_and_the_folder(
    kind: str, model: Path, data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [kind, "--model", str(model), "--dtype", "float32", "--data", data[kind], "--epochs", "2", "--rank", "4"]
    out = tmp_path / "out"
    run = trained(capsys, *words, "--learning-rate", "0.01", "--seed", "3", "--out", str(out))
    assert run["steps"] == len(run["train_loss"]) == 6 and run["folder"] == str(out) and run["seconds"] > 0
    assert run["heldout_loss"] < run["heldout_losses"][0]["loss"]
    assert (kind == "sft") or 0 <= run["heldout_accuracy"] <= 1
    assert run["trainable_parameters"] == 4 * 2 * (32 + 32 + 32 + 16) + (32 if kind == "reward" else 0)
    assert (out / ("model.safetensors" if kind == "reward" else "adapter_model.safetensors")).is_file()
    again = trained(capsys, *words, "--learning-rate", "0.01", "--seed", "3", "--out", str(tmp_path / "again"))
    assert again["train_loss"] == run["train_loss"]
    if kind == "sft":
        assert main(["next", "--model", str(model), "--adapter", str(out), "--ids", "5,6,7", "--json"]) == 0
    assert main(["train", *words, "--out", str(tmp_path / "third")]) == 0
    assert "holds step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--rank", "0"], "--rank"),
        (["--learning-rate", "nan"], "--learning-rate: learning_rate must be a number"),
        (["--learning-rate", "fast"], "--learning-rate must be a number"),
        (["--heldout", "2"], "--heldout: "),
        (["--targets", "c_attn"], "No layer of this model is called c_attn"),
        (["--data", "nowhere.jsonl"], "--data: 'nowhere.jsonl' cannot be read"),
        (["--model", "http://127.0.0.1:1/v1"], "a server's model gives no gradients"),
        (["--most-tokens", "16"], "rows are longer than 16 tokens"),
        (["--model", "org/model+a7f3c2e91b04*0.5"], "leave the adapter out"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_refusals_are_one_line_and_status_2(
    changes: list[str], said: str, model: Path, data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "train",
        "sft",
        "--model",
        str(model),
        "--dtype",
        "float32",
        "--data",
        data["sft"],
        "--out",
        str(tmp_path / "o"),
    ]
    assert main([*words, *changes]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and said in error


def test_a_folder_that_holds_something_is_not_written_into(
    model: Path, data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "dpo", "--model", str(model), "--data", data["dpo"], "--out", str(tmp_path)]) == 2
    assert "is there already and not empty" in capsys.readouterr().err
