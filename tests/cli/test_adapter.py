"""``--adapter`` on the commands: the base's answer at 0, another one at 1, one copy of the weights beside, every refusal."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from playground.cli import build_parser, main
from playground.models.loading import LoadedModel, read
from playground.models.locating import LocatedModel
from playground.models.wording import Progress
from playground.store.adapters import CONFIG, WEIGHTS, new_adapter
from tests.cli.running import Capture, answer, refusal
from tests.models.tiny import save_llama
from tests.models.tiny_adapter import save_adapter

COMMANDS_WITH_A_MODEL = ("next", "generate", "score", "attend", "best-of-n")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    base, adapter = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("adapter")
    save_llama(base)
    return str(base), str(save_adapter(base, adapter))


def test_next_and_score(capsys: Capture, folders: tuple[str, str]) -> None:
    base, adapter = folders
    asked = ("next", "--prompt", "the cat", "--model", base, "--device", "cpu")
    plain = answer(capsys, *asked)
    assert answer(capsys, *asked, "--adapter", f"{adapter}*0")["candidates"] == plain["candidates"]
    adapted = answer(capsys, *asked, "--adapter", adapter)
    assert adapted["model"] == f"{base}+{adapter}" and adapted["candidates"] != plain["candidates"]
    merged = answer(capsys, *asked, "--adapter", f"{adapter}*merged")
    assert merged["candidates"][0]["raw_logprob"] == pytest.approx(adapted["candidates"][0]["raw_logprob"], abs=1e-5)
    scored = [
        answer(capsys, "score", "--text", "the cat sat", "--model", base, "--device", "cpu", *rest)["total_logprob"]
        for rest in ((), ("--adapter", adapter))
    ]
    assert scored[0] != scored[1]


@pytest.mark.parametrize("first", ["base", "adapter", "another strength"])
def test_beside_its_base_with_one_load(
    capsys: Capture, folders: tuple[str, str], monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Whichever is named first; the second gives what it gives alone."""
    base, adapter = folders
    asked = ("next", "--prompt", "the cat", "--model", base, "--device", "cpu")
    given = {"base": (), "adapter": ("--adapter", adapter), "another strength": ("--adapter", f"{adapter}*0.5")}[first]
    second, alone = {
        "base": (f"+{adapter}*1.5", ("--adapter", f"{adapter}*1.5")),
        "adapter": (base, ()),
        "another strength": (f"{base}+{adapter}", ("--adapter", adapter)),
    }[first]
    both = [answer(capsys, *asked, *one, "--top", "1000")["candidates"] for one in (given, alone)]
    rows = [{row["id"]: math.exp(row["raw_logprob"]) for row in one} for one in both]
    loads: list[LocatedModel] = []

    def count(located: LocatedModel, *, progress: Progress | None = None) -> LoadedModel:
        loads.append(located)
        return read(located, progress=progress)

    monkeypatch.setattr("playground.models.loading.read", count)
    comparison = answer(capsys, *asked, *given, "--compare-model", second)["compared"][0]
    kl = sum(p * math.log(p / rows[1][token]) for token, p in rows[0].items())
    assert len(loads) == 1 and comparison["kl"]["low"] == pytest.approx(kl, rel=1e-2) and kl > 0.0003


def test_models_lists_what_is_kept(
    capsys: Capture, folders: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    kept = new_adapter("local", "a tone")
    for name in (CONFIG, WEIGHTS):
        shutil.copy(Path(folders[1]) / name, kept)
    (listed,) = answer(capsys, "models")["adapters"]
    assert (listed["id"], listed["name"], listed["rank"]) == (kept.name, "a tone", 4)
    assert main(["models"]) == 0 and kept.name in capsys.readouterr().out
    asked = ("next", "--prompt", "the cat", "--model", folders[0], "--device", "cpu", "--adapter", kept.name)
    assert answer(capsys, *asked)["model"].endswith(f"+{kept.name}")


@pytest.mark.parametrize("command", COMMANDS_WITH_A_MODEL)
def test_each_command_has_the_flag(command: str) -> None:
    assert build_parser(command).parse_args([command, "--adapter", "x"]).adapter == "x"


def test_refusals(capsys: Capture, folders: tuple[str, str]) -> None:
    base, adapter = folders
    asked = ("next", "--prompt", "the cat", "--model", base)
    assert "There is no adapter" in refusal(capsys, *asked, "--adapter", "/nowhere")
    assert "from 0 to 1.5" in refusal(capsys, *asked, "--adapter", f"{adapter}*2")
    assert "names no adapter" in refusal(capsys, *asked, "--adapter", "")
    assert "--model is a server" in refusal(
        capsys, "next", "--prompt", "x", "--model", "http://localhost:9/v1", "--adapter", adapter
    )
