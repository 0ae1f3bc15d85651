"""A server that answers like llama.cpp and lies: each lie is one sentence, and none of it comes through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from playground.engine.factory import make_engine
from playground.engine.remote import http
from playground.engine.remote.llama_cpp import LlamaCppEngine
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadInput, ModelRefused, ServerError
from tests.engine.remote.standin import Reply, StandIn, running
from tests.engine.remote.tiny_llama import NAMES, PROBS, TOKENS, TinyLlama, end_event, event, row, token_event


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LONGEST_WAIT_S", 0.01)


@contextmanager
def serving(tiny: TinyLlama, model: str = "") -> Iterator[tuple[LlamaCppEngine, StandIn]]:
    with running(tiny.routes()) as server:
        engine = make_engine(server.base + model)
        assert isinstance(engine, LlamaCppEngine)
        try:
            yield engine, server
        finally:
            engine.close()


def changed(entries: list[dict[str, Any]], index: int, **fields: object) -> list[dict[str, Any]]:
    return [{**entry, **fields} if number == index else entry for number, entry in enumerate(entries)]


def test_the_tiny_server_is_read() -> None:
    with serving(TinyLlama()) as (engine, _server):
        assert engine.info.context_length == 64 and engine.info.eos_token_ids == (7,)
        assert engine.next_logits((1,)).logits == pytest.approx(np.log(PROBS), abs=1e-6)
        assert [engine.codec.token_bytes(token) for token in range(8)] == list(TOKENS)
        assert engine.codec.encode("aa") == (0, 1, 1) and engine.codec.start_ids == (0,)
        assert engine.codec.decode((7, 1)) == NAMES[7] + "a"
        assert engine.codec.piece(4, (3,)) == "😀" and engine.codec.piece(3) == "<0xF0><0x9F>"


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("NaN", changed(row(8), 2, logprob=math.nan)),
        ("more than certain", changed(row(8), 2, logprob=0.5)),
        ("infinite", changed(row(8), 2, logprob=math.inf)),
        ("no number", changed(row(8), 2, logprob="-1")),
        ("nothing", changed(row(8), 2, logprob=None)),
        ("an id beyond the vocabulary", changed(row(8), 2, id=8)),
        ("an id below it", changed(row(8), 2, id=-1)),
        ("an id that fits into no number", changed(row(8), 2, id=2**70)),
        ("an id twice", changed(row(8), 2, id=1)),
        ("a fraction of an id", changed(row(8), 2, id=1.5)),
        ("too few", row(7)),
        ("none", []),
        ("other things", ["a"] * 8),
        ("probabilities that are not 1 together", changed(row(8), 0, logprob=-9.0)),
    ],
)
def test_a_row_that_lies_is_refused(name: str, entries: list[Any]) -> None:
    tiny = TinyLlama()
    with serving(tiny) as (engine, _server):
        tiny.entries = entries
        with pytest.raises(ServerError, match=r"The server at http://127\.0\.0\.1:\d+/v1 .*: choose another model"):
            engine.next_logits((1,))
        tiny.entries = None
        assert engine.next_logits((1,)).logits[1] == pytest.approx(math.log(0.4))


def test_minus_infinity_is_a_token_that_cannot_come() -> None:
    tiny = TinyLlama()
    with serving(tiny) as (engine, _server):
        tiny.entries = changed(row(8), 7, logprob=-3.4028234663852886e38)
        assert sorted(engine.next_logits((1,)).logits)[0] == -math.inf
        tiny.entries = changed(row(8), 7, logprob=-math.inf)  # not JSON, but Python's own servers write it
        assert sorted(engine.next_logits((1,)).logits)[0] == -math.inf


@pytest.mark.parametrize(
    "change",
    [
        lambda tiny: tiny.meta.update(n_vocab=9),
        lambda tiny: tiny.meta.update(n_vocab=10**9),
        lambda tiny: tiny.meta.update(n_vocab="8"),
        lambda tiny: tiny.meta.update(n_params=-1),
        lambda tiny: tiny.props.update(total_slots="many"),
        lambda tiny: tiny.props.update(default_generation_settings=[]),
        lambda tiny: tiny.props.update(chat_template=7),
        lambda tiny: setattr(tiny, "entries", changed(row(8), 1, bytes=[256])),
        lambda tiny: setattr(tiny, "entries", changed(row(8), 1, bytes="ab")),
    ],
)
def test_a_server_that_says_odd_things_of_itself_is_refused(change: Callable[[TinyLlama], None]) -> None:
    tiny = TinyLlama()
    change(tiny)
    with pytest.raises(ServerError), serving(tiny):
        pass


def test_another_server_is_not_taken_for_one() -> None:
    with running({}) as server, pytest.raises(ServerError, match="check the address, which mostly ends in"):
        make_engine(server.base)
    with running({"/props": lambda asked: Reply([1])}) as server, pytest.raises(ServerError, match="of another form"):
        make_engine(server.base)


def test_a_model_that_is_not_there_and_one_that_changes() -> None:
    tiny = TinyLlama()
    with (
        pytest.raises(ServerError, match="has no model 'large': it lists 'tiny'; put one after #"),
        serving(tiny, "#large"),
    ):
        pass
    with serving(tiny, "#tiny") as (engine, server):
        assert server.asked[-1].body["model"] == "tiny"
        tiny.name = "other"
        with pytest.raises(ServerError, match="has another model now"):
            engine.next_logits((1,))


def texts(*parts: bytes, **request: Any) -> list[StreamEvent]:
    tiny = TinyLlama(events=list(parts))
    with serving(tiny) as (engine, _server):
        return list(engine.stream(StreamRequest((1,), **{"max_new_tokens": 4, **request})))


def test_a_text_is_passed_on() -> None:
    first, second, end = texts(token_event(1, "a", 1), token_event(6, "<b>", 2), end_event(2, "eos"))
    assert isinstance(first, StreamedToken) and (first.text, first.id, first.index) == ("a", 1, 0)
    assert first.logprob == pytest.approx(math.log(0.4)) and [token for token, _ in first.top] == [1, 2, 3]
    assert isinstance(second, StreamedToken) and second.text == "<b>"
    assert end == StreamedEnd(0, "a<b>", "eos")


def test_a_stream_cut_into_single_bytes_is_the_same() -> None:
    whole = token_event(4, "😀", 2) + end_event(2)
    split = [whole[place : place + 1] for place in range(len(whole))]
    assert texts(*split) == texts(whole)
    hidden, shown, end = texts(whole)
    assert isinstance(hidden, StreamedToken) and (hidden.id, hidden.text) == (None, "")  # half of the character
    assert isinstance(shown, StreamedToken) and (shown.id, shown.text, shown.index) == (4, "😀", 1)
    assert end == StreamedEnd(0, "😀", "length")


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([token_event(1, "a", 1)], "without saying so"),
        ([token_event(1, "a", 1), end_event(1)[:30]], "not JSON"),
        ([token_event(4, "😀", 1)[:60]], "not JSON"),
        ([token_event(8, "x", 1)], "names token 8"),
        ([token_event(1, "a", 1, logprob=math.nan)], "nan as a log-probability"),
        ([token_event(1, "a", 1, logprob=1.0)], "1.0 as a log-probability"),
        ([token_event(1, "a", 1, top_logprobs=[{"id": 99, "logprob": -1}])], "names token 99"),
        ([token_event(1, "a", -1)], "'tokens_predicted'"),
        ([event(content=7, stop=False)], "'content'"),
        ([event(error={"message": "out of memory"})], "gave up"),
        ([b"data: [1, 2]\n\n"], "of another form"),
        ([b"data: " + b"x" * 2_000_000], "sends more than"),
    ],
)
def test_a_text_that_lies_is_refused(parts: list[bytes], says: str) -> None:
    with pytest.raises(ServerError) as refused:
        texts(*parts)
    assert says in str(refused.value)


def test_a_server_that_counts_too_far_does_not_fill_the_memory() -> None:
    events = texts(token_event(1, "a", 2**40), end_event(2**40))
    assert len(events) == 5


def test_the_first_error_of_several_texts_ends_all() -> None:
    with pytest.raises(ServerError):
        texts(token_event(8, "x", 1), n=5)


def test_who_may_ask_is_looked_at_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(TinyLlama().routes()) as server:
        monkeypatch.setenv("PLAYGROUND_SERVERS", "http://elsewhere:1")
        with pytest.raises(ModelRefused):
            make_engine(server.base)
        with pytest.raises(BadInput, match="leave device and dtype out"):
            make_engine(server.base, dtype="float32")
        assert server.asked == []
