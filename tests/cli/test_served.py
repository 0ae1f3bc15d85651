"""Every command on an engine that only streams and tells the top of a row: each works, or says what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from playground.cli import COMMANDS
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import TOLD, ServedFakeEngine
from playground.numerics import log_softmax
from tests.cli.running import Capture, answer, refusal

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "score": ("--text", "hello world"),
    "attend": ("--text", "hello world"),
    "best-of-n": ("--prompt", "hello", "--n", "2"),
    "generate": ("--prompt", "hello"),
    "next": ("--prompt", "hello"),
}
NO_ENGINE = {"models", "calc", "engines"}  # they load no model


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> ServedFakeEngine:
    engine = ServedFakeEngine()
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    return engine


def test_every_command_that_opens_an_engine_is_tried() -> None:
    assert set(ARGUMENTS) | NO_ENGINE == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(ARGUMENTS) - {"next", "generate"}))
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


def test_generate_passes_on_what_the_engine_samples_and_tells(capsys: Capture, served: ServedFakeEngine) -> None:
    found = answer(capsys, "generate", "--prompt", "hello", "--temperature", "0", "--max-new-tokens", "5", "--top", "3")
    ids = tuple(found["prompt_ids"])
    for step in found["steps"]:
        row = log_softmax(FakeEngine().next_logits(ids).logits.astype(np.float64))
        order = np.argsort(-row)[:3].tolist()
        assert step["id"] == order[0] and [other["id"] for other in step["top"]] == order
        assert step["raw_logprob"] == pytest.approx(row[step["id"]], abs=1e-5)
        ids = (*ids, step["id"])
    assert found["sampled_by"] == "engine" and found["text"] == "".join(step["text"] for step in found["steps"])


def test_generate_refuses_what_the_engine_cannot_be_told(capsys: Capture) -> None:
    line = refusal(capsys, "generate", "--prompt", "hello", "--dry-multiplier", "0.8", "--stop-token-id", "3")
    assert "cannot be told dry_multiplier, stop token ids: leave it out" in line


def test_generate_prints_a_table_of_a_streamed_text(capsys: Capture) -> None:
    from playground.cli import main

    assert main(["generate", "--prompt", "hello", "--max-new-tokens", "3"]) == 0
    printed = capsys.readouterr().out
    assert "log-prob" in printed and "sampled by the engine" in printed
