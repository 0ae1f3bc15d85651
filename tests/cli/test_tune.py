"""``tune reach``: its fields on the fake engine and on the real model, and bad files refused in one line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from playground.cli import options
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ServedFakeEngine
from tests.cli.running import Capture, answer, refusal


def file_of(folder: Path, *lines: dict[str, Any]) -> str:
    path = folder / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return str(path)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    monkeypatch.setattr(options, "open_engine", lambda args, names=None: engine)
    return engine


def test_what_each_reference_meets(capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    path = file_of(tmp_path, {"prompt": "ab", "reference": "cd"}, {"prompt": "a", "reference": "b"})
    reach = answer(capsys, "tune", "reach", "--examples", path, "--top-k", "1", "--temperature", "0.5")
    assert reach["order"] == ["temperature", "top_k"] and len(reach["examples"]) == 2
    ids = fake.codec.encode("abcd")
    best = [int(fake.next_logits(ids[:end]).logits.argmax()) for end in (2, 3)]
    kept = [token == own for token, own in zip(best, ids[2:], strict=True)]
    first = reach["examples"][0]
    assert first["tokens"] == 2 and first["kept_share"] == sum(kept) / 2
    if all(kept):
        assert first["first_forbidden"] is None and first["logprob"] == 0
    else:
        place = kept.index(False)
        wanted = {"position": place, "id": ids[2 + place], "text": "cd"[place], "by": "top_k"}
        assert first["first_forbidden"] == wanted and first["logprob"] is None
    score = fake.score(ids)
    assert first["raw_logprob"] == pytest.approx(float(score.logprobs[2:].sum()), abs=1e-4)
    neutral = answer(capsys, "tune", "reach", "--examples", path)["examples"][0]
    assert neutral["kept_share"] == 1 and neutral["logprob"] == pytest.approx(first["raw_logprob"])


def test_bad_input_is_one_line(
    capsys: Capture, tmp_path: Path, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = file_of(tmp_path, {"prompt": "ab", "reference": "cd"})
    assert "--top-p" in refusal(capsys, "tune", "reach", "--examples", good, "--top-p", "2")
    assert "--logit-bias" in refusal(capsys, "tune", "reach", "--examples", good, "--logit-bias", "999999=1")
    assert "cannot be read" in refusal(capsys, "tune", "reach", "--examples", "nowhere.jsonl")
    path = file_of(tmp_path, {"prompt": "ab", "reference": ""})
    assert "line 1 has no reference" in refusal(capsys, "tune", "reach", "--examples", path)
    path = file_of(tmp_path, {"prompt": "ab", "reference": "cd", "system": "be kind"})
    assert "example 1: it has a system prompt" in refusal(capsys, "tune", "reach", "--examples", path)
    path = file_of(tmp_path, {"prompt": "ab", "reference": "cd" * 2000})
    assert "example 1: " in refusal(capsys, "tune", "reach", "--examples", path)
    good = file_of(tmp_path, {"prompt": "ab", "reference": "cd"})
    monkeypatch.setattr(options, "open_engine", lambda args, names=None: ServedFakeEngine())
    assert "come from models that transformers runs" in refusal(capsys, "tune", "reach", "--examples", good)


def test_for_people(capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    from playground.cli import main

    path = file_of(tmp_path, {"prompt": "ab", "reference": "c\x1b[2Jd"})
    assert main(["tune", "reach", "--examples", path, "--top-k", "1"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "0 of 1 references could have been written" in printed


@pytest.mark.model
def test_the_bundled_model_along_two_capitals(capsys: Capture, tmp_path: Path) -> None:
    """P(" Paris") is 0.7725 (published for this file), so top-p 0.7 keeps it alone and " Lyon" never."""
    prompt = "The capital of France is"
    path = file_of(tmp_path, {"prompt": prompt, "reference": " Paris"}, {"prompt": prompt, "reference": " Lyon"})
    paris, lyon = answer(capsys, "tune", "reach", "--examples", path, "--top-p", "0.7")["examples"]
    assert paris["raw_logprob"] == pytest.approx(math.log(0.7725), abs=0.002)
    assert paris["kept_share"] == 1 and paris["logprob"] == pytest.approx(0) and paris["choices"] == pytest.approx(1)
    assert lyon["first_forbidden"]["text"] == " Lyon" and lyon["first_forbidden"]["by"] == "top_p"
    assert lyon["logprob"] is None and lyon["raw_logprob"] < -5


PLAN = """
examples: examples.jsonl
settings:
  today: {temperature: 1}
  cold: {temperature: 0}
