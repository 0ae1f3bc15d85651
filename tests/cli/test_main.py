"""The front door of the command line: usage errors, defects, and what a command does not import."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from playground import cli
from playground.errors import BadInput
from tests.cli.running import Capture, answer, refusal

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["--bogus"],
        ["--json"],
        ["next", "--bogus"],
        ["next", "stray"],
        ["next", "--top-p"],
        ["next", "--prompt", "a", "--prompt-file", "b"],
        ["next", "--promp", "a"],
        ["next", "a\nb"],
    ],
    ids=repr,
)
def test_bad_usage_is_one_line_that_names_the_help(capsys: Capture, arguments: list[str]) -> None:
    assert "--help" in refusal(capsys, *arguments)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(capsys: Capture, command: str) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert "usage: python -m playground" in capsys.readouterr().out


def _command_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(args: argparse.Namespace) -> int:
        raise error

    def add_parser(
        subparsers: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
    ) -> None:
        subparsers.add_parser("models", parents=[common]).set_defaults(run=run)

    monkeypatch.setattr("playground.cli.models.add_parser", add_parser)


def test_an_error_of_several_lines_becomes_one(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that(monkeypatch, BadInput("one\n  two\r\nthree"))
    assert refusal(capsys, "models") == "error: one two three"


def test_a_defect_is_one_line_too(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that(monkeypatch, RuntimeError("boom\nboom"))
    assert cli.main(["models"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "error: unexpected RuntimeError: boom boom; please report it with the command you ran"
    ]


def test_an_interrupt_ends_quietly(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that(monkeypatch, KeyboardInterrupt())
    assert refusal(capsys, "models").startswith("error: interrupted")


def test_a_real_process_exits_2_with_one_line_and_no_traceback() -> None:
    done = run("next", "--prompt", "a", "--temperature", "nan")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --temperature") and done.stderr.count("\n") == 1


def test_models_lists_the_catalogue_with_the_memory_each_needs(capsys: Capture) -> None:
    from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL

    rows = answer(capsys, "models", "--dtype", "bfloat16", "--device", "cpu")["models"]
    assert rows[0]["id"] == DEFAULT_MODEL
    assert {row["id"] for row in rows} >= set(CATALOGUE)
    for row in rows:
        assert row["device"] == "cpu" and row["dtype"] == "bfloat16"
        assert row["memory_bytes"] >= row["weights_bytes"] == 2 * row["parameters"]


def test_models_reads_as_a_table(capsys: Capture) -> None:
    assert cli.main(["models"]) == 0
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "here", "parameters", "device", "dtype", "memory", "needed", "licence"]
    assert first.startswith("smollm2-135m-instruct") and "GiB" in first
    assert len(rest) >= 5


@pytest.mark.parametrize("arguments", [("--device", "toaster"), ("--dtype", "int3")])
def test_models_refuses_a_device_or_dtype_that_is_not_here(capsys: Capture, arguments: tuple[str, str]) -> None:
    assert arguments[0].strip("-") in refusal(capsys, "models", *arguments)


@pytest.mark.parametrize("command", ["calc --help", "calc memory --config llama-3-8b", "models --help", "--help"])
def test_what_needs_no_model_imports_no_torch(command: str) -> None:
    script = (
        "import sys, json, contextlib, io\n"
        "from playground.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({command.split()!r})\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "playground" in loaded
    assert not loaded & {"torch", "transformers", "streamlit", "plotly", "pandas"}
