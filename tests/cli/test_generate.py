"""``generate`` and ``score``: fields, numbers against the engine and plain softmax, and every refusal."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.generation.streaming import stream_rows
from playground.sampling.draw import UniformStream
from tests.cli.running import Capture, answer, refusal

GENERATE = {"text", "finish_reason", "prompt_ids", "steps", "timings"}
STEP = {"id", "text", "raw_logprob", "prob", "rank", "entropy", "kept", "u", "top"}
SCORE = {"tokens", "total_logprob", "perplexity", "bits_per_byte"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """With every facet that a model in this process has: what streams too is still sampled here, every step recorded."""
    engine = FakeEngine(streamer=stream_rows)

    def make(*given: object) -> FakeEngine:
        assert stream_rows in given, "the command opens engines that stream"
        return engine

    monkeypatch.setattr("playground.engine.factory.make_engine", make)
    return engine


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("playground.engine.factory.make_engine", refuse)


def says(monkeypatch: pytest.MonkeyPatch, text: str, *tail: int) -> FakeEngine:
    """An engine that answers the one-token prompt "A" with ``text``."""
    planned = (*FakeEngine().codec.encode(text), *tail)

    def logits(ids: tuple[int, ...]) -> npt.NDArray[np.float32]:
        row = np.zeros(VOCAB, dtype=np.float32)
        row[planned[min(len(ids) - 1, len(planned) - 1)]] = 60.0
        return row

    engine = FakeEngine(logits)
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    return engine


def softmax(row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shifted = np.exp(row.astype(np.float64) - row.max())
    probs: npt.NDArray[np.float64] = shifted / shifted.sum()
    return probs


def test_generate_gives_what_was_agreed(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(
        capsys,
        "generate",
        "--prompt",
        "Hi",
        "--max-new-tokens",
        "5",
        "--seed",
        "3",
        "--top-k",
        "30",
        "--top",
        "4",
        "--ignore-eos",
    )
    assert set(result) >= GENERATE
    assert result["prompt_ids"] == [72, 105] and result["finish_reason"] == "length"
    assert set(result["timings"]) == {"prefill_s", "decode_s", "new_tokens"} and result["timings"]["new_tokens"] == 5
    assert len(result["steps"]) == 5
    ids: tuple[int, ...] = (72, 105)
    for place, step in enumerate(result["steps"]):
        assert set(step) >= STEP
        raw = softmax(fake.next_logits(ids).logits)
        kept = np.argsort(-raw, kind="stable")[:30]
        final = raw / raw[kept].sum()
        assert step["u"] == UniformStream(3).at(place)
        drawn = kept[np.searchsorted(np.cumsum(final[kept]), step["u"], side="right")]
        assert step["id"] == drawn
        assert math.isclose(step["raw_logprob"], math.log(raw[drawn]), abs_tol=1e-4)
        assert math.isclose(step["prob"], final[drawn], abs_tol=1e-5)
        assert step["kept"] == 30 and kept[step["rank"]] == drawn
        assert math.isclose(step["entropy"], -(raw * np.log(raw)).sum(), abs_tol=1e-3)
        assert [other["id"] for other in step["top"]] == kept[:4].tolist()
        ids += (step["id"],)


def test_the_same_seed_gives_the_same_text(capsys: Capture, fake: FakeEngine) -> None:
    once, again, other = (
        answer(capsys, "generate", "--prompt", "Hi", "--max-new-tokens", "8", "--seed", seed)["text"]
        for seed in ("1", "1", "2")
    )
    assert once == again != other


def test_a_stop_string_may_span_tokens_and_is_hidden(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "one two} three")
    result = answer(capsys, "generate", "--prompt", "A", "--stop", "o} t", "--stop", "zzz")
    assert (result["text"], result["finish_reason"], result["stopped_by"]) == ("one tw", "stop", "o} t")
    assert result["hidden_text"].startswith("o} t")


def test_end_and_stop_tokens(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "ab", EOS_ID)
    assert answer(capsys, "generate", "--prompt", "A")["finish_reason"] == "eos"
    result = answer(capsys, "generate", "--prompt", "A", "--stop-token-id", "98", "--stop-token-id", "7")
    assert (result["text"], result["finish_reason"], result["stopped_by"]) == ("a", "stop", "98")
    result = answer(capsys, "generate", "--prompt", "A", "--ignore-eos", "--max-new-tokens", "6")
    assert result["finish_reason"] == "length" and len(result["steps"]) == 6


def test_chat_goes_through_the_template(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "generate", "--prompt", "Hi", "--chat", "--system", "Be kind.", "--max-new-tokens", "1")
    assert tuple(result["prompt_ids"]) == fake.codec.encode_chat("Hi", system="Be kind.")


def test_without_json_it_reads_as_a_table(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.cli import main

    says(monkeypatch, "a\x1b[31mb\nc")
    assert main(["generate", "--prompt", "A", "--max-new-tokens", "12", "--stop", "c"]) == 0
    printed = capsys.readouterr().out
    assert "ended by stop at 'c'" in printed and "\x1b" not in printed, "a model must not move the cursor"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], "--prompt"),
        (["--prompt", "Hi", "--max-new-tokens", "0"], "--max-new-tokens"),
        (["--prompt", "Hi", "--max-new-tokens", "-3"], "--max-new-tokens"),
        (["--prompt", "Hi", "--max-new-tokens", "1e3"], "--max-new-tokens"),
        (["--prompt", "Hi", "--stop", ""], "--stop"),
        (["--prompt", "Hi", "--stop", "x" * 201], "--stop"),
        (["--prompt", "Hi", *["--stop=a"] * 17], "--stop"),
        (["--prompt", "Hi", "--stop-token-id", "x"], "--stop-token-id"),
        (["--prompt", "Hi", "--stop-token-id", "-1"], "--stop-token-id"),
        (["--prompt", "Hi", "--top", "-1"], "--top"),
        (["--prompt", "Hi", "--top-p", "2"], "--top-p"),
        (["--prompt", "Hi", "--seed", "x"], "--seed"),
        (["--prompt", "Hi", "--nonsense"], "--nonsense"),
    ],
)
@pytest.mark.usefixtures("no_model")
def test_a_bad_flag_is_refused_by_name_before_a_model_is_loaded(capsys: Capture, flags: list[str], named: str) -> None:
    assert named in refusal(capsys, "generate", *flags)


def test_what_only_the_model_can_refuse(capsys: Capture, fake: FakeEngine) -> None:
    assert "2,048" in refusal(capsys, "generate", "--prompt", "Hi", "--max-new-tokens", "2047")
    assert "--stop-token-id: there is no token 5000; ids go from 0 to" in refusal(
        capsys, "generate", "--prompt", "Hi", "--stop-token-id", "5000"
    )
    assert "--system needs --chat" in refusal(capsys, "generate", "--prompt", "Hi", "--system", "x")
    assert (
        len(answer(capsys, "generate", "--prompt", "Hi", "--stop", "[0-9]+.*", "--max-new-tokens", "3")["steps"]) == 3
    )


def test_a_stop_string_in_the_prompt_stops_nothing(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "generate", "--prompt", "}}}", "--stop", "}", "--max-new-tokens", "1", "--temperature", "0")
    assert result["finish_reason"] == "length" or result["steps"][0]["text"] == "}"


# -- score -------------------------------------------------------------------------------------------------------------


def by_hand(engine: FakeEngine, ids: tuple[int, ...]) -> list[float]:
    return [math.log(softmax(engine.next_logits(ids[:i]).logits)[ids[i]]) for i in range(1, len(ids))]


def test_score_gives_what_was_agreed(capsys: Capture, fake: FakeEngine) -> None:
    text = "Héllo the world"
    result = answer(capsys, "score", "--text", text)
    ids = fake.codec.encode(text)
    expected = by_hand(fake, ids)
    assert set(result) >= SCORE
    assert [token["id"] for token in result["tokens"]] == list(ids)
    assert "".join(token["text"] for token in result["tokens"]) == text
    assert [result["tokens"][0][name] for name in ("logprob", "entropy")] == [None, None]
    logprobs = [token["logprob"] for token in result["tokens"][1:]]
    np.testing.assert_allclose(logprobs, expected, atol=1e-4)
    assert result["total_logprob"] == pytest.approx(sum(expected), abs=1e-3)
    assert result["perplexity"] == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-4)
    size = sum(len(fake.codec.token_bytes(token)) for token in ids[1:])
    assert result["bits_per_byte"] == pytest.approx(-sum(expected) / math.log(2) / size, rel=1e-4)


def test_one_token_alone_has_no_probability(capsys: Capture, fake: FakeEngine) -> None:
    result = answer(capsys, "score", "--text", "A")
    assert result["tokens"][0]["logprob"] is None
    assert all(result[name] is None for name in ("total_logprob", "perplexity", "bits_per_byte"))


def test_a_text_from_a_file(capsys: Capture, fake: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("\ufeffHi é".encode())
    first = answer(capsys, "score", "--text-file", str(tmp_path / "t.txt"))
    assert first["tokens"] == answer(capsys, "score", "--text", "Hi é")["tokens"]


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], "--text"),
        (["--text", ""], "empty"),
        (["--text", "a", "--text-file", "b"], "--text"),
        (["--text-file", "nowhere/at/all"], "--text-file"),
        (["--text", "a", "--system", "x"], "--system"),
        (["--prompt", "a"], "--prompt"),
    ],
)
@pytest.mark.usefixtures("no_model")
def test_score_refuses_by_name(capsys: Capture, flags: list[str], named: str) -> None:
    assert named in refusal(capsys, "score", *flags)


@pytest.mark.model
def test_score_is_transformers_loss_on_the_real_model(capsys: Capture, bundled: TransformersEngine) -> None:
    import torch

    text = "The capital of France is Paris."
    result = answer(capsys, "score", "--text", text)
    ids = torch.tensor([[token["id"] for token in result["tokens"]]])
    with torch.inference_mode():
        loss = bundled.loaded.model(ids, labels=ids).loss.item()
    assert result["total_logprob"] == pytest.approx(-loss * (ids.shape[1] - 1), abs=2e-2)


@pytest.fixture
def bundled(bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> TransformersEngine:
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: bundled_engine)
    return bundled_engine
