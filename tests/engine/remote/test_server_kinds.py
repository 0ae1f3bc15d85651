"""What vLLM, SGLang and servers of chats have beyond OpenAI's completions, played by stand-ins; and what texts must match."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.constraint import Constraint
from playground.engine.api import NextTokens, Score, Stream
from playground.engine.facets import offers, require
from playground.engine.factory import make_engine
from playground.engine.remote import http
from playground.engine.remote.llama_cpp import LlamaCppEngine
from playground.engine.remote.openai_server import OpenAIEngine
from playground.engine.scoring import score_rows
from playground.engine.types import StreamedEnd, StreamRequest
from playground.errors import BadInput, BadPrompt, CapabilityMissing, ServerError
from playground.models.tokenizers import TOKENIZER_VARIABLE
from tests.engine.contract_engines import served, standin
from tests.engine.remote.chat_standin import Chats
from tests.engine.remote.completions_standin import Body, Completions
from tests.engine.remote.sglang_standin import Sglang
from tests.engine.remote.standin import running
from tests.engine.small import byte_level_tokenizer

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    }
)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(http, "_LONGEST_WAIT_S", 0.01)
    byte_level_tokenizer().save_pretrained(tmp_path)
    monkeypatch.setenv(TOKENIZER_VARIABLE, str(tmp_path))


def texts(engine: Any, **fields: Any) -> list[str]:  # noqa: ANN401  (an engine of any kind)
    request = StreamRequest((1, 2), **{"max_new_tokens": 8, "top": 2, **fields})
    ends = [event for event in require(engine, Stream).stream(request) if isinstance(event, StreamedEnd)]
    return [end.text for end in sorted(ends, key=lambda end: end.row)]


# -- whole rows ------------------------------------------------------------------------------------------------------


def test_vllm_tells_whole_rows_where_it_may() -> None:
    server = standin("vllm", most=10**6)
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        facts = engine.info.server
        assert facts is not None and facts.row_tokens is None and "whole rows" in facts.sentence
        row = require(engine, NextTokens).next_logits((1, 2))
        assert row.full and row.normalised
        np.testing.assert_allclose(row.logits, server.row((1, 2)), atol=1e-5)
        assert place.asked[-1].body["logprobs"] == server.size, "-1 lists nothing in completions"
        server.size = 400  # it is started again with another model
        with pytest.raises(ServerError, match="tells"):
            require(engine, NextTokens).next_logits((1, 2))
        engine.close()


def test_a_head_with_more_rows_than_the_tokenizer_has_tokens() -> None:
    """Padded to a multiple of something, as many are: the row is the head's, and ids beyond the tokenizer have no text."""
    server = standin("vllm", most=10**6)
    own = server.size
    server.size = own + 37
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        assert engine.info.vocab_size in (own, own + 37)
        row = require(engine, NextTokens).next_logits((1, 2))
        if engine.info.vocab_size == own:
            assert not row.full, "where the largest id was not among the likeliest, the row is told in part"
        else:
            assert row.full and engine.codec.piece(own + 5) == f"⟨id {own + 5}⟩"
        engine.close()


def test_sglangs_rows_and_scores_are_by_ids() -> None:
    server = standin("sglang", Sglang)
    assert isinstance(server, Sglang)
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        assert engine.info.server is not None and engine.info.server.row_tokens is None
        row = require(engine, NextTokens).next_logits((1, 2))
        assert row.full
        np.testing.assert_allclose(row.logits, server.row((1, 2)), atol=1e-5)
        ids = (5, 9, 30, 2, 77, 12)
        score = require(engine, Score).score(ids)
        exact = score_rows(ids, np.stack([server.row(ids[:end]) for end in range(1, len(ids))]))
        assert score.logprobs == pytest.approx(exact.logprobs, abs=1e-5, nan_ok=True)
        assert all(listed in (-1, rank) for listed, rank in zip(score.ranks, exact.ranks, strict=True))
        assert all(listed == rank for listed, rank in zip(score.ranks, exact.ranks, strict=True) if rank < 20)
        engine.close()


