"""What the repository's files must not say, and what they must: no machine's name, the one test command, pinned versions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


TEXTS = {".py", ".md", ".toml", ".txt", ".js", ".css", ".json", ".yml", ".yaml", ".cfg", ".sh", ""}


def tracked() -> list[Path]:
    """The repository's text files; without git, those of the source folders."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        files = [ROOT / line for line in listed.stdout.split("\0") if line]
    else:
        files = [p for p in ROOT.rglob("*") if not {".venv", ".cache", "artifacts"} & set(p.parts)]
    return [path for path in files if path.is_file() and path.suffix in TEXTS]


def test_nothing_names_a_machine_its_folders_or_a_registry() -> None:
    slash = "/"
    forbidden = {
        "an absolute home or work folder": re.compile(rf"(?<![\w.:~-]){slash}(?:work|home|root|Users){slash}[\w.]"),
        "a registry's host": re.compile(
            r"(?:pypi|files\.pythonhosted|registry\.npmjs|download\.pytorch)\.org|index-url", re.I
        ),
        "an address inside a private network": re.compile(
            r"\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b"
        ),
    }
    mentions = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        mentions += [
            f"{name(path)}: {what}: {m.group()}" for what, rule in forbidden.items() for m in rule.finditer(text)
        ]
    assert not mentions, "\n".join(mentions)


def test_ci_runs_the_documented_test_command() -> None:
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()[-1]
    assert command == "make test"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: check unit real pages e2e$", makefile, re.M), "make test leaves something out"
    assert {"unit", "real", "e2e", "check"} <= set(re.findall(r"^(\w+):", makefile, re.M))
    parts = ('-m "not e2e and not model"', '-m "model and not e2e"', "-m e2e")
    assert all(part in makefile for part in parts), "the parts do not add up to all tests"
    readme = ROOT / "README.md"
    assert not readme.exists() or command in readme.read_text(encoding="utf-8")


def test_requirements_are_pinned() -> None:
    for file in (
        "requirements.txt",
        "requirements-torch.txt",
        "requirements-dev.txt",
        "requirements-model.txt",
        "requirements-llamacpp.txt",
        "requirements-g2p.txt",
        "requirements-tokenizers.txt",
    ):
        lines = [line.split("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
        wanted = [line for line in lines if line and not line.startswith("-r ")]
        assert wanted and all(re.fullmatch(r"[\w.\[\]-]+==[\w.+]+(\s*;.*)?", line) for line in wanted), (file, wanted)


@pytest.mark.parametrize("kind", ["", "-dev", "-model", "-llamacpp", "-g2p", "-tokenizers"])
def test_the_lock_has_a_hash_for_all_but_torch_and_what_was_asked_for(kind: str) -> None:
    text = (ROOT / f"requirements{kind}.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    locked = {block.split(" ")[0].lower().replace("_", "-") for block in blocks if "--hash=sha256:" in block}
    assert all("--hash=sha256:" in block for block in blocks) and "://" not in text
    assert not {pin for pin in locked if re.match(r"torch==|nvidia-|cuda-|triton", pin)}
    asked = re.findall(r"^([\w.-]+)(?:\[.*\])?(==[\w.]+)", (ROOT / f"requirements{kind}.txt").read_text("utf-8"), re.M)
    assert {(name + pin).lower().replace("_", "-") for name, pin in asked} <= locked


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    steps = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.M)
    assert steps is not None
    hooks = re.findall(r"entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert hooks == [line.strip().replace("$(BIN)", ".venv/bin") for line in steps.group(1).splitlines()]
