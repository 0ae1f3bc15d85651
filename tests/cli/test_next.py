"""``next``: its numbers against transformers and plain softmax, its fields, and every refusal."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.cli import main, options
from playground.engine.fake.engine import FakeEngine
from playground.errors import BadPrompt
from playground.sampling.registry import PARAMETERS
from tests.cli.running import Capture, answer, refusal

VOCAB = 200
FIELDS = {"model", "vocab_size", "prompt_ids", "order", "stages", "candidates", "others", "draw"}
CANDIDATE = {"id", "text", "rank", "raw_logprob", "prob", "kept", "removed_by"}


@pytest.fixture
def row() -> np.ndarray:
    return np.random.default_rng(5).normal(0, 2.5, VOCAB).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path, row: np.ndarray) -> str:
    np.save(tmp_path / "row.npy", row)
    return str(tmp_path / "row.npy")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    return engine


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("playground.engine.factory.make_engine", refuse)


# -- numbers -----------------------------------------------------------------------------------------------------------


def processed(row: np.ndarray, ids: list[int], *processors: Any) -> np.ndarray:
    """Final probabilities by transformers: (vocab,) float64."""
    scores = LogitsProcessorList(processors)(torch.tensor([ids]), torch.from_numpy(row)[None])
    return torch.softmax(scores[0].double(), -1).numpy()


@pytest.mark.parametrize(
    ("flags", "processors"),
    [
        ([], []),
        (["--temperature", "0.7"], [TemperatureLogitsWarper(0.7)]),
        (["--top-k", "12"], [TopKLogitsWarper(12)]),
        (["--top-p", "0.9"], [TopPLogitsWarper(0.9)]),
        (["--min-p", "0.05"], [MinPLogitsWarper(0.05)]),
        (["--typical-p", "0.6"], [TypicalLogitsWarper(0.6)]),
        (
            ["--temperature", "1.4", "--top-k", "30", "--top-p", "0.8"],
            [TemperatureLogitsWarper(1.4), TopKLogitsWarper(30), TopPLogitsWarper(0.8)],
        ),
        (
            ["--temperature", "1.4", "--top-p", "0.8", "--order", "top_p,temperature"],
            [TopPLogitsWarper(0.8), TemperatureLogitsWarper(1.4)],
        ),
        (["--repetition-penalty", "1.5"], [RepetitionPenaltyLogitsProcessor(1.5)]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
@pytest.mark.usefixtures("no_model")
def test_final_probabilities_are_those_of_transformers(
    capsys: Capture, tmp_path: Path, row: np.ndarray, file: str, flags: list[str], processors: list[Any]
) -> None:
    out = tmp_path / "final.npy"
    history, generated = [3, 1, 4], [1, 5]
    result = answer(
        capsys,
        "next",
        "--logits",
        file,
        "--history",
        "3,1,4",
        "--generated",
        "1,5",
        "--out",
        str(out),
        "--top",
        str(VOCAB),
        *flags,
    )
    expected = processed(row, history + generated, *processors)
    final = np.load(out)
    assert final.dtype == np.float32 and final.shape == (VOCAB,)
    np.testing.assert_allclose(final, expected, atol=2e-6)
    assert ((final > 0) == (expected > 0)).all()
    listed = {candidate["id"]: candidate for candidate in result["candidates"]}
    assert all(math.isclose(listed[i]["prob"], final[i], abs_tol=1e-9) for i in range(VOCAB))
    assert all(listed[i]["kept"] == bool(expected[i] > 0) for i in range(VOCAB))


@pytest.mark.usefixtures("no_model")
def test_raw_columns_are_plain_log_softmax_by_rank(capsys: Capture, row: np.ndarray, file: str) -> None:
    candidates = answer(capsys, "next", "--logits", file, "--top", "50", "--top-k", "3")["candidates"]
    expected = torch.log_softmax(torch.from_numpy(row).double(), -1).numpy()
    order = np.argsort(-row, kind="stable")[:50]
    assert [candidate["id"] for candidate in candidates] == order.tolist()
    assert [candidate["rank"] for candidate in candidates] == list(range(50))
    np.testing.assert_allclose([c["raw_logprob"] for c in candidates], expected[order], atol=1e-5)
    assert [c["removed_by"] for c in candidates] == [None] * 3 + ["top_k"] * 47


@pytest.mark.usefixtures("no_model")
def test_penalties_of_generated_tokens_count_them_and_spare_the_prompt(
    capsys: Capture, tmp_path: Path, row: np.ndarray, file: str
) -> None:
    out = str(tmp_path / "final.npy")
    answer(
        capsys,
        "next",
        "--logits",
        file,
        "--history",
        "7,7,7",
        "--generated",
        "9,9,11",
        "--out",
        out,
        "--frequency-penalty",
        "0.5",
        "--presence-penalty",
        "0.25",
    )
    by_hand = row.astype(np.float64)
    by_hand[9] -= 2 * 0.5 + 0.25
    by_hand[11] -= 0.5 + 0.25
    np.testing.assert_allclose(np.load(out), np.exp(by_hand) / np.exp(by_hand).sum(), atol=2e-6)


@pytest.mark.usefixtures("no_model")
def test_a_bias_moves_a_token_by_its_odds(capsys: Capture, row: np.ndarray, file: str) -> None:
    plain = answer(capsys, "next", "--logits", file, "--top", str(VOCAB))["candidates"]
    biased = answer(
        capsys, "next", "--logits", file, "--top", str(VOCAB), "--logit-bias", "7=2", "--logit-bias", "8=-3"
    )["candidates"]
    before, after = ({c["id"]: c["prob"] for c in rows} for rows in (plain, biased))
    assert math.isclose(math.log(after[7] / after[20]) - math.log(before[7] / before[20]), 2, abs_tol=1e-4)
    assert math.isclose(math.log(after[8] / after[20]) - math.log(before[8] / before[20]), -3, abs_tol=1e-4)


@pytest.mark.usefixtures("no_model")
def test_order_matters_as_in_the_published_example(capsys: Capture, tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.array([3.0, 2.0, 1.0]))
    flags = ["next", "--logits", str(tmp_path / "z.npy"), "--temperature", "0.5", "--top-p", "0.8"]
    first = answer(capsys, *flags, "--order", "hf")
    last = answer(capsys, *flags, "--order", "llama.cpp")
    assert (first["order"], first["stages"][-1]["kept"]) == (["temperature", "top_p"], 1)
    assert (last["order"], last["stages"][0]["kept"]) == (["top_p", "temperature"], 2)


@pytest.mark.usefixtures("no_model")
def test_the_least_fields_are_there_and_add_up(capsys: Capture, file: str) -> None:
    result = answer(capsys, "next", "--logits", file, "--top-p", "0.7", "--top", "4", "--seed", "3")
    assert set(result) >= FIELDS
    assert result["model"] is None and result["vocab_size"] == VOCAB
    assert all(set(candidate) >= CANDIDATE for candidate in result["candidates"])
    assert set(result["stages"][0]) >= {"name", "params", "kept", "removed_mass", "entropy"}
    assert result["others"]["count"] == VOCAB - 4
    assert sum(c["prob"] for c in result["candidates"]) + result["others"]["prob"] == pytest.approx(1, abs=1e-5)
    draw = result["draw"]
    assert draw["seed"] == 3 and 0 <= draw["u"] < 1 and draw["text"] is None
    again = answer(capsys, "next", "--logits", file, "--seed", "3")["draw"]
    assert again["u"] == draw["u"], "the random number does not depend on the settings"
    assert answer(capsys, "next", "--logits", file, "--seed", "4")["draw"]["u"] != draw["u"]


@pytest.mark.usefixtures("no_model")
def test_minus_infinity_is_null_in_json(capsys: Capture, tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.array([1.0, -np.inf, 0.0], dtype=np.float32))
    candidates = answer(capsys, "next", "--logits", str(tmp_path / "z.npy"))["candidates"]
    assert candidates[-1]["raw_logprob"] is None and candidates[-1]["prob"] == 0


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", ">f4"])
@pytest.mark.usefixtures("no_model")
def test_logits_may_be_any_numbers(capsys: Capture, tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "z.npy", np.array([3, 1, 2], dtype=dtype))
    candidates = answer(capsys, "next", "--logits", str(tmp_path / "z.npy"))["candidates"]
    assert [candidate["id"] for candidate in candidates] == [0, 2, 1]


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=40),
    top_p=st.floats(0, 1),
    top=st.integers(1, 60),
)
def test_any_row_gives_probabilities_that_sum_to_one(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], top_p: float, top: int
) -> None:
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("rows")
    np.save(folder / "z.npy", np.array(values, dtype=np.float32))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        flags = ["--logits", str(folder / "z.npy"), "--out", str(folder / "p.npy"), "--top-p", repr(top_p)]
        assert main(["next", *flags, "--top", str(top), "--json"]) == 0
    result = json.loads(said.getvalue())
    assert np.load(folder / "p.npy").sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert len(result["candidates"]) + result["others"]["count"] == len(values)


# -- with an engine ----------------------------------------------------------------------------------------------------


def test_a_prompt_is_encoded_and_continued(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "next", "--prompt", "hello world", "--top-k", "5")
    ids = fake.codec.encode("hello world")
    assert result["model"] == "fake" and result["prompt_ids"] == list(ids)
    assert fake.calls == [ids]
    expected = torch.softmax(torch.from_numpy(np.array(fake.next_logits(ids).logits)), -1)
    top = result["candidates"][0]
    assert top["id"] == int(expected.argmax()) and top["text"] == fake.codec.piece(top["id"], ids)
    assert result["draw"]["text"] == fake.codec.piece(result["draw"]["id"], ids)


def test_ids_give_what_their_text_gives(capsys: Capture, fake: FakeEngine) -> None:
    ids = fake.codec.encode("hello")
    by_text = answer(capsys, "next", "--prompt", "hello")
    assert answer(capsys, "next", "--ids", ",".join(map(str, ids))) == by_text


def test_chat_goes_through_the_template(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "next", "--prompt", "Hi", "--chat", "--system", "Be brief.")
    assert tuple(result["prompt_ids"]) == fake.codec.encode_chat("Hi", system="Be brief.")


def test_special_tokens_are_text_unless_asked_for(capsys: Capture, fake: FakeEngine) -> None:
    as_text = answer(capsys, "next", "--prompt", "<|im_end|>")["prompt_ids"]
    parsed = answer(capsys, "next", "--prompt", "<|im_end|>", "--parse-special")["prompt_ids"]
    assert len(as_text) > 1 and len(parsed) == 1


def test_an_empty_prompt_starts_at_the_models_start_token(capsys: Capture, fake: FakeEngine) -> None:
    assert answer(capsys, "next", "--prompt", "")["prompt_ids"] == list(fake.codec.start_ids)


def test_a_prompt_file_keeps_its_carriage_returns(capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    (tmp_path / "p.txt").write_bytes(b"one\r\ntwo\r\n")
    result = answer(capsys, "next", "--prompt-file", str(tmp_path / "p.txt"))
    assert tuple(result["prompt_ids"]) == fake.codec.encode("one\r\ntwo\r\n")


def test_a_prompt_file_is_read_as_utf8_without_its_mark(capsys: Capture, tmp_path: Path, fake: FakeEngine) -> None:
    (tmp_path / "p.txt").write_bytes("\ufeffनमस्ते 😀".encode())
    result = answer(capsys, "next", "--prompt-file", str(tmp_path / "p.txt"))
    assert tuple(result["prompt_ids"]) == fake.codec.encode("नमस्ते 😀")


@pytest.mark.parametrize(
    "flags", [[], ["--frequency-penalty", "1"], ["--mirostat-tau", "3"], ["--xtc-probability", "0.5"]]
)
def test_generated_tokens_follow_the_prompt_as_steps(capsys: Capture, fake: FakeEngine, flags: list[str]) -> None:
    """The next token after two accepted ones is the third that ``generate`` draws: u, counts and Mirostat included."""
    same = ["--prompt", "hello", "--seed", "5", *flags]
    steps = answer(capsys, "generate", *same, "--max-new-tokens", "3", "--ignore-eos")["steps"]
    taken = [step["id"] for step in steps[:2]]
    distribution = answer(capsys, "next", *same, "--generated", ",".join(map(str, taken)), "--top", "273")
    assert distribution["prompt_ids"] == list(fake.codec.encode("hello")) and distribution["generated_ids"] == taken
    assert (distribution["draw"]["id"], distribution["draw"]["u"]) == (steps[2]["id"], steps[2]["u"])
    drawn = next(row for row in distribution["candidates"] if row["id"] == steps[2]["id"])
    assert drawn["prob"] == pytest.approx(steps[2]["prob"], abs=1e-6)


def test_a_bias_on_a_token_that_is_not_there_is_refused(capsys: Capture, fake: FakeEngine, file: str) -> None:
    for command in (
        ["next"],
        ["generate", "--max-new-tokens", "1"],
        ["best-of-n", "--n", "1", "--max-new-tokens", "1"],
    ):
        assert "--logit-bias" in refusal(capsys, *command, "--prompt", "a", "--logit-bias", "999999=5")
    assert "--logit-bias" in refusal(capsys, "next", "--logits", file, "--logit-bias", "999999=5")


def test_find_lists_the_tokens_of_a_text(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "next", "--prompt", "hello", "--find", " Paris!", "--top-k", "1")
    assert [match["id"] for match in result["found"]] == list(fake.codec.encode(" Paris!"))
    assert result["found"][0]["text"] == " Paris"
    assert result["found"][0]["removed_by"] == "top_k"
    assert "--find: an empty text has no tokens" in refusal(capsys, "next", "--prompt", "hello", "--find", "")


def test_the_table_cannot_be_broken_by_a_token(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    newline_first = FakeEngine(lambda ids: np.where(np.arange(273) == 10, 9.0, 0.0).astype(np.float32))
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: newline_first)
    assert main(["next", "--prompt", "a", "--top", "30", "--find", "\x1b[31m", "--top-p", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "  top_p 0.5: " in printed, "and not Python's dict"
    assert "others: 243 tokens" in printed and "removed by" in printed and "found:" in printed
    assert next(line for line in printed.splitlines() if line.startswith("1 ")).split()[2] == "↵"


# -- refusals ----------------------------------------------------------------------------------------------------------

NUMBERS = [name for name, parameter in PARAMETERS.items() if parameter.kind in ("float", "int")]


def bad_numbers() -> list[tuple[str, str]]:
    cases = []
    for name in NUMBERS:
        parameter = PARAMETERS[name]
        words = ["nan", "inf", "-inf", "abc", "", "1e999", "0x1", "1,5", repr(parameter.high * 2 + 1)]
        words += [repr(parameter.low - 1)] + (["1.5"] if parameter.kind == "int" else [])
        cases += [(parameter.flag, word) for word in words]
    return cases


@pytest.mark.parametrize(("flag", "word"), bad_numbers())
@pytest.mark.usefixtures("no_model")
def test_a_bad_number_is_refused_naming_its_flag(capsys: Capture, flag: str, word: str) -> None:
    assert refusal(capsys, "next", "--prompt", "a", f"{flag}={word}").startswith(f"error: {flag}: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--prompt or --prompt-file is needed"),
        (["--chat"], "--prompt or --prompt-file is needed"),
        (["--prompt", "a", "--order", "bogus"], "--order"),
        (["--prompt", "a", "--order", ""], "--order"),
        (["--prompt", "a", "--order", "top_k,top_k"], "twice"),
        (["--prompt", "a", "--logit-bias", "7"], "--logit-bias"),
        (["--prompt", "a", "--logit-bias", "x=1"], "--logit-bias"),
        (["--prompt", "a", "--logit-bias", "7=nan"], "--logit-bias"),
        (["--prompt", "a", "--logit-bias", "7=1000"], "--logit-bias"),
        (["--prompt", "a", "--logit-bias", "7=1", "--logit-bias", "7=2"], "twice"),
        (["--prompt", "a", "--logit-bias", "-1=1"], "--logit-bias"),
        (["--prompt", "a", "--dry-sequence-breakers", "x" * 41], "--dry-sequence-breakers"),
        (["--prompt", "a", "--seed", "-1"], "--seed"),
        (["--prompt", "a", "--seed", "4294967296"], "--seed"),
        (["--prompt", "a", "--seed", "nan"], "--seed"),
        (["--prompt", "a", "--seed", "1.5"], "--seed"),
        (["--prompt", "a", "--top", "0"], "--top"),
        (["--prompt", "a", "--top", "many"], "--top"),
        (["--prompt", "a", "--top", "-3"], "--top"),
        (["--prompt", "a", "--ids", "1"], "--ids"),
        (["--ids", "1,x"], "--ids"),
        (["--ids", "-1"], "--ids"),
        (["--ids", "1;2"], "--ids"),
        (["--ids", "9" * 5000], "--ids"),
        (["--ids", "1", "--chat"], "--chat"),
        (["--ids", "1", "--system", "a"], "--system"),
        (["--prompt", "a", "--history", "1"], "--history"),
        (["--ids", "1", "--generated", "x"], "--generated"),
        (["--prompt", "a", "--dry-sequence-breakers", "\udcff"], "--dry-sequence-breakers"),
        (["--prompt-file", "no/such/file.txt"], "--prompt-file"),
        (["--prompt-file", "."], "--prompt-file"),
        (["--prompt-file", "a\0b"], "--prompt-file"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("no_model")
def test_refused_before_a_model_is_loaded(capsys: Capture, arguments: list[str], said: str) -> None:
    assert said in refusal(capsys, "next", *arguments)


@pytest.mark.parametrize(
    "flags",
    [
        ["--prompt", "a"],
        ["--prompt-file", "a"],
        ["--ids", "1"],
        ["--find", "a"],
        ["--model", "gpt2"],
        ["--chat"],
        ["--system", "a"],
        ["--parse-special"],
        ["--device", "cpu"],
        ["--dtype", "float32"],
    ],
    ids=lambda flags: flags[0],
)
@pytest.mark.usefixtures("no_model")
def test_logits_stand_alone(capsys: Capture, file: str, flags: list[str]) -> None:
    line = refusal(capsys, "next", "--logits", file, *flags)
    assert flags[0] in line and "--logits" in line


def test_a_prompt_file_that_is_no_text_is_refused(capsys: Capture, tmp_path: Path, no_model: None) -> None:
    (tmp_path / "bad.txt").write_bytes(b"abc\xff\xfe")
    assert "UTF-8" in refusal(capsys, "next", "--prompt-file", str(tmp_path / "bad.txt"))


def test_a_prompt_file_beyond_measure_is_not_read(
    capsys: Capture, tmp_path: Path, no_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "MAX_FILE_BYTES", 10)
    (tmp_path / "long.txt").write_text("x" * 11)
    assert "more than 10 bytes" in refusal(capsys, "next", "--prompt-file", str(tmp_path / "long.txt"))


def test_a_pipe_is_read_once_and_only_so_far(
    capsys: Capture, tmp_path: Path, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe gives its text once; a device such as /dev/zero has no size and would be read until the memory is full."""
    monkeypatch.setattr(options, "MAX_FILE_BYTES", 10)
    for text in (b"hello", b"x" * 11):
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        try:
            if text == b"hello":
                result = answer(capsys, "next", "--prompt-file", f"/dev/fd/{read}")
                assert tuple(result["prompt_ids"]) == fake.codec.encode("hello")
            else:
                assert "more than 10 bytes" in refusal(capsys, "next", "--prompt-file", f"/dev/fd/{read}")
        finally:
            os.close(read)


