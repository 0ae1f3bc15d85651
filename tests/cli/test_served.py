"""Every command on an engine that only streams and tells the top of a row: each works, or says what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from playground.cli import COMMANDS
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import TOLD, ServedFakeEngine
from playground.engine.scoring import log_softmax
from tests.cli.running import Capture, answer, refusal

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "score": ("--text", "hello world"),
    "attend": ("--text", "hello world"),
    "best-of-n": ("--prompt", "hello", "--n", "2"),
    "generate": ("--prompt", "hello"),
    "next": ("--prompt", "hello"),
}
NO_ENGINE = {"models", "calc"}  # they load no model


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> ServedFakeEngine:
    engine = ServedFakeEngine()
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    return engine


def test_every_command_that_opens_an_engine_is_tried() -> None:
    assert set(ARGUMENTS) | NO_ENGINE == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(ARGUMENTS) - {"next"}))
def test_a_command_says_in_one_sentence_what_is_missing(capsys: Capture, command: str) -> None:
    line = refusal(capsys, command, *ARGUMENTS[command])
    assert "Served fake has NextTokens, Stream: choose another model" in line


def test_next_shows_the_rows_that_are_told_and_the_mass_of_the_rest(capsys: Capture) -> None:
    found = answer(capsys, "next", "--prompt", "hello")
    row = log_softmax(FakeEngine().next_logits(FakeEngine().codec.encode("hello")).logits.astype(np.float64))
    order = np.argsort(-row)[:TOLD]
    assert [listed["id"] for listed in found["candidates"]] == order.tolist() and found["full"] is False
    assert found["others"] == {"count": row.size - TOLD, "prob": pytest.approx(1 - np.exp(row[order]).sum(), abs=1e-5)}


@pytest.mark.parametrize("extra", [("--out", "probs.npy"), ("--find", "x"), ("--top-p", "0.9")])
def test_what_needs_the_whole_row_is_refused(capsys: Capture, extra: tuple[str, str]) -> None:
    assert "needs the whole next-token distribution" in refusal(capsys, "next", "--prompt", "hello", *extra)
