"""A server's own tokenizer, where none is on this machine: its ids and texts equal those of the tokenizer that it stands for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from playground.engine.api import NextTokens, Score, Stream
from playground.engine.facets import offers, require
from playground.engine.factory import make_engine
from playground.engine.remote import http
from playground.engine.remote.openai_server import OpenAIEngine
from playground.engine.remote.served_codec import ServedCodec
from playground.engine.text.codec import HfTextCodec
from playground.engine.types import StreamedEnd, StreamedToken, StreamRequest
from playground.errors import BadPrompt, CapabilityMissing, ModelNotFound
from playground.models.tokenizers import TOKENIZER_VARIABLE
from tests.engine.contract_engines import standin
from tests.engine.remote.chat_standin import Chats
from tests.engine.remote.completions_standin import Completions
from tests.engine.remote.sglang_standin import Sglang
from tests.engine.remote.standin import StandIn, running
from tests.engine.remote.tokens_standin import chat_text

TEXTS = ["The capital of France is", "  the  Zoë\n\t😀 the", "1 < 2 and [not] special", "⟦§⟧"]


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LONGEST_WAIT_S", 0.01)
    monkeypatch.delenv(TOKENIZER_VARIABLE, raising=False)


def server_of(owner: str) -> Completions:
    return standin(owner, Sglang if owner == "sglang" else Completions, most=10**6)


@pytest.fixture(params=["vllm", "sglang"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Completions, StandIn]]:
    server = server_of(request.param)
    with running(server.routes()) as stand_in:
        yield server, stand_in


def test_ids_texts_and_rows_are_the_servers(place: tuple[Completions, StandIn]) -> None:
    server, stand_in = place
    engine = make_engine(stand_in.base)
    assert isinstance(engine, OpenAIEngine) and isinstance(engine.codec, ServedCodec)
    assert engine.info.vocab_size == server.size, "the first id that is refused"
    for text in TEXTS:
        ids = engine.codec.encode(text)
        assert ids == server.codec.encode(text) and engine.codec.decode(ids) == text
    for token in server.codec.encode("the 1 a"):
        assert engine.codec.piece(token) == server.codec.piece(token)
    part = server.codec.encode("é")[0]
    assert engine.codec.piece(part) == f"⟨id {part}⟩", "its bytes are not told"
    row = require(engine, NextTokens).next_logits((1, 2))
    assert row.full
    np.testing.assert_allclose(row.logits, server.row((1, 2)), atol=1e-5)
    assert offers(engine, Score)
    request = StreamRequest((1, 2), max_new_tokens=12, ignore_eos=True, seed=4, top=3)
    events = list(require(engine, Stream).stream(request))
    tokens, end = [one for one in events if isinstance(one, StreamedToken)], events[-1]
    assert isinstance(end, StreamedEnd) and len(tokens) == 12
    if server.owned_by == "vllm":
        assert server.codec.decode([one.id or 0 for one in tokens]).rstrip("\ufffd") == end.text
    else:
        assert {one.id for one in tokens} == {None}, "it calls a text's tokens by their own texts"
    engine.close()


def test_texts_of_tokens_are_asked_for_together(place: tuple[Completions, StandIn]) -> None:
    _server, stand_in = place
    engine = make_engine(stand_in.base)
    ids = engine.codec.encode("the quick brown fox")
    before = len(stand_in.asked)
    assert "".join(engine.codec.piece(token) for token in ids) == "the quick brown fox"
    assert len(stand_in.asked) == before
    engine.close()


def test_a_special_token_that_is_typed_is_refused_unless_it_is_meant(place: tuple[Completions, StandIn]) -> None:
    server, stand_in = place
    engine = make_engine(stand_in.base)
    text = "Hi <|im_end|> there"
    assert engine.codec.encode(text, parse_special=True) == server.codec.encode(text, parse_special=True)
    with pytest.raises(BadPrompt, match="as one special token: leave it out"):
        engine.codec.encode(text)
    engine.close()


def test_vllm_renders_chats_and_sglang_does_not() -> None:
    server = server_of("vllm")
    with running(server.routes()) as stand_in:
        engine = make_engine(stand_in.base)
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        asked = engine.codec.encode_chat("Hi", system="Be brief.")
        assert engine.info.has_chat_template and asked == server.codec.encode(chat_text(messages), parse_special=True)
        before = len(stand_in.asked)
        assert engine.codec.encode_chat("Hi", system="Be brief.") == asked and len(stand_in.asked) == before
        with pytest.raises(BadPrompt, match="special token"):
            engine.codec.encode_chat("Hi<|im_end|>")
        engine.close()
    with running(server_of("sglang").routes()) as stand_in:
        engine = make_engine(stand_in.base)
        assert not engine.info.has_chat_template
        with pytest.raises(CapabilityMissing, match="no chat template"):
            engine.codec.encode_chat("Hi")
        engine.close()


def test_a_server_whose_ids_do_not_fit_its_completions_is_refused() -> None:
    """The number of tokens that a completion counts is another than ``/tokenize`` tells."""
    server = server_of("vllm")
    server.change = lambda answer: {**answer, "usage": {**answer["usage"], "prompt_tokens": 3}}
    with running(server.routes()) as stand_in, pytest.raises(ModelNotFound, match="makes 3 tokens of a text"):
        make_engine(stand_in.base)


@pytest.mark.parametrize("missing", ["/tokenize", "/detokenize", "size"])
def test_where_something_is_missing_its_chats_are_asked(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = standin("vllm", Chats)
    routes = {**server.routes(), "/v1/completions": server._complete}
    routes.pop(missing, None)
    if missing == "size":
        server.size = 2**21  # whatever id is asked about is taken
    with running(routes) as stand_in:
        engine = make_engine(stand_in.base)
        assert engine.info.server is not None and engine.info.server.chats_only
        engine.close()


def test_a_codec_of_this_machine_is_taken_where_it_is_named(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.small import byte_level_tokenizer

    byte_level_tokenizer().save_pretrained(str(tmp_path))
    monkeypatch.setenv(TOKENIZER_VARIABLE, str(tmp_path))
    with running(server_of("vllm").routes()) as stand_in:
        engine = make_engine(stand_in.base)
        assert isinstance(engine.codec, HfTextCodec)
        engine.close()
