"""``python -m playground calc``: the published numbers from the outside, one-line refusals, and no heavy imports."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.cli import calc, main

ROOT = Path(__file__).parents[2]


def _calc(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["calc", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out.count("\n") == 1
    answer: dict[str, Any] = json.loads(captured.out)
    return answer


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", "calc", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_as_a_process() -> None:
    done = _process("params", "--config", "Llama-2-7B", "--json")
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout)["total"] == 6_738_415_616
    refused = _process("loss", "--params", "nan", "--tokens", "1T")
    assert refused.returncode == 2 and refused.stdout == ""
    assert refused.stderr.startswith("error: --params") and refused.stderr.count("\n") == 1


# The least that cli.md promises of each command, with flags that it names.
LEAST = {
    ("params", "--config", "mixtral"): {"total", "active", "components"},
    ("memory", "--config", "llama-2-7b", "--dtype", "int8", "--context", "4096", "--batch", "2"): {
        "weights_bytes",
        "kv_bytes_per_token",
        "kv_bytes",
        "state_bytes",
        "total_bytes",
    },
    ("memory", "--config", "llama-2-7b", "--training", "adam", "--zero", "2", "--gpus", "8"): {
        "weights_bytes",
        "gradient_bytes",
        "optimizer_bytes",
        "activation_bytes",
        "total_bytes",
    },
    (
        "train",
        "--params",
        "7B",
        "--tokens",
        "1.4T",
        "--gpu",
        "H100 SXM",
        "--count",
        "8",
        "--mfu",
        "0.4",
        "--price",
        "2",
    ): {
        "flops",
        "seconds",
        "days",
        "gpu_hours",
        "cost_usd",
        "energy_kwh",
        "co2_kg",
    },
    ("train", "--params", "7e9", "--dataset-tokens", "1T", "--epochs", "2", "--gpu", "a100-80"): {"flops", "cost_usd"},
    ("optimal", "--flops", "5.76e23", "--law", "rule-20"): {"params", "tokens", "tokens_per_param", "loss", "law"},
    ("optimal", "--params", "70B", "--law", "hoffmann-printed"): {
        "params",
        "tokens",
        "tokens_per_param",
        "loss",
        "law",
    },
    ("loss", "--params", "7B", "--tokens", "1T", "--law", "hoffmann-tex"): {"loss"},
    ("lifetime", "--params", "30B", "--inference-tokens", "1e13", "--law", "sardana"): {
        "params",
        "train_tokens",
        "total_flops",
        "baseline_flops",
    },
    (
        "infer",
        "--config",
        "llama-3-8b",
        "--gpu",
        "h100 sxm",
        "--count",
        "2",
        "--dtype",
        "float16",
        "--batch",
        "4",
        "--prompt-tokens",
        "100",
        "--new-tokens",
        "50",
        "--price",
        "3",
    ): {"prefill_s", "decode_s_per_token", "tokens_per_s", "bound", "cost_per_million_tokens"},
}


@pytest.mark.parametrize("arguments", LEAST, ids=lambda arguments: " ".join(arguments[:4]))
def test_every_promised_key_is_there_as_a_number(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    answer = _calc(capsys, *arguments)
    assert LEAST[arguments] <= set(answer)
    for key in LEAST[arguments] - {"components", "law", "bound"}:
        assert isinstance(answer[key], int | float) and answer[key] >= 0
    assert answer.get("bound", "memory") in ("memory", "compute")


def test_params(capsys: pytest.CaptureFixture[str]) -> None:
    answer = _calc(capsys, "params", "--config", "mixtral-8x7b")
    assert answer["total"] == 46_702_792_704 == sum(answer["components"].values())
    assert answer["active"] == pytest.approx(12.88e9, rel=1e-3)


def test_params_from_a_file_with_a_check_on_the_meta_device(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    shapes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 40}
    path.write_text(json.dumps({"model_type": "qwen2", "intermediate_size": 9, "num_key_value_heads": 2, **shapes}))
    answer = _calc(capsys, "params", "--config", str(path), "--meta")
    assert answer["meta_total"] == answer["total"]
    path.write_text(json.dumps({"model_type": "opt", "ffn_dim": 8, "word_embed_proj_dim": 16, **shapes}))
    unknown = _calc(capsys, "params", "--config", str(path), "--meta")
    assert unknown["total"] == unknown["meta_total"] == sum(unknown["components"].values())


def test_memory(capsys: pytest.CaptureFixture[str]) -> None:
    answer = _calc(capsys, "memory", "--config", "jamba", "--context", "262144", "--dtype", "bfloat16")
    assert answer["kv_bytes"] == 4 * 2**30 and answer["state_bytes"] > 0
    parts = ("weights_bytes", "kv_bytes", "state_bytes")
    assert answer["total_bytes"] == sum(answer[name] for name in parts)
    trained = _calc(capsys, "memory", "--config", "llama-2-7b", "--training", "adam", "--zero", "3", "--gpus", "64")
    assert trained["optimizer_bytes"] == pytest.approx(12 * 6_738_415_616 / 64)
    assert {"gradient_bytes", "activation_bytes"} <= set(trained)
    fitted = _calc(capsys, "memory", "--config", "llama-2-70b", "--gpu", "a100-80")
    assert fitted["fits"] is False and fitted["advice"]


def test_train(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--params", "175B", "--gpu", "h100 nvl", "--count", "256", "--mfu", "0.4", "--price", "2")
    answer = _calc(capsys, "train", *flags, "--tokens", "300B")
    assert answer["flops"] == pytest.approx(3.15e23) and answer["days"] == pytest.approx(42.6, abs=0.1)
    assert answer["cost_usd"] == pytest.approx(answer["gpu_hours"] * 2) and answer["co2_kg"] > 0
    twice = _calc(capsys, "train", *flags, "--dataset-tokens", "150B", "--epochs", "2")
    assert twice == answer
    unpriced = _calc(capsys, "train", "--params", "1B", "--tokens", "20B", "--gpu", "b200")
    assert unpriced["cost_usd"] is None
    dated = _calc(capsys, "train", "--params", "1B", "--tokens", "20B", "--gpu", "a100")
    assert "2026" in dated["price_source"]


def test_optimal_loss_and_lifetime(capsys: pytest.CaptureFixture[str]) -> None:
    best = _calc(capsys, "optimal", "--flops", "5.76e23", "--law", "besiroglu")
    assert best["params"] == pytest.approx(72e9, rel=0.01) and best["tokens_per_param"] == pytest.approx(18.4, abs=0.05)
    again = _calc(capsys, "optimal", "--params", str(best["params"]), "--law", "besiroglu")
    assert again["tokens"] == pytest.approx(best["tokens"]) and again["law"] == "besiroglu"
    loss = _calc(capsys, "loss", "--params", str(best["params"]), "--tokens", str(best["tokens"]), "--law", "besiroglu")
    assert loss["loss"] == pytest.approx(best["loss"])
    life = _calc(capsys, "lifetime", "--params", "30B", "--inference-tokens", "1e13", "--law", "sardana")
    assert life["params"] == pytest.approx(13.6e9, rel=0.01)
    assert life["total_flops"] / life["baseline_flops"] == pytest.approx(0.72, abs=0.005)


def test_the_smallest_that_is_accepted_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--params", "1e18", "--tokens", "1e21", "--gpu", "l4", "--mfu", "1e-6")
    assert 0 < _calc(capsys, "train", *flags)["seconds"] < float("inf")
    assert _calc(capsys, "optimal", "--flops", "1")["loss"] > 100
    for law in ("rule-20", "hoffmann-printed", "hoffmann-tex", "sardana", "besiroglu"):
        life = _calc(capsys, "lifetime", "--params", "1", "--inference-tokens", "1T", "--law", law)
        assert 0 < life["params"] <= 1 and life["total_flops"] <= life["baseline_flops"]


def test_infer(capsys: pytest.CaptureFixture[str]) -> None:
    answer = _calc(capsys, "infer", "--config", "llama-3-8b", "--gpu", "h100 sxm", "--price", "3", "--batch", "1")
    assert answer["bound"] == "memory" and answer["tokens_per_s"] == pytest.approx(1 / answer["decode_s_per_token"])
    assert answer["cost_per_million_tokens"] == pytest.approx(3e6 / 3600 / answer["tokens_per_s"])
    assert answer["prefill_s"] > 0 and answer["fits"] is True


def test_the_table_shows_the_working(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calc", "train", "--params", "7B", "--tokens", "1T", "--gpu", "a100-80", "--count", "64"]) == 0
    shown = capsys.readouterr().out
    assert "6 · 7e9 · 1e12" in shown and "2001.08361" in shown and "gpu_hours" in shown
    assert main(["calc", "memory", "--config", "Mistral-7B"]) == 0
    assert "14.48 GB (13.49 GiB)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4", "--mfu", "1.2"], "--mfu"),
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4", "--price", "0"], "--price"),
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "h100"], "--gpu"),
        (["train", "--params", "7B", "--gpu", "l4"], "--tokens"),
        (["train", "--tokens", "7B", "--gpu", "l4"], "--params"),
        (["train", "--params", "7B", "--tokens", "1T", "--dataset-tokens", "1T", "--gpu", "l4"], "--dataset-tokens"),
        (["optimal"], "--flops"),
        (["optimal", "--flops", "1e22", "--params", "7B"], "--flops"),
        (["optimal", "--flops", "-1"], "--flops"),
        (["optimal", "--flops", "1e22", "--law", "newton"], "law"),
        (["loss", "--params", "7B"], "--tokens"),
        (["lifetime", "--params", "7B", "--inference-tokens", "many"], "--inference-tokens"),
        (["memory", "--config", "no-such"], "config"),
        (["memory", "--config", "mamba-130m", "--zero", "4"], "--zero"),
        (["memory", "--config", "mamba-130m", "--dtype", "float7"], "--dtype"),
        (["memory", "--config", "mamba-130m", "--context", "1e30"], "--context"),
        (["memory", "--config", "missing.json"], "config"),
        (["infer", "--config", "mamba-130m", "--gpu", "abacus"], "--gpu"),
        (["infer", "--config", "mamba-130m", "--gpu", "l4", "--batch", "0"], "--batch"),
        (["infer", "--config", "mamba-130m", "--gpu", "l4", "--count", "1.5"], "--count"),
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4", "--mfu", "5e-324"], "--mfu"),
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4", "--mfu", "nan"], "--mfu"),
        (["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4", "--price", "inf"], "--price"),
        (["train", "--params", "0.5", "--tokens", "1T", "--gpu", "l4"], "--params"),
        (["train", "--params", "7B", "--tokens", "1e-300", "--gpu", "l4"], "--tokens"),
        (["train", "--params", "7B", "--dataset-tokens", "1e-300", "--gpu", "l4"], "--dataset-tokens"),
        (["optimal", "--flops", "5e-324"], "--flops"),
        (["optimal", "--params", "1e-300"], "--params"),
        (["loss", "--params", "1e-9", "--tokens", "1T"], "--params"),
        (["lifetime", "--params", "1e-9", "--inference-tokens", "1T"], "--params"),
        (["lifetime", "--params=--", "--inference-tokens", "1T"], "--params"),
        (["memory", "--config=--"], "config"),
        (["memory", "--config", "mamba-130m", "--context=--"], "--context"),
        (["memory", "--config", "mamba-130m", "--zero=--"], "--zero"),
        (["infer", "--config", "mamba-130m", "--gpu=--"], "--gpu"),
        (["optimal", "--flops", "1e22", "--law=--"], "law"),
        (["params"], "--config"),
        ([], "COMMAND"),
        (["divine"], "divine"),
    ],
)
def test_refusals_are_one_line_naming_the_flag(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(["calc", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert says in captured.err and "Traceback" not in captured.err and "unexpected" not in captured.err


def test_shared_options_of_the_same_name_do_not_get_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true")
    common.add_argument("--dtype", default="auto")
    parser = argparse.ArgumentParser()
    calc.add_parser(parser.add_subparsers(), common)
    for command in (["memory"], ["infer", "--gpu", "l4"]):
        args = parser.parse_args(["calc", *command, "--config", "gpt-2-small", "--dtype", "int8", "--json"])
        assert args.dtype == "int8" and args.run(args) == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert common.parse_args(["--dtype", "x"]).dtype == "x"


@pytest.mark.parametrize("command", ["", *calc.COMMANDS])
def test_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as done:
        main(["calc", *command.split(), "--help"])
    assert done.value.code == 0 and "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["params", "--config", "Llama-3.1-405B"],
        ["memory", "--config", "DeepSeek-V3", "--gpu", "h200"],
        ["train", "--params", "7B", "--tokens", "1T", "--gpu", "l4"],
        ["lifetime", "--params", "7B", "--inference-tokens", "1T"],
        ["infer", "--config", "Jamba-v0.1", "--gpu", "h200"],
    ],
)
def test_nothing_heavy_is_imported(command: list[str]) -> None:
    code = (
        "import sys; from playground.cli import main; main(['calc', *sys.argv[1:]]); "
        "sys.exit(','.join(sorted({'torch', 'numpy', 'scipy', 'pandas', 'pydantic', 'streamlit', 'transformers', "
        "'genai_prices'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == ""
