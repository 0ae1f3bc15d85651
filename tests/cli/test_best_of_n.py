"""``best-of-n`` end to end on an engine with known answers, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from playground.bounded import close_children
from playground.cli import main, options
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.types import FloatArray
from playground.testtime import beam
from tests.cli.running import Capture, answer, refusal

KEYS = {"index", "text", "ids", "finish_reason", "n_tokens", "sum_logprob", "avg_logprob", "scores", "valid", "answer"}


def digits_engine() -> FakeEngine:
    """Writes 4 or 5, then ends; 4 is twice as likely."""
    plain = FakeEngine()
    eos, four, five = plain.codec.eos_token_ids[0], plain.codec.encode("4")[0], plain.codec.encode("5")[0]

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.full(plain.info.vocab_size, -40.0, dtype=np.float32)
        if ids[-1] in (four, five):
            row[eos] = 0.0
        else:
            row[four], row[five] = np.log(2.0), 0.0
        return row

    return FakeEngine(logits)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    fake = digits_engine()
    monkeypatch.setattr(options, "open_engine", lambda args: fake)
    yield fake
    close_children()


def test_all_that_the_contract_asks_for(engine: FakeEngine, capsys: Capture) -> None:
    selection = answer(
        capsys,
        "best-of-n",
        "--prompt",
        "2 + 2 =",
        "--n",
        "12",
        "--max-new-tokens",
        "5",
        "--scorer",
        "avg_logprob",
        "--scorer",
        "math",
        "--scorer",
        r"regex:\d",
        "--answer-pattern",
        r"\d",
        "--reference",
        "4",
        "--seed",
        "3",
    )
    rows = selection["candidates"]
    assert [row["index"] for row in rows] == list(range(12)) and all(set(row) >= KEYS for row in rows)
    texts = [row["text"] for row in rows]
    assert set(texts) == {"4", "5"}, "the draws must differ"
    for row in rows:
        assert row["finish_reason"] == "eos" and row["n_tokens"] == len(row["ids"]) == 2
        expected = np.log(2 / 3 if row["text"] == "4" else 1 / 3)
        assert row["sum_logprob"] == pytest.approx(expected, abs=1e-4)
        assert row["avg_logprob"] == pytest.approx(expected / 2, abs=1e-4) == row["scores"]["avg_logprob"]
        assert row["scores"]["math"] == float(row["text"] == "4") and row["valid"] is (row["text"] == "4")
        assert row["answer"] == row["text"]
    for name in ("avg_logprob", "math", r"regex:\d"):
        ranking = selection["rankings"][name]
        assert sorted(ranking) == list(range(12)) and selection["winners"][name] == ranking[0]
    assert texts[selection["winners"]["math"]] == "4"
    assert selection["rankings"]["math"] == sorted(range(12), key=lambda place: (texts[place] != "4", place))
    counts = {item["answer"]: item["count"] for item in selection["vote"]["answers"]}
    assert counts == {digit: texts.count(digit) for digit in set(texts)}
    assert selection["vote"]["majority"] == max(counts, key=lambda digit: (counts[digit], -texts.index(digit)))
    assert selection["timings"]["new_tokens"] == 24 and selection["timings"]["decode_s"] >= 0
    assert selection["prompt_ids"] == list(engine.codec.encode("2 + 2 ="))


def test_the_rules_that_need_nothing_are_the_default(engine: FakeEngine, capsys: Capture) -> None:
    selection = answer(capsys, "best-of-n", "--prompt", "x", "--n", "2")
    assert list(selection["winners"]) == [
        "avg-logprob",
        "sum-logprob",
        "length-norm",
        "lowest-group-confidence",
        "self-certainty",
    ]
    assert selection["vote"] == {"answers": [], "majority": None, "tied": [], "abstained": 0, "winner": None}
    assert all(row["answer"] is None and row["valid"] is None for row in selection["candidates"])


def test_temperatures_and_system_prompts_are_dealt_in_turn(engine: FakeEngine, capsys: Capture) -> None:
    """Held against the request the page makes: the same answers to the token."""
    from playground.sampling.settings import NEUTRAL
    from playground.testtime.generate import generate_candidates
    from playground.testtime.request import BestOfNRequest, candidate_request

    selection = answer(
        capsys,
        "best-of-n",
        "--prompt",
        "x",
        "--chat",
        "--system",
        "one",
        "--system",
        "two",
        "--temperatures",
        "0.3,1.5",
        "--n",
        "8",
        "--max-new-tokens",
        "4",
        "--seed",
        "2",
    )
    request = BestOfNRequest(
        "x", True, settings=NEUTRAL, seed=2, n=8, max_new_tokens=4, temperatures=(0.3, 1.5), systems=("one", "two")
    )
    steps = generate_candidates(engine, candidate_request(request, engine.codec))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            expected = end.value.candidates
            break
    assert [tuple(row["ids"]) for row in selection["candidates"]] == [one.ids for one in expected]
    assert [row["setting"] for row in selection["candidates"][:5]] == [
        "T = 0.3, system 1",
        "T = 1.5, system 1",
        "T = 0.3, system 2",
        "T = 1.5, system 2",
        "T = 0.3, system 1",
    ]
    assert [(way["system"], way["temperature"]) for way in selection["ways"]] == [
        ("one", 0.3),
        ("one", 1.5),
        ("two", 0.3),
        ("two", 1.5),
    ]
    plain = answer(capsys, "best-of-n", "--prompt", "x", "--chat", "--system", "one", "--n", "2")
    assert plain["prompt_ids"] == list(engine.codec.encode_chat("x", system="one")) and len(plain["ways"]) == 1


def test_beams_join_the_drawn_answers(engine: FakeEngine, capsys: Capture) -> None:
    from playground.generation import GenerationRequest
    from playground.testtime.beam_settings import BeamSettings
    from tests.testtime.test_beam import search

    selection = answer(
        capsys,
        "best-of-n",
        "--prompt",
        "x",
        "--n",
        "3",
        "--max-new-tokens",
        "5",
        "--beams",
        "4",
        "--beam-groups",
        "2",
        "--diversity-penalty",
        "1.5",
        "--length-penalty",
        "0",
    )
    ids = GenerationRequest(engine.codec.encode("x")).prompt_ids
    settings = BeamSettings(beams=4, groups=2, diversity_penalty=1.5, length_penalty=0.0)
    expected = search(engine, ids, settings, max_new_tokens=5)
    beams = selection["candidates"][3:]
    assert [row["index"] for row in selection["candidates"]] == list(range(3 + len(expected)))
    assert [tuple(row["ids"]) for row in beams] == [one.ids for one in expected]
    assert [row["beam_score"] for row in beams] == pytest.approx([one.beam_score for one in expected])
    assert all(row["beam_score"] is None and row["origin"] == "sampling" for row in selection["candidates"][:3])
    assert sorted(selection["rankings"]["avg-logprob"]) == list(range(3 + len(expected)))
    assert main(["best-of-n", "--prompt", "x", "--n", "2", "--beams", "2"]) == 0
    assert "beams 2" in capsys.readouterr().out


def test_beams_that_do_not_fit_are_refused_before_anything_is_drawn(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(beam, "usable_bytes", lambda info: 100_000)
    said = refusal(capsys, "best-of-n", "--prompt", "x", "--n", "3", "--beams", "32")
    assert said.startswith("error: --beams: 32 beams need about") and "fit" in said and not engine.calls


def test_an_answer_may_go_on_after_its_end(engine: FakeEngine, capsys: Capture) -> None:
    selection = answer(capsys, "best-of-n", "--prompt", "x", "--n", "2", "--max-new-tokens", "5", "--ignore-eos")
    assert [row["n_tokens"] for row in selection["candidates"]] == [5, 5]


def test_a_reference_alone_brings_a_rule_that_compares(engine: FakeEngine, capsys: Capture) -> None:
    selection = answer(capsys, "best-of-n", "--prompt", "x", "--n", "6", "--reference", "4")
    assert [row["valid"] for row in selection["candidates"]] == [row["text"] == "4" for row in selection["candidates"]]
    exact = answer(capsys, "best-of-n", "--prompt", "x", "--n", "6", "--reference", "4", "--answer-pattern", "number")
    assert exact["rankings"]["exact"] == selection["rankings"]["mentions"]


def test_the_same_seed_gives_the_same_answers_whatever_n_is(engine: FakeEngine, capsys: Capture) -> None:
    few = answer(capsys, "best-of-n", "--prompt", "x", "--n", "3", "--seed", "9")
    many = answer(capsys, "best-of-n", "--prompt", "x", "--n", "9", "--seed", "9")
    assert [row["ids"] for row in few["candidates"]] == [row["ids"] for row in many["candidates"]][:3]


def test_an_argument_may_stand_in_a_file(engine: FakeEngine, capsys: Capture, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "integer"}), encoding="utf-8")
    selection = answer(capsys, "best-of-n", "--prompt", "x", "--n", "2", "--scorer", f"json:@{schema}")
    assert [row["scores"][f"json:@{schema}"] for row in selection["candidates"]] == [1.0, 1.0]


def test_a_readable_table(engine: FakeEngine, capsys: Capture) -> None:
    arguments = ["--n", "4", "--answer-pattern", "number", "--scorer", "avg-logprob", "--scorer", "judge"]
    assert main(["best-of-n", "--prompt", "x", "--chat", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "avg-logprob: candidate" in printed and "majority: '" in printed and "tokens/s" in printed


def test_the_scorers_are_listed_without_a_model(capsys: Capture) -> None:
    assert main(["best-of-n", "--scorer", "list"]) == 0
    assert "self-certainty" in capsys.readouterr().out
    listing = answer(capsys, "best-of-n", "--scorer", "list")
    assert {"name", "purpose", "fails"} <= set(listing["scorers"][0])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--n", "0"), "--n"),
        (("--n", "-1"), "--n"),
        (("--n", "10000"), "--n"),
        (("--n", "two"), "--n"),
        (("--max-new-tokens", "0"), "--max-new-tokens"),
        (("--scorer", "nothing"), "--scorer"),
        (("--scorer", "regex:("), "--scorer"),
        (("--scorer", "math"), "--reference"),
        (("--scorer", "json:@no-such-file"), "--scorer"),
        (("--scorer", 'json:{"$ref": "http://example.com/s"}'), "--scorer"),
        (("--scorer", "reward:no/such-model"), "--scorer reward"),
        (("--answer-pattern", "("), "--answer-pattern"),
        (("--stop", ""), "--stop"),
        (("--temperature", "x"), "--temperature"),
        (("--system", "s"), "--system"),
        (("--system", "s", "--system", "t"), "--system"),
        (("--temperatures", "warm"), "--temperatures"),
        (("--temperatures", "-1,0.5"), "--temperatures"),
        (("--temperatures", "nan"), "--temperatures"),
        (("--temperatures", ","), "--temperatures"),
        (("--temperatures", ",".join(["0.5"] * 17)), "--temperatures"),
        (("--beams", "33"), "--beams"),
        (("--beams", "4", "--beam-groups", "3"), "--beam-groups"),
        (("--beams", "4", "--beam-groups", "0"), "--beam-groups"),
        (("--beams", "4", "--beam-groups", "2", "--diversity-penalty", "-1"), "--diversity-penalty"),
        (("--beams", "2", "--length-penalty", "long"), "--length-penalty"),
        (("--beam-groups", "2"), "--beam-groups"),
        (("--length-penalty", "1"), "--length-penalty"),
    ],
)
def test_a_refusal_names_the_flag(engine: FakeEngine, capsys: Capture, arguments: tuple[str, ...], named: str) -> None:
    assert named in refusal(capsys, "best-of-n", "--prompt", "x", *arguments)


def test_without_a_prompt_no_model_is_loaded(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def load(args: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(options, "open_engine", load)
    assert "--prompt" in refusal(capsys, "best-of-n")
    assert "--n" in refusal(capsys, "best-of-n", "--prompt", "x", "--n", "0")


@pytest.mark.model
def test_the_bundled_model_answers_several_times(
    bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(options, "open_engine", lambda args: bundled_engine)
    prompt = "What is the capital of France?"
    selection = answer(
        capsys,
        "best-of-n",
        "--prompt",
        prompt,
        "--chat",
        "--n",
        "3",
        "--max-new-tokens",
        "10",
        "--top-k",
        "20",
        "--scorer",
        "mentions",
        "--scorer",
        "self-certainty",
        "--reference",
        "Paris",
    )
    assert len(selection["candidates"]) == 3 and selection["winners"]["self-certainty"] is not None
