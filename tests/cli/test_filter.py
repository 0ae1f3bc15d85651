"""``filter``: its fields, its rules on the command line, and refusals in one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from playground.corpus.rules import RULES, USUAL, rules_of
from tests.cli.running import Capture, answer, refusal

GOOD = (
    "The road went over the hill and down to the sea. There we saw the boats of the men who had come from the north. "
    "They had been at work since the morning, and they were tired. We asked them for some fish. They gave us two, and "
    "would not have any money for it. It was dark when we came home with them to our house in the village."
)


def written(folder: Path, *rows: dict[str, object], name: str = "d.jsonl") -> str:
    path = folder / name
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return str(path)


def test_its_fields(capsys: Capture, tmp_path: Path) -> None:
    path = written(tmp_path, {"id": "a", "text": GOOD}, {"text": "Just one sentence."}, {"id": 7, "text": GOOD})
    report = answer(capsys, "filter", "--text-file", path)
    assert [(each["id"], each["kept"]) for each in report["documents"]] == [("a", True), (2, False), (7, False)]
    assert report["kept"] == 1 and report["removed_by"]["duplicates-near"] == 1
    assert report["documents"][1]["failed"][:2] == ["c4-sentences", "gopher-words"]
    assert report["documents"][2]["failed"] == ["duplicates-exact", "duplicates-near"]
    assert set(report["removed_by"]) == set(rules_of(USUAL)) >= set(report["documents"][0]["values"])
    for name, count in report["removed_by"].items():
        assert count == sum(name in each["failed"] for each in report["documents"])


def test_rules_and_thresholds(capsys: Capture, tmp_path: Path) -> None:
    path = written(tmp_path, {"text": GOOD}, {"text": "Just one sentence."})
    report = answer(capsys, "filter", "--text-file", path, "--rule", "gopher-words:3", "--rule", "language:0.2")
    assert list(report["removed_by"]) == ["gopher-words", "language"] and report["kept"] == 2
    report = answer(capsys, "filter", "--text-file", path, "--rules", "c4", "--rule", "c4-sentences:1")
    assert list(report["removed_by"]) == list(rules_of(["c4"])) and report["kept"] == 2
    report = answer(capsys, "filter", "--text-file", path, "--rule", "language", "--language", "de")
    assert report["kept"] == 0


def test_the_sample_is_there(capsys: Capture) -> None:
    report = answer(capsys, "filter", "--rules", "c4,personal,words,popularity,refinedweb")
    kept = {each["id"]: each for each in report["documents"]}
    assert len(kept) == 51 and kept["contact-page"]["values"]["personal-data"] == 3
    assert kept["casino"]["values"]["blocked-words"] == 6 and "popularity" in kept["lease"]["failed"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--rule", "none"),
        ("--rule", "gopher-words:x"),
        ("--rules", ""),
        ("--rules", "c4,none"),
        ("--language", "xx"),
        ("--text-file", "nowhere.txt"),
        ("--text-file", "."),
    ],
)
def test_refused_in_one_line(capsys: Capture, wrong: tuple[str, str]) -> None:
    refusal(capsys, "filter", *wrong)


@pytest.mark.model
def test_perplexity_is_the_models(capsys: Capture, tmp_path: Path) -> None:
    path = written(tmp_path, {"text": GOOD}, {"text": "x"})
    report = answer(capsys, "filter", "--text-file", path, "--rule", "perplexity:5")
    scored = answer(capsys, "score", "--text", GOOD)
    assert report["documents"][0]["values"]["perplexity"] == pytest.approx(scored["perplexity"], rel=1e-4)
    assert report["documents"][0]["failed"] == ["perplexity"] and report["documents"][1]["values"] == {}
    assert set(RULES) > set(report["removed_by"])