BAD_FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"1 2 3\n",
    "zip": b"PK\x03\x04 not really",
    "cut header": b"\x93NUMPY\x01\x00",
    "huge": b"\x93NUMPY\x01\x00\x76\x00"
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (900000000000000,), }".ljust(117)
    + b"\n",
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
@pytest.mark.usefixtures("no_model")
def test_a_file_that_is_no_array_is_refused(capsys: Capture, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    assert "not a readable .npy file" in refusal(capsys, "next", "--logits", str(tmp_path / "x.npy"))


@pytest.mark.parametrize("name", ["no/such/file.npy", ".", "", "a\0b"])
@pytest.mark.usefixtures("no_model")
def test_a_file_that_cannot_be_opened_is_refused(capsys: Capture, name: str) -> None:
    assert refusal(capsys, "next", "--logits", name).startswith("error: --logits")


def test_a_pickle_is_never_unpickled(capsys: Capture, tmp_path: Path, no_model: None) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "exploded",)

    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    assert "not a readable .npy file" in refusal(capsys, "next", "--logits", str(tmp_path / "bomb.npy"))
    assert not (tmp_path / "exploded").exists()


BAD_ARRAYS = {
    "scalar": np.float32(1),
    "matrix": np.zeros((2, 3), dtype=np.float32),
    "no token": np.zeros(0, dtype=np.float32),
    "complex": np.zeros(3, dtype=np.complex64),
    "text": np.array(["a", "b"]),
    "truth": np.array([True, False]),
    "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
}


