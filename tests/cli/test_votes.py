"""``votes fit``: its fields, and hostile files refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.cli import options
from tests.cli.running import Capture, answer, refusal

PUBLISHED = {("A", "B"): (2, 3), ("A", "D"): (1, 4), ("B", "C"): (5, 3), ("C", "D"): (1, 3)}


def published(folder: Path) -> str:
    lines = ["left,right,winner"]
    for (left, right), (wins, losses) in PUBLISHED.items():
        lines += [f"{left},{right},{left}"] * wins + [f"{left},{right},{right}"] * losses
    path = folder / "votes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_the_published_case(capsys: Capture, tmp_path: Path) -> None:
    fit = answer(capsys, "votes", "fit", "--file", published(tmp_path))
    strengths = np.exp([item["strength"] for item in fit["items"]])
    np.testing.assert_allclose(strengths, np.array([0.6398, 1.0433, 0.6598, 2.2704]), atol=5e-5)
    assert [item["name"] for item in fit["items"]] == list("ABCD")
    assert all(item["low"] < item["strength"] < item["high"] for item in fit["items"])
    assert [(item["wins"], item["losses"], item["ties"]) for item in fit["items"]][3] == (7, 2, 0)
    assert fit["votes"] == 22 and fit["agreement"]["share"] is None and fit["notes"] == []
    assert {pair["verdict"] for pair in fit["pairs"]} == {"open"} and fit["prior"] is None


def test_voters_groups_and_what_is_said_of_them(capsys: Capture, tmp_path: Path) -> None:
    lines = ["left,right,winner,voter,group,subject"]
    for voter in range(12):
        for subject in range(15):
            left, right = ("A", "B") if (voter + subject) % 2 else ("B", "A")
            winner = left if voter == 0 else "A" if subject < 10 + voter % 3 else "B"
            lines.append(f"{left},{right},{winner},v{voter:02},{'even' if voter % 2 == 0 else 'odd'},{subject}")
    path = tmp_path / "votes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    fit = answer(capsys, "votes", "fit", "--file", str(path), "--seed", "3")
    assert fit["interval"] == "percentile bootstrap over 12 voters" and fit["agreement"]["voters"] == 12
    assert fit["agreement"]["units"] == 15 and 0 < fit["agreement"]["alpha"] < 1
    assert list(fit["groups"]) == ["even", "odd"] and fit["pairs"][0]["verdict"] == "first"
    assert [judge["voter"] for judge in fit["judges"] if judge["biased"]] == ["v00"]
    assert fit["notes"][0].startswith("v00 preferred the left side always")
    assert fit == answer(capsys, "votes", "fit", "--file", str(path), "--seed", "3")


def test_for_people_names_cannot_move_the_cursor(capsys: Capture, tmp_path: Path) -> None:
    from playground.cli import main

    path = tmp_path / "votes.csv"
    path.write_text("left,right,winner\n\x1b[2J,<b>B</b>,\x1b[2J\n", encoding="utf-8")
    assert main(["votes", "fit", "--file", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "<b>B</b>" in printed and "never lost" in printed


def test_hostile_files_are_refused(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,winner\nA,B,C\n", encoding="utf-8")
    assert "line 2: the winner 'C'" in refusal(capsys, "votes", "fit", "--file", str(path))
    assert "--file: 'nowhere.csv' cannot be read" in refusal(capsys, "votes", "fit", "--file", "nowhere.csv")
    assert "cannot be read" in refusal(capsys, "votes", "fit", "--file", str(tmp_path))
    assert "--seed" in refusal(capsys, "votes", "fit", "--file", published(tmp_path), "--seed", "x")
    many = ["left,right,winner", *(f"a{n},b{n},tie" for n in range(300))]
    path.write_text("\n".join(many), encoding="utf-8")
    assert "at most 500" in refusal(capsys, "votes", "fit", "--file", str(path))
    monkeypatch.setattr(options, "MAX_FILE_BYTES", 1000)
    assert "more than 1,000 bytes" in refusal(capsys, "votes", "fit", "--file", "/dev/zero")
