"""Every command on an engine that only streams and tells the top of a row: each works, or says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from playground.cli import COMMANDS, main
from playground.engine.api import Stream
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ROW_TOKENS, ServedFakeEngine
from playground.numerics import log_softmax
from playground.sampling.chain import trace_row
from playground.sampling.context import EMPTY_CONTEXT
from playground.sampling.settings import SamplerSettings
from tests.cli.running import Capture, answer, refusal

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "score": ("--text", "hello world"),
    "attend": ("--text", "hello world"),
    "best-of-n": ("--prompt", "hello", "--n", "2"),
    "generate": ("--prompt", "hello"),
    "next": ("--prompt", "hello"),
    "tune": ("reach", "--examples", "given.jsonl"),
    "domains": (),
    "filter": ("--text-file", "texts.jsonl", "--rules", "perplexity"),
}
NO_ENGINE = {"models", "calc", "engines", "votes", "room", "tokens", "languages", "arch"}  # they load no model
WEIGHTS = {"train"}  # the model's own, read apart


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> ServedFakeEngine:
    engine = ServedFakeEngine()
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    return engine


def test_every_command_that_opens_an_engine_is_tried() -> None:
    assert set(ARGUMENTS) | NO_ENGINE | WEIGHTS == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(ARGUMENTS) - {"next", "generate", "best-of-n"}))
def test_a_command_says_in_one_sentence_what_is_missing(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("given.jsonl").write_text(json.dumps({"prompt": "hello", "reference": " world"}), encoding="utf-8")
    Path("texts.jsonl").write_text(json.dumps({"text": "Hello world."}), encoding="utf-8")
    line = refusal(capsys, command, *ARGUMENTS[command])
    assert "Served fake has NextTokens, Stream: choose another model" in line


def test_next_shows_the_rows_that_are_told_and_the_mass_of_the_rest(capsys: Capture) -> None:
    report = answer(capsys, "next", "--prompt", "hello")
    row = log_softmax(FakeEngine().next_logits(FakeEngine().codec.encode("hello")).logits.astype(np.float64))
    order = np.argsort(-row)[:ROW_TOKENS]
    assert [listed["id"] for listed in report["candidates"]] == order.tolist() and report["full"] is False
    rest = pytest.approx(1 - np.exp(row[order]).sum(), abs=1e-5)
    assert report["others"]["count"] == report["not_told"]["count"] == row.size - ROW_TOKENS
    assert report["others"]["prob"] == report["not_told"]["prob"] == report["not_told"]["raw_prob"] == rest
    assert report["told"] == ROW_TOKENS and report["raw"] is True and report["verdict"] == "exact"
    assert [listed["prob"] for listed in report["candidates"]] == pytest.approx(np.exp(row[order]), abs=1e-6)


def test_next_says_what_is_exact_and_what_is_bounded(capsys: Capture) -> None:
    row = FakeEngine().next_logits(FakeEngine().codec.encode("hello")).logits
    exact = answer(
        capsys, "next", "--prompt", "hello", "--top-k", "5", "--temperature", "0.7", "--order", "top_k,temperature"
    )
    truth = trace_row(row, SamplerSettings(top_k=5, temperature=0.7, order="top_k,temperature"), EMPTY_CONTEXT)
    assert [stage["verdict"] for stage in exact["stages"]] == ["exact", "exact"] and exact["stages"][0]["kept"] == 5
    for listed in exact["candidates"]:
        assert listed["prob"] == pytest.approx(float(truth.final_probs[listed["id"]]), abs=1e-6)
        assert listed["kept"] == (listed["rank"] < 5) and listed["removed_by"] == (None if listed["kept"] else "top_k")
    assert exact["draw"]["id"] in [listed["id"] for listed in exact["candidates"][:5]]

    bounded = answer(capsys, "next", "--prompt", "hello", "--temperature", "1.4", "--top", "3", "--find", " Rome")
    truth = trace_row(row, SamplerSettings(temperature=1.4), EMPTY_CONTEXT)
    assert bounded["verdict"] == "bounded" and "is not told" in bounded["stages"][0]["why"]
    for listed in [*bounded["candidates"], *bounded["found"]]:
        assert listed["prob"] is None and listed["kept"] in (True, None)
        assert listed["prob_low"] <= truth.final_probs[listed["id"]] <= listed["prob_high"]
    others = 1 - truth.final_probs[[listed["id"] for listed in bounded["candidates"]]].sum()
    assert bounded["others"]["prob"] is None
    assert bounded["others"]["prob_low"] <= others <= bounded["others"]["prob_high"]


@pytest.mark.parametrize("flags", [("--repetition-penalty", "1.1"), ("--top-n-sigma", "1")])
def test_next_says_what_cannot_be_said(capsys: Capture, flags: tuple[str, str]) -> None:
    report = answer(capsys, "next", "--prompt", "hello", *flags)
    assert report["verdict"] == "unknown" and report["draw"]["id"] is None and "reset it" in report["why"]
    assert all(listed["prob"] is None and listed["raw_logprob"] < 0 for listed in report["candidates"])


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--top-p", "0.5"), "bounded: this engine tells"),
        (("--top-k", "4"), "top_k 4: exact. It ends within the tokens told"),
        (("--repetition-penalty", "1.1"), "final distribution is not known"),
        (("--seed", "4"), "not told by this engine: "),
    ],
)
def test_next_prints_the_same_in_words(capsys: Capture, flags: tuple[str, str], says: str) -> None:
    assert main(["next", "--prompt", "hello", *flags, "--find", "q"]) == 0
    printed = capsys.readouterr().out
    assert says in printed and "not told by this engine" in printed and "drawn with seed" in printed


def test_what_needs_the_whole_row_is_refused(capsys: Capture) -> None:
    assert "--out needs the whole next-token distribution" in refusal(
        capsys, "next", "--prompt", "hello", "--out", "p.npy"
    )


def test_generate_passes_on_what_the_engine_samples_and_tells(capsys: Capture, served: ServedFakeEngine) -> None:
    text = answer(capsys, "generate", "--prompt", "hello", "--temperature", "0", "--max-new-tokens", "5", "--top", "3")
    ids = tuple(text["prompt_ids"])
    for step in text["steps"]:
        row = log_softmax(FakeEngine().next_logits(ids).logits.astype(np.float64))
        order = np.argsort(-row)[:3].tolist()
        assert step["id"] == order[0] and [other["id"] for other in step["top"]] == order
        assert step["raw_logprob"] == pytest.approx(row[step["id"]], abs=1e-5)
        ids = (*ids, step["id"])
    assert (
        text["sampled_by"] == "engine"
        and text["order"] is None
        and text["text"] == "".join(step["text"] for step in text["steps"])
    )


def test_generate_refuses_what_the_engine_cannot_be_told(capsys: Capture) -> None:
    line = refusal(capsys, "generate", "--prompt", "hello", "--dry-multiplier", "0.8", "--stop-token-id", "3")
    assert "cannot be told dry_multiplier, stop token ids: leave it out" in line


def test_generate_prints_a_table_of_a_streamed_text(capsys: Capture) -> None:
    from playground.cli import main

    assert main(["generate", "--prompt", "hello", "--max-new-tokens", "3"]) == 0
    printed = capsys.readouterr().out
    assert "log-prob" in printed and "sampled by the engine" in printed and "–" in printed


def test_best_of_n_ranks_by_what_is_told_and_names_what_is_not(capsys: Capture) -> None:
    run = answer(capsys, "best-of-n", "--prompt", "hello", "--n", "3", "--max-new-tokens", "5", "--ignore-eos")
    assert [row["n_tokens"] for row in run["candidates"]] == [5, 5, 5] and run["timings"]["new_tokens"] == 15
    assert set(run["problems"]) == {"self-certainty"} and run["winners"]["self-certainty"] is None
    for row in run["candidates"]:
        assert row["scores"]["self-certainty"] is None and row["scores"]["sum-logprob"] == row["sum_logprob"] < 0
    best = max(run["candidates"], key=lambda row: row["avg_logprob"])
    assert run["winners"]["avg-logprob"] == best["index"]


def test_best_of_n_needs_no_rows_of_the_engine(
    capsys: Capture, served: ServedFakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServedFakeEngine, "facets", frozenset({Stream}))
    run = answer(capsys, "best-of-n", "--prompt", "hello", "--n", "2", "--max-new-tokens", "3", "--ignore-eos")
    assert [row["n_tokens"] for row in run["candidates"]] == [3, 3]


def test_best_of_n_prints_the_reason_in_words(capsys: Capture) -> None:
    assert (
        main(["best-of-n", "--prompt", "hello", "--n", "2", "--max-new-tokens", "3", "--scorer", "self-certainty"]) == 0
    )
    assert "self-certainty: Self-certainty needs the whole next-token distribution" in capsys.readouterr().out


def test_best_of_n_refuses_beams_where_there_are_no_rows(capsys: Capture) -> None:
    line = refusal(capsys, "best-of-n", "--prompt", "hello", "--n", "2", "--beams", "2")
    assert "Rows that are sampled here" in line and "Served fake has NextTokens, Stream: choose another model" in line