@pytest.mark.parametrize("array", BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
@pytest.mark.usefixtures("no_model")
def test_an_array_of_the_wrong_shape_or_kind_is_refused(capsys: Capture, tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", array)
    assert "one (vocab,) array of numbers" in refusal(capsys, "next", "--logits", str(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    "values", [[1, math.nan], [1, math.inf], [-math.inf, -math.inf], [1e300, 0.0]], ids=["nan", "inf", "none", "1e300"]
)
@pytest.mark.usefixtures("no_model")
def test_numbers_no_token_can_be_drawn_from_are_refused(capsys: Capture, tmp_path: Path, values: list[float]) -> None:
    np.save(tmp_path / "x.npy", np.array(values, dtype=np.float64))
    assert "logits" in refusal(capsys, "next", "--logits", str(tmp_path / "x.npy")).lower()


@pytest.mark.parametrize("flag", ["--history", "--generated"])
@pytest.mark.parametrize("ids", [str(VOCAB), "-1", "a", "1,,2", "1.5"])
@pytest.mark.usefixtures("no_model")
def test_history_takes_only_ids_of_the_vocabulary(capsys: Capture, file: str, flag: str, ids: str) -> None:
    assert flag in refusal(capsys, "next", "--logits", file, f"{flag}={ids}")


@pytest.mark.parametrize("name", ["no/such/folder/out.npy", ".", "a\0b"])
@pytest.mark.usefixtures("no_model")
def test_out_that_cannot_be_written_is_refused_and_nothing_is_printed(capsys: Capture, file: str, name: str) -> None:
    assert "--out" in refusal(capsys, "next", "--logits", file, "--out", name)


def test_ids_outside_the_vocabulary_are_refused(capsys: Capture, fake: FakeEngine) -> None:
    assert "ids go from 0 to 272" in refusal(capsys, "next", "--ids", "273")


def test_no_ids_at_all_are_an_empty_prompt(capsys: Capture, fake: FakeEngine) -> None:
    assert "empty" in refusal(capsys, "next", "--ids", "")


def test_a_prompt_longer_than_the_context_is_refused(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: FakeEngine(context_length=8))
    assert "at most 8" in refusal(capsys, "next", "--prompt", "x" * 100)


def test_system_needs_chat(capsys: Capture, fake: FakeEngine) -> None:
    assert "--chat" in refusal(capsys, "next", "--prompt", "a", "--system", "b")


def test_chat_without_a_template_is_refused(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: FakeEngine(has_chat_template=False))
    assert "chat template" in refusal(capsys, "next", "--prompt", "a", "--chat")


def test_a_lone_surrogate_is_refused(capsys: Capture, fake: FakeEngine) -> None:
    refusal(capsys, "next", "--prompt", "a\ud800")


def test_a_model_that_is_nowhere_is_refused(capsys: Capture) -> None:
    assert "no-such-model" in refusal(capsys, "next", "--prompt", "a", "--model", "no-such-model")


def test_what_the_engine_refuses_is_said(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(ids: tuple[int, ...]) -> np.ndarray:
        raise BadPrompt("Not this one.")

    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: FakeEngine(broken))
    assert refusal(capsys, "next", "--prompt", "a") == "error: Not this one."


# -- the real model ----------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_paris_on_the_bundled_model_as_a_real_process(bundled_model_path: Path) -> None:
    """0.7725 in float32, measured with llama.cpp on the same weights as 0.772."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "playground",
            "next",
            "--prompt",
            "The capital of France is",
            "--find",
            " Paris",
            "--dtype",
            "float32",
            "--device",
            "cpu",
            "--json",
        ],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["candidates"][0]["text"] == " Paris"
    assert result["candidates"][0]["prob"] == pytest.approx(0.7725, abs=0.0005)
    assert result["found"] == [result["candidates"][0]]
    assert (result["vocab_size"], len(result["prompt_ids"])) == (49_152, 5)
