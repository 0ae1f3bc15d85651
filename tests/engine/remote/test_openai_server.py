"""A server with OpenAI's completions: what it is asked is what OpenAI's own types allow, what it tells is passed on, and
where it tells less, or lies, that is said. The real server with this interface at hand is llama.cpp's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.engine.api import NextTokens, Score, Stream
from playground.engine.facets import offers, require
from playground.engine.factory import make_engine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.remote import http
from playground.engine.remote.http import ServerClient
from playground.engine.remote.openai_connect import connect_completions
from playground.engine.remote.openai_server import OpenAIEngine
from playground.engine.scoring import score_rows
from playground.engine.text.codec import HfTextCodec
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest, TokenIds, TopTokens
from playground.errors import BadInput, ModelNotFound, ServerError
from playground.models.address import parse_address
from playground.models.tokenizers import TOKENIZER_VARIABLE
from playground.numerics import log_softmax
from tests.engine.remote.completions_standin import Body, Completions
from tests.engine.remote.standin import StandIn, running
from tests.engine.small import byte_level_tokenizer, small_info

TEXT = "The capital of France is"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LONGEST_WAIT_S", 0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tokenizer")
    byte_level_tokenizer().save_pretrained(place)
    return place


@pytest.fixture
def codec(folder: Path, monkeypatch: pytest.MonkeyPatch) -> HfTextCodec:
    monkeypatch.setenv(TOKENIZER_VARIABLE, str(folder))
    tokenizer = byte_level_tokenizer()
    return HfTextCodec(tokenizer, small_info(vocab_size=len(tokenizer), eos_token_ids=()))


@contextmanager
def serving(server: Completions, model: str = "") -> Iterator[tuple[OpenAIEngine, StandIn]]:
    with running(server.routes()) as standin:
        engine = make_engine(standin.base + model)
        assert isinstance(engine, OpenAIEngine)
        with closing(engine):
            yield engine, standin


def completions(codec: HfTextCodec, **fields: Any) -> Completions:
    return Completions(codec, len(byte_level_tokenizer()), **fields)


def top_row(engine: OpenAIEngine, ids: TokenIds) -> TopTokens:
    row = engine.next_logits(ids)
    assert not row.full
    return row


def streamed(engine: OpenAIEngine, **fields: Any) -> tuple[list[StreamedToken], StreamedEnd]:
    request = StreamRequest(engine.codec.encode(TEXT), **{"max_new_tokens": 40, "top": 3, **fields})
    events: list[StreamEvent] = list(engine.stream(request))
    (end,) = [event for event in events if isinstance(event, StreamedEnd)]
    return [event for event in events if isinstance(event, StreamedToken)], end


# -- what it is found to be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "kind", "version"),
    [
        ("vllm", "vLLM", "0.11.0"),
        ("library", "Ollama", "unknown"),
        ("x", "OpenAI-compatible", "unknown"),
    ],
)
def test_a_kind_is_recognised(codec: HfTextCodec, owner: str, kind: str, version: str) -> None:
    server = completions(codec, owned_by=owner)
    with running(server.routes()) as standin:
        engine = make_engine(standin.base + "#other")
        facts = engine.info.server
        assert facts is not None and (facts.kind, facts.version, facts.models) == (kind, version, ("tiny", "other"))
        assert engine.info.context_length == 512 and facts.slots is None
        assert {asked.body["model"] for asked in standin.asked if asked.body} == {"other"}
        engine.close()


@pytest.mark.parametrize(("most", "listed"), [(20, 20), (7, 5), (1, 1), (0, 0)])
def test_how_much_of_a_row_is_told_is_found_out(codec: HfTextCodec, most: int, listed: int) -> None:
    with serving(completions(codec, most=most, owned_by="vllm")) as (engine, _standin):
        assert engine.info.server is not None and engine.info.server.row_tokens == listed
        assert offers(engine, NextTokens) == bool(listed) and offers(engine, Stream)


@pytest.mark.parametrize("raw", [True, False])
def test_before_or_after_its_samplers_is_found_out(codec: HfTextCodec, raw: bool) -> None:
    with serving(completions(codec, raw=raw)) as (engine, _standin):
        assert engine.info.server is not None and engine.info.server.raw is raw
        tokens, _end = streamed(engine, temperature=0.5)
        assert all((token.logprob is not None) == raw for token in tokens), "only the model's own numbers are passed on"
        tokens, _end = streamed(engine)
        assert all(token.logprob is not None for token in tokens)


def test_another_tokenizer_than_the_models_is_refused(codec: HfTextCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    server = completions(codec, change=lambda answer: {**answer, "usage": {**answer["usage"], "prompt_tokens": 3}})
    with running(server.routes()) as standin:
        with pytest.raises(ModelNotFound, match=r"makes 3 tokens of a text .* name its own with PLAYGROUND_TOKENIZER"):
            make_engine(standin.base)
        monkeypatch.delenv(TOKENIZER_VARIABLE)
        with pytest.raises(ModelNotFound, match="tokenizer of 'tiny' is not on this machine"):
            make_engine(standin.base)


class OtherTokens(Completions):
    """As many tokens as the tokenizer here makes, and others."""

    def tokenize(self, text: str) -> tuple[int, ...]:
        return tuple(reversed(super().tokenize(text)))


@pytest.mark.parametrize("owner", ["vllm", "sglang"])
def test_as_many_tokens_are_not_enough_where_the_server_tells_its_own(codec: HfTextCodec, owner: str) -> None:
    server = OtherTokens(codec, len(byte_level_tokenizer()), owned_by=owner)
    with running(server.routes()) as standin, pytest.raises(ModelNotFound, match="makes other tokens of a text"):
        make_engine(standin.base)


# -- the next token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["vllm", "x"])
@pytest.mark.parametrize("takes_ids", [True, False])
def test_the_top_of_a_row(codec: HfTextCodec, owner: str, takes_ids: bool) -> None:
    server = completions(codec, owned_by=owner, takes_ids=takes_ids)
    with serving(server) as (engine, standin):
        ids = engine.codec.encode(TEXT)
        row, exact = top_row(engine, ids), server.row(ids)
        assert isinstance(standin.asked[-1].body["prompt"], list if takes_ids else str)
        if owner == "vllm":  # told by ids: nothing is lost
            assert row.top_ids.tolist() == np.argsort(-exact)[:20].tolist()
        assert row.logprobs == pytest.approx(exact[row.top_ids], abs=1e-5)
        assert row.rest == pytest.approx(1 - np.exp(exact[row.top_ids].astype(np.float64)).sum(), abs=1e-5)
        assert not row.full and list(row.logprobs) == sorted(row.logprobs, reverse=True)


def test_half_a_character_names_no_token_and_is_in_the_rest(codec: HfTextCodec) -> None:
    server = completions(codec)
    with serving(server) as (engine, _standin):
        for last in range(40, 60):
            row = top_row(engine, (last,))
            assert all(
                engine.codec.token_bytes(token) != b"" or engine.codec.is_special(token)
                for token in row.top_ids.tolist()
            )
            exact = server.row((last,))
            assert row.logprobs == pytest.approx(exact[row.top_ids], abs=1e-5)
            unlisted = float(np.delete(exact, row.top_ids).max())
            assert unlisted <= max(float(row.logprobs.min()), -math.inf if row.cap is None else row.cap) + 1e-5


def logprobs_of(answer: Body) -> Body:
    logprobs = answer["choices"][0]["logprobs"]
    assert isinstance(logprobs, dict)
    return logprobs


def lying(**fields: object) -> Callable[[Body], object]:
    """An answer whose log-probabilities have other fields; answers without any are left alone."""

    def change(answer: Body) -> object:
        if answer["choices"][0]["logprobs"]:
            logprobs_of(answer).update(fields)
        return answer

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lying(top_logprobs=[{"a": math.nan}]), "nan as a log-probability"),
        (lying(top_logprobs=[{"a": 2.5}]), "2.5 as a log-probability"),
        (lying(top_logprobs=[{"a": "x"}]), "x as a log-probability"),
        (lying(top_logprobs=[{"a": -0.1, "b": -0.1}]), "in sum and not 1"),
        (lying(top_logprobs=[{"token_id:99999999": -1.0}]), "tells no tokens"),
        (lying(top_logprobs=[]), "'tokens'"),
        (lying(tokens=7), "'tokens'"),
        (lying(tokens=[7]), "'token'"),
        (lambda answer: {**answer, "choices": []}, "tells no tokens"),
        (lambda answer: {**answer, "choices": "x"}, "'choices'"),
        (lambda answer: [answer], "of another form"),
    ],
)
def test_a_row_that_lies_is_refused(codec: HfTextCodec, change: Callable[[Body], object], says: str) -> None:
    server = completions(codec)
    with serving(server) as (engine, _standin):
        server.change = change
        with pytest.raises(ServerError) as refused:
            engine.next_logits(engine.codec.encode(TEXT))
        assert says in str(refused.value)


def test_minus_infinity_is_a_token_that_cannot_come(codec: HfTextCodec) -> None:
    server = completions(codec)
    with serving(server) as (engine, _standin):
        server.change = lying(top_logprobs=[{"a": -0.5, "b": -math.inf}])
        assert top_row(engine, (1,)).logprobs.tolist() == [-0.5, -math.inf]


# -- a given text ----------------------------------------------------------------------------------------------------


def test_a_prompts_own_tokens_are_scored_where_the_server_tells_them(codec: HfTextCodec) -> None:
    server = completions(codec, owned_by="vllm")
    with serving(server) as (engine, _standin):
        ids = engine.codec.encode(TEXT)
        score = require(engine, Score).score(ids)
        rows = np.stack([server.row(ids[:place]) for place in range(1, len(ids))])
        exact = score_rows(ids, rows)
        assert score.logprobs == pytest.approx(exact.logprobs, abs=1e-5, nan_ok=True)
        assert score.ranks.tolist() == exact.ranks.tolist() and np.isnan(score.entropies).all()
        for odd in ([], [None] * len(ids), [None, *[{str(token): {"logprob": 1.0, "rank": 1}} for token in ids[1:]]]):
            server.change = partial(with_scores, odd)
            with pytest.raises(ServerError):
                require(engine, Score).score(ids)


def with_scores(prompt_logprobs: list[Any], answer: Body) -> Body:
    return {**answer, "choices": [{**answer["choices"][0], "prompt_logprobs": prompt_logprobs}]}


@pytest.mark.parametrize("fields", [{"scores": False}, {"takes_ids": False}])
def test_and_elsewhere_the_facet_is_missing(codec: HfTextCodec, fields: dict[str, bool]) -> None:
    with serving(completions(codec, owned_by="vllm", **fields)) as (engine, _standin):
        assert not offers(engine, Score)


# -- texts -----------------------------------------------------------------------------------------------------------


def test_a_text_is_passed_on(codec: HfTextCodec) -> None:
    server = completions(codec, owned_by="vllm")
    with serving(server) as (engine, standin):
        tokens, end = streamed(engine, seed=7)
        assert end == StreamedEnd(0, server.text, "length") and standin.asked[-1].body["seed"] == 7
        assert tuple(token.id for token in tokens) == codec.encode(server.text)
        assert [token.index for token in tokens] == list(range(len(tokens)))
        before = engine.codec.encode(TEXT)
        for token in tokens:
            exact = server.row(before)
            assert token.id is not None and token.logprob == pytest.approx(exact[token.id], abs=1e-5)
            assert [one for one, _ in token.top] == np.argsort(-exact)[:3].tolist()
            before = (*before, token.id)


def test_several_texts_have_seeds_of_their_own(codec: HfTextCodec) -> None:
    with serving(completions(codec)) as (engine, standin):
        events = list(engine.stream(StreamRequest((1,), n=3, max_new_tokens=2, seed=5)))
        assert sorted(event.row for event in events if isinstance(event, StreamedEnd)) == [0, 1, 2]
        assert sorted(asked.body["seed"] for asked in standin.asked[-3:]) == [5, 6, 7]


@pytest.mark.parametrize(
    ("finish", "stop", "reason"),
    [
        ({"finish_reason": "length"}, (), "length"),
        ({"finish_reason": "stop"}, (), "eos"),
        ({"finish_reason": "stop"}, ("\n",), "stop"),
        ({"finish_reason": "stop", "stop_reason": None}, ("\n",), "eos"),
        ({"finish_reason": "stop", "stop_reason": "\n"}, ("\n",), "stop"),
        ({"finish_reason": "stop", "stop_reason": 2}, ("\n",), "eos"),
        ({"finish_reason": "stop", "matched_stop": 2}, ("\n",), "eos"),
    ],
)
def test_why_a_text_ended(codec: HfTextCodec, finish: Body, stop: tuple[str, ...], reason: str) -> None:
    with serving(completions(codec, finish=finish)) as (engine, standin):
        assert streamed(engine, stop=stop)[1].reason == reason
        assert standin.asked[-1].body.get("stop") == (list(stop) or None)


@pytest.mark.parametrize("setting", [{"top_k": 5}, {"min_p": 0.1}, {"repetition_penalty": 1.1}, {"ignore_eos": True}])
def test_what_the_interface_does_not_have_is_said_or_refused(codec: HfTextCodec, setting: dict[str, Any]) -> None:
    (name,) = setting
    with serving(completions(codec, owned_by="vllm")) as (engine, standin):
        streamed(engine, **setting)
        assert standin.asked[-1].body[name] == setting[name]
        streamed(engine)
        assert standin.asked[-1].body.get("top_k") == -1, "the server's defaults, or the model's, would slip in"
    with serving(completions(codec)) as (engine, standin), pytest.raises(BadInput, match=f"cannot be told {name}"):
        streamed(engine, **setting)


def test_a_text_of_which_nothing_is_told(codec: HfTextCodec) -> None:
    server = completions(codec, most=0)
    with serving(server) as (engine, _standin):
        tokens, end = streamed(engine)
        assert end.text == server.text == "".join(token.text for token in tokens)
        assert all(token.id is None and token.logprob is None and token.top == () for token in tokens)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda answer: {**answer, "error": {"message": "out of memory"}}, "gave up"),
        (lambda answer: {**answer, "choices": []}, "without saying so"),
        (lambda answer: {**answer, "choices": [{"text": 7}]}, "'text'"),
        (lying(token_logprobs=[0.7]), "0.7 as a log-probability"),
    ],
)
def test_a_text_that_lies_is_refused(codec: HfTextCodec, change: Callable[[Body], object], says: str) -> None:
    server = completions(codec)
    with serving(server) as (engine, _standin):
        server.change = change
        with pytest.raises(ServerError) as refused:
            streamed(engine)
        assert says in str(refused.value)


# -- the real thing --------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_on_llama_cpps_own_completions(
    llama_base: str, bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKENIZER_VARIABLE, "smollm2-135m-instruct")
    client = ServerClient(parse_address(llama_base))
    with closing(connect_completions(client, lambda what, fraction: None)) as engine:
        assert isinstance(engine, OpenAIEngine)
        assert engine.info.server is not None and (engine.info.server.row_tokens, engine.info.server.raw) == (20, True)
        ids = engine.codec.encode(TEXT)
        row = top_row(engine, ids)
        exact = log_softmax(bundled_engine.next_logits(ids).logits)
        assert row.top_ids[0] == exact.argmax() and np.exp(row.logprobs) == pytest.approx(
            np.exp(exact[row.top_ids]), abs=0.02
        )
        tokens, end = streamed(engine, temperature=0, max_new_tokens=12)
        assert end.text.startswith(" Paris") and end.text == engine.codec.decode([token.id or 0 for token in tokens])