def test_sglang_behind_a_router_without_its_own_interface() -> None:
    with served("sglang", Completions) as engine:
        assert engine.info.server is not None and engine.info.server.row_tokens == 20 and not offers(engine, Score)


def broken(meta: Body, answer: Body) -> Body:
    return {**answer, "meta_info": {**answer["meta_info"], **meta}} if "meta_info" in answer else answer


@pytest.mark.parametrize(
    "meta",
    [
        {"output_top_logprobs": [[[0.5, 1, None]]]},
        {"output_top_logprobs": [[[math.nan, 1, None]]]},
        {"output_top_logprobs": [[[-0.5]]]},
        {"output_top_logprobs": 7},
        {"output_top_logprobs": [[]]},
        {"output_token_logprobs": [[-1.0, -5, None]]},
    ],
)
def test_a_row_of_sglang_that_lies_is_refused(meta: Body) -> None:
    server = standin("sglang", Sglang)
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        server.change = lambda answer: broken(meta, answer)
        with pytest.raises(ServerError, match=r"The server at .* choose another model"):
            require(engine, NextTokens).next_logits((1, 2))
        engine.close()


# -- several texts, and texts that match something --------------------------------------------------------------------


def test_vllms_texts_are_one_request_with_the_seeds_they_would_have_alone() -> None:
    server = standin("vllm")
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        together = texts(engine, n=3, seed=4)
        assert place.asked[-1].body["n"] == 3 and place.asked[-1].body["seed"] == 4
        assert together == [texts(engine, seed=4, random_stream=row)[0] for row in range(3)]
        server.change = lambda answer: {**answer, "choices": [{**one, "index": 9} for one in answer["choices"]]}
        with pytest.raises(ServerError, match="'index'"):
            texts(engine, n=3)
        engine.close()


@pytest.mark.parametrize(
    ("owner", "constraint", "fields"),
    [
        ("vllm", Constraint("json_schema", SCHEMA), {"structured_outputs": {"json": json.loads(SCHEMA)}}),
        ("vllm", Constraint("regex", "[ab]+"), {"structured_outputs": {"regex": "[ab]+"}}),
        ("vllm", Constraint("grammar", 'root ::= "a"'), {"structured_outputs": {"grammar": 'root ::= "a"'}}),
        ("vllm", Constraint("choice", "yes\nno\n"), {"structured_outputs": {"choice": ["yes", "no"]}}),
        ("sglang", Constraint("json_schema", SCHEMA), {"json_schema": SCHEMA}),
        ("sglang", Constraint("regex", "[ab]+"), {"regex": "[ab]+"}),
        ("sglang", Constraint("choice", 'a"\né😀'), {"ebnf": 'root ::= "a\\"" | "é😀"'}),
    ],
)
def test_a_constraint_is_told_in_the_servers_own_words(owner: str, constraint: Constraint, fields: Body) -> None:
    server = standin(owner, Sglang if owner == "sglang" else Completions)
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        assert constraint.kind in engine.info.constraints
        texts(engine, constraint=constraint)
        body = place.asked[-1].body
        assert {name: body.get(name) for name in fields} == fields
        engine.close()


@pytest.mark.parametrize(
    ("constraint", "says"),
    [
        (Constraint("json_schema", "{"), "no JSON"),
        (Constraint("json_schema", "[]"), "a JSON object"),
        (Constraint("json_schema", "true"), "a JSON object"),
        (Constraint("json_schema", '{"type": "word"}'), "no JSON schema"),
        (Constraint("json_schema", '{"$ref": "https://example.com/a"}'), "never fetched"),
        (Constraint("grammar", " \n"), "grammar is empty"),
        (Constraint("choice", ""), "list of choices is empty"),
    ],
)
def test_a_constraint_that_says_nothing_is_refused(constraint: Constraint, says: str) -> None:
    with served("vllm") as engine, pytest.raises(BadInput, match=says):
        texts(engine, constraint=constraint)


