"""``--compare-model`` of ``next`` and ``generate``: SciPy's numbers, other vocabularies, one model at a time, every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from playground.cli import main
from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.types import FloatArray, TokenIds
from playground.models.address import ServerAccess
from tests.cli.running import Capture, answer, refusal
from tests.engine.other_vocabulary import ReversedEngine, reversed_ids

ASKED = ("next", "--prompt", "hello", "--top", "2")
Given = tuple[str | None, str | None, str | None]


def rounded(ids: TokenIds) -> FloatArray:
    return np.round(default_logits(ids), 1).astype(np.float32)


class Opener:
    """Stands in for the factory: opens an engine of each name and takes note."""

    def __init__(self) -> None:
        self.opened: list[tuple[Given, Any]] = []
        self.access: list[ServerAccess] = []
        self.most_open = 0

    def __call__(self, *given: Any) -> object:
        spec, _device, dtype = given[:3]
        kinds: dict[str | None, Callable[[], Any]] = {"other": ReversedEngine, "top": ServedFakeEngine}
        engine: Any = FakeEngine(rounded) if dtype == "bfloat16" else kinds.get(spec, FakeEngine)()
        self.opened.append((given[:3], engine))
        self.access.append(given[5])
        self.most_open = max(self.most_open, sum(not each.closed for _, each in self.opened))
        return engine


@pytest.fixture(autouse=True)
def opener(monkeypatch: pytest.MonkeyPatch) -> Opener:
    recorder = Opener()
    monkeypatch.setattr("playground.engine.factory.make_engine", recorder)
    return recorder


def test_another_number_format_has_scipys_divergence(capsys: Capture, opener: Opener) -> None:
    plain = answer(capsys, *ASKED)
    opener.opened.clear()
    distribution = answer(capsys, *ASKED, "--compare-model", "@bfloat16", "--compare-model", "gpt2")
    first, second = distribution.pop("compared")
    assert distribution == plain, "what was there stays as it was"
    ids = tuple(plain["prompt_ids"])
    p, q = softmax(default_logits(ids).astype(float)), softmax(rounded(ids).astype(float))
    assert first["same_vocabulary"] and first["kl"]["low"] == first["kl"]["high"] == pytest.approx(
        entropy(p, q), abs=1e-9
    )
    assert first["kl_reverse"]["low"] == pytest.approx(entropy(q, p), abs=1e-9)
    most = int(np.argmax(np.abs(p - q)))
    assert first["moved"][0]["prob"] == pytest.approx(p[most]) and first["moved"][0]["prob_compared"] == pytest.approx(
        q[most]
    )
    assert second["kl"]["low"] == 0 and second["moved"] == [] and second["compared"] == "gpt2"
    assert opener.most_open == 2, "the first, and one at a time beside it"


def test_another_vocabulary_is_aligned_by_text_and_reads_the_same_text(capsys: Capture) -> None:
    comparison = answer(capsys, *ASKED, "--generated", "104,105", "--compare-model", "other")["compared"][0]
    assert not comparison["same_vocabulary"] and (comparison["kl"], comparison["kl_reverse"]) == (None, None)
    assert comparison["prompt_ids"] == [*reversed_ids((*FakeCodec().encode("hello"), 104, 105))]
    assert comparison["total_variation"]["high"] == pytest.approx(0, abs=1e-6) and comparison["not_in_other"] == 0


def test_a_row_told_in_part_gives_bounds(capsys: Capture) -> None:
    comparison = answer(capsys, *ASKED, "--compare-model", "top")["compared"][0]
    assert comparison["kl"]["high"] is None and 0 <= comparison["kl"]["low"] < 1e-6
    assert 0 <= comparison["total_variation"]["low"] < 1e-6 < comparison["total_variation"]["high"] < 1


def test_the_chat_template_beside_raw_text_opens_no_other_model(capsys: Capture, opener: Opener) -> None:
    comparison = answer(capsys, *ASKED, "--compare-model", "@chat")["compared"][0]
    assert len(opener.opened) == 1 and comparison["prompt_ids"] == list(FakeCodec().encode_chat("hello"))


def test_the_readable_form_says_it_too(capsys: Capture) -> None:
    words = ("--compare-model", "@bfloat16", "--compare-model", "other", "--compare-model", "top")
    assert main([*ASKED, *words]) == 0
    printed = capsys.readouterr().out
    assert "KL(first ‖ compared) 0.0" in printed and "another vocabulary, aligned by text" in printed
    assert "at least" in printed and "largest differences" in printed


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--compare-model", "@chat@raw"), "says the reading twice"),
        (("--compare-model", ""), "a number format after @"),
        (("--compare-model", "a") * 4, "at most 3 models"),
        (("--model", "http://127.0.0.1:1/v1", "--compare-model", "@bfloat16"), "runs where and as its server put it"),
    ],
)
def test_a_wrong_name_is_refused_before_a_model_is_loaded(
    capsys: Capture, opener: Opener, flags: tuple[str, ...], said: str
) -> None:
    assert said in refusal(capsys, *ASKED, *flags) and opener.opened == []


def test_ids_and_logits_have_no_other_model(capsys: Capture) -> None:
    assert "--compare-model cannot be used with --ids" in refusal(
        capsys, "next", "--ids", "1", "--compare-model", "gpt2"
    )
    line = refusal(capsys, "next", "--logits", "x.npy", "--compare-model", "gpt2")
    assert "--compare-model cannot be used with --logits" in line


def test_accepted_tokens_that_are_no_text_are_not_carried_over(capsys: Capture) -> None:
    line = refusal(capsys, *ASKED, "--generated", "195", "--compare-model", "other")
    assert "no text that a model with another vocabulary could read" in line


def test_a_key_is_shown_to_the_first_models_server_only(
    capsys: Capture, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_API_KEY", "sk-1")
    flags = ("--model", "http://box/v1#a", "--compare-model", "http://box/v1#b", "--compare-model", "http://other/v1")
    answer(capsys, *ASKED, *flags)
    assert [access.key for access in opener.access] == ["sk-1", "sk-1", None]


# -- generate ----------------------------------------------------------------------------------------------------------

WRITTEN = (
    "generate",
    "--prompt",
    "hello",
    "--max-new-tokens",
    "8",
    "--ignore-eos",
    "--temperature",
    "1.3",
    "--seed",
    "3",
)


def test_other_models_write_what_they_write_alone_on_the_same_seed(capsys: Capture, opener: Opener) -> None:
    generation = answer(
        capsys, *WRITTEN, "--compare-model", "@bfloat16", "--compare-model", "other", "--compare-model", "@chat"
    )
    first, other, chat = generation.pop("compared")
    assert opener.most_open == 2
    alone = [
        answer(capsys, *WRITTEN, *flags) for flags in ((), ("--dtype", "bfloat16"), ("--model", "other"), ("--chat",))
    ]

    def ids(result: dict[str, Any]) -> list[int]:
        return [step["id"] for step in result["steps"]]

    assert [ids(one) for one in (generation, first, other, chat)] == [ids(one) for one in alone]
    place = next(n for n, (a, b) in enumerate(zip(ids(generation), ids(first), strict=True)) if a != b)
    assert first["parts_at"]["token"] == first["parts_at"]["token_compared"] == place
    assert first["parts_at"]["text"] == generation["steps"][place]["text"] and first["same_vocabulary"]
    assert not other["same_vocabulary"] and other["prompt_ids"] == list(reversed_ids(generation["prompt_ids"]))
    assert chat["prompt_ids"] == list(FakeCodec().encode_chat("hello"))


def test_stop_ids_of_another_vocabulary_are_left_out_and_a_bias_is_refused(capsys: Capture) -> None:
    stop = str(answer(capsys, *WRITTEN)["steps"][2]["id"])
    generation = answer(
        capsys, *WRITTEN, "--stop-token-id", stop, "--compare-model", "@bfloat16", "--compare-model", "other"
    )
    assert generation["finish_reason"] == "stop" and len(generation["compared"][1]["steps"]) == 8
    assert "has another vocabulary" in refusal(capsys, *WRITTEN, "--logit-bias", "65=2", "--compare-model", "other")


def test_the_readable_form_shows_each_text_and_where_it_parts(capsys: Capture) -> None:
    assert main([*WRITTEN, "--compare-model", "@bfloat16", "--compare-model", "gpt2", "--compare-model", "top"]) == 0
    printed = capsys.readouterr().out
    assert "parts from the first text at token" in printed and "the same text" in printed
    assert printed.count("ended by length") == 4 and "sampled by the engine" in printed
