"""What a server is found to be, and the commands on one: the stand-in of llama.cpp with eight tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.cli import main
from playground.engine.facets import FACETS
from playground.engine.text.codec import HfTextCodec
from tests.cli.running import Capture, answer, refusal
from tests.engine.remote.completions_standin import Completions
from tests.engine.remote.standin import StandIn, running
from tests.engine.remote.tiny_llama import PROBS, TinyLlama, end_event, token_event
from tests.engine.small import byte_level_tokenizer, small_info


@pytest.fixture
def server() -> Iterator[StandIn]:
    with running(TinyLlama(events=[token_event(1, "a", 1), end_event(1)]).routes()) as standin:
        yield standin


def test_a_probe_says_what_the_server_is(capsys: Capture, server: StandIn) -> None:
    probe = answer(capsys, "engines", "--probe", server.base)
    assert (probe["kind"], probe["version"], probe["models"], probe["raw"]) == ("llama.cpp", "b1-tiny", ["tiny"], True)
    assert set(probe["facets"]) == {facet.__name__ for facet in FACETS}
    assert {name for name, offered in probe["facets"].items() if offered is True} == {"NextTokens", "Stream", "Echo"}
    assert (probe["slots"], probe["context_length"], probe["vocab_size"]) == (2, 64, 8)


def test_a_probe_for_people_and_the_engines_there_are(capsys: Capture, server: StandIn) -> None:
    assert main(["engines", "--probe", server.base]) == 0
    assert "llama.cpp b1-tiny: whole rows, before its samplers, 2 requests at a time" in capsys.readouterr().out
    assert main(["engines"]) == 0
    assert "NextTokens" in capsys.readouterr().out
    assert set(answer(capsys, "engines")["facets"]) == {facet.__name__ for facet in FACETS}


def test_next_on_a_server(capsys: Capture, server: StandIn) -> None:
    distribution = answer(capsys, "next", "--model", server.base, "--ids", "1", "--top-k", "2")
    assert (distribution["model"], distribution["vocab_size"]) == (server.base, 8)
    first = distribution["candidates"][0]
    assert (first["id"], first["text"]) == (1, "a") and first["raw_logprob"] == pytest.approx(math.log(PROBS[1]))
    assert first["prob"] == pytest.approx(0.4 / 0.7)


def test_a_repetition_penalty_needs_logits(capsys: Capture, server: StandIn) -> None:
    line = refusal(capsys, "next", "--model", server.base, "--ids", "1", "--repetition-penalty", "1.2")
    assert "multiplies logits, and this engine tells log-probabilities" in line


def test_generate_on_a_server(capsys: Capture, server: StandIn) -> None:
    generation = answer(
        capsys, "generate", "--model", server.base, "--prompt", "a", "--temperature", "0", "--max-new-tokens", "4"
    )
    assert (generation["text"], generation["finish_reason"], generation["sampled_by"]) == ("a", "length", "engine")
    assert server.asked[-1].body["temperature"] == 0 and server.asked[-1].body["top_k"] == 0


def test_a_text_that_must_match_something(capsys: Capture, server: StandIn) -> None:
    asked = ("generate", "--model", server.base, "--prompt", "a", "--max-new-tokens", "4")
    answer(capsys, *asked, "--json-schema", '{"type": "object"}')
    assert server.asked[-1].body["json_schema"] == {"type": "object"}
    answer(capsys, *asked, "--choice", "yes\nno")
    assert server.asked[-1].body["grammar"] == 'root ::= "yes" | "no"'
    assert "has JSON schema, grammar, list of choices: leave it out" in refusal(capsys, *asked, "--regex", "a+")
    assert "no JSON" in refusal(capsys, *asked, "--json-schema", "{")


def test_a_key_comes_from_the_environment_only(
    capsys: Capture, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-1")
    answer(capsys, "engines", "--probe", server.base, "--api-key-env", "MY_KEY")
    assert {asked.headers.get("Authorization") for asked in server.asked} == {"Bearer sk-1"}
    assert "no variable 'OTHER'" in refusal(capsys, "engines", "--probe", server.base, "--api-key-env", "OTHER")
    monkeypatch.setenv("MY_KEY", "sk-1\nX-Evil: 1")
    line = refusal(capsys, "next", "--model", server.base, "--ids", "1", "--api-key-env", "MY_KEY")
    assert "has a line break" in line and "sk-1" not in line


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("http://127.0.0.1:9/v1", "There is no answer from"),
        ("http://me:secret@box/v1", "user name or password"),
        ("gpt2", "--probe takes a server's address"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(capsys: Capture, spec: str, says: str) -> None:
    line = refusal(capsys, "engines", "--probe", spec)
    assert says in line and "secret" not in line


def test_score_on_a_server_that_scores_prompts(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not tell, the entropies, is null, and unknown for people: not 0."""
    tokenizer = byte_level_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    monkeypatch.setenv("PLAYGROUND_TOKENIZER", str(tmp_path))
    codec = HfTextCodec(tokenizer, small_info(vocab_size=len(tokenizer)))
    with running(Completions(codec, len(tokenizer), owned_by="vllm").routes()) as server:
        scores = answer(capsys, "score", "--model", server.base, "--text", "hello")
        assert [token["entropy"] for token in scores["tokens"]] == [None] * 4
        assert all(token["logprob"] < 0 for token in scores["tokens"][1:])
        assert main(["score", "--model", server.base, "--text", "hello"]) == 0
        printed = capsys.readouterr().out
        assert "unknown" in printed and "0.000" not in printed