@pytest.mark.parametrize("kind", [Completions, Chats])
def test_a_server_without_constraints_says_who_has_them(kind: type[Completions]) -> None:
    with served("somebody", kind) as engine:
        assert engine.info.constraints == ()
        with pytest.raises(BadInput, match="has none .*: leave it out"):
            ids = engine.codec.encode_chat("Hi") if kind is Chats else (1, 2)
            list(require(engine, Stream).stream(StreamRequest(ids, constraint=Constraint("regex", "a"))))


@pytest.mark.model
def test_llama_cpp_really_follows_a_schema_a_grammar_and_choices(llama: LlamaCppEngine) -> None:
    ids = llama.codec.encode("The capital of France is")

    def text(kind: Any, what: str) -> str:  # noqa: ANN401  (one of a literal's words)
        request = StreamRequest(ids, max_new_tokens=40, temperature=0, constraint=Constraint(kind, what))
        return next(event.text for event in llama.stream(request) if isinstance(event, StreamedEnd))

    assert set(json.loads(text("json_schema", SCHEMA))) == {"city"}
    assert text("choice", "Rome\nOslo") in ("Rome", "Oslo")
    assert text("choice", 'é😀"\nÅ😀') in ('é😀"', "Å😀")
    assert text("grammar", 'root ::= [0-9] [0-9] "!"')[2] == "!"
    with pytest.raises(BadInput, match="has JSON schema, grammar, list of choices: leave it out"):
        text("regex", "a+")
    with pytest.raises(ServerError, match="refuses the request"):
        text("grammar", "root ::= (")


# -- chats only -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tells", [True, False])
def test_a_server_of_chats_needs_no_tokenizer(monkeypatch: pytest.MonkeyPatch, tells: bool) -> None:
    monkeypatch.delenv(TOKENIZER_VARIABLE)
    server = standin("somebody", Chats)
    assert isinstance(server, Chats)
    server.tells = tells
    with running(server.routes()) as place:
        engine = make_engine(place.base)
        facts = engine.info.server
        assert facts is not None and facts.chats_only and "chats only" in facts.sentence
        ids = engine.codec.encode_chat("Grüße 😀", system="Be <b>brief</b>.")
        events = list(require(engine, Stream).stream(StreamRequest(ids, max_new_tokens=6, seed=3, top=2)))
        said = place.asked[-1].body
        assert said["messages"] == [
            {"role": "system", "content": "Be <b>brief</b>."},
            {"role": "user", "content": "Grüße 😀"},
        ]
        assert said["seed"] == 3 and isinstance(events[-1], StreamedEnd)
        tokens = [event for event in events if not isinstance(event, StreamedEnd)]
        assert all((token.logprob is not None and len(token.top) == 2) == tells for token in tokens)
        with pytest.raises(CapabilityMissing, match="takes chats only"):
            engine.codec.encode("a text")
        with pytest.raises(BadPrompt, match="answers a chat"):
            list(require(engine, Stream).stream(StreamRequest((*ids, 65))))
        with pytest.raises(CapabilityMissing, match="choose another model"):
            require(engine, NextTokens)
        engine.close()


def test_completions_without_a_tokenizer_here_are_asked_for_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKENIZER_VARIABLE)
    server = standin("somebody", Chats)
    routes = {**server.routes(), "/v1/completions": server._complete}
    with running(routes) as place:
        engine = make_engine(place.base)
        assert engine.info.server is not None and engine.info.server.chats_only
        engine.close()
    monkeypatch.setenv(TOKENIZER_VARIABLE, "nowhere/at-all")
    with running(routes) as place, pytest.raises(Exception, match="nowhere/at-all"):
        make_engine(place.base)


def test_the_engine_with_tokens_is_taken_where_there_is_a_tokenizer() -> None:
    server = standin("somebody", Chats)
    with running({**server.routes(), "/v1/completions": server._complete}) as place:
        engine = make_engine(place.base)
        assert isinstance(engine, OpenAIEngine) and engine.info.server is not None and not engine.info.server.chats_only
        engine.close()