samples: 2
max_new_tokens: 6
measures: [tokens, distinct-2, "length:1-3t"]
require: {"length:1-3t": %s}
"""


def test_a_plan_in_a_build(capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    from playground.cli import main

    file_of(tmp_path, {"prompt": "ab"}, {"prompt": "abc"})
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN % "0", encoding="utf-8")
    reports = [str(tmp_path / "report.md"), str(tmp_path / "report.html")]
    to = ("--out", str(tmp_path / "out.json"), "--report", reports[0], "--report", reports[1])
    report = answer(capsys, "tune", "run", "--plan", str(plan), *to)
    marked, html = (Path(name).read_text(encoding="utf-8") for name in reports)
    assert marked.startswith("# plan\n") and html.startswith("<!doctype html>") and "Keep &#x27;today&#x27;" in html
    wrong = ("--report", "report.pdf")
    assert "neither Markdown nor HTML" in refusal(capsys, "tune", "run", "--plan", str(plan), *wrong)
    assert [row["setting"] for row in report["results"]] == ["today", "cold", "control"]
    assert set(report["results"][0]["measures"]) == {"tokens", "distinct-2", "length:1-3t"}
    assert set(report["results"][0]["measures"]["tokens"]) >= {"mean", "low", "high"}
    wanted = {"a", "b", "measure", "difference", "low", "high", "p", "p_adjusted"}
    assert len(report["comparisons"]) == 2 * 3 and set(report["comparisons"][0]) >= wanted
    assert report["recommendation"]["setting"] == "today" and report["failures"] == []
    texts = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["texts"]
    assert len(texts) == 3 * 2 * 2 and texts[0].keys() >= {"setting", "example", "sample", "text"}
    plan.write_text(PLAN % "1", encoding="utf-8")
    assert main(["tune", "run", "--plan", str(plan)]) == 1
    printed = capsys.readouterr().out
    assert "Keep 'today'" in printed and "required: at least 1." in printed
    as_json = tmp_path / "plan.json"
    as_json.write_text(
        json.dumps({"examples": [{"prompt": "ab"}], "settings": {"a": {}}, "measures": ["tokens"]}), "utf-8"
    )
    assert answer(capsys, "tune", "run", "--plan", str(as_json))["examples"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("a: &x 1", "anchors and aliases"),
        ("{", "cannot be read as JSON"),
        ("examples: nowhere.jsonl\nsettings: {a: {}}", "cannot be read"),
        ("examples: [{prompt: a}]\nsettings: {a: {top_p: 3}}", "setting 'a': top_p"),
        ("examples: [{prompt: a, system: be kind}]\nsettings: {a: {}}", "system prompt"),
    ],
)
def test_bad_plans_are_one_line(text: str, said: str, capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(text, encoding="utf-8")
    assert main_refusal(capsys, plan).count(said) == 1


def main_refusal(capsys: Capture, plan: Path) -> str:
    """The last line on stderr: before it stands what was about to be run."""
    from playground.cli import main

    assert main(["tune", "run", "--plan", str(plan)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and "Traceback" not in printed.err
    line = printed.err.splitlines()[-1]
    assert line.startswith("error: ") and "unexpected" not in line
    return line


def test_the_documented_plan_is_one() -> None:
    from playground.cli.tune_plan import _read

    plan = _read(str(Path(__file__).parents[2] / "docs" / "tune_plan.yaml"))
    assert len(plan.examples) == 12 and plan.texts == 96 and plan.measures[0].name == "checks"
