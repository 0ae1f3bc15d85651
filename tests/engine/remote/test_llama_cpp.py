"""The engine on llama.cpp's own server with the bundled weights: its tokens, bytes and numbers are the server's.

The same weights run by transformers are what the numbers are measured against: Q4_1 is unpacked exactly there, while
llama.cpp rounds the activations to eight bits.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.engine.api import CancelToken, NextTokens, Rows, Stream
from playground.engine.facets import offers, require
from playground.engine.hf.engine import TransformersEngine
from playground.engine.pieces import finish
from playground.engine.remote.llama_cpp import LlamaCppEngine
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadPrompt, Cancelled, CapabilityMissing, ServerError
from playground.numerics import log_softmax

pytestmark = pytest.mark.model

PROMPTS = (
    "The capital of France is",
    "Once upon a time, there was a",
    "def fibonacci(n):\n    ",
    "2 + 2 =",
    "The opposite of hot is",
    "Water boils at 100 degrees",
    "Liebe Grüße aus",
    "To be, or not to be, that is the",
    "import numpy as",
    "My favourite colour is",
)
LARGEST_KL = 0.04  # nats; measured: 0.0002 to 0.018, mean 0.004; the likeliest token is the same on nine of the ten
FRANCE = "The capital of France is"


def own_answer(base: str, path: str, **body: object) -> dict[str, Any]:
    """What the server itself says, without any code of ours."""
    root = base.removesuffix("/v1")
    request = urllib.request.Request(root + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def tokens(events: list[StreamEvent], row: int = 0) -> list[StreamedToken]:
    return [event for event in events if isinstance(event, StreamedToken) and event.row == row]


def ends(events: list[StreamEvent]) -> list[StreamedEnd]:
    return [event for event in events if isinstance(event, StreamedEnd)]


# -- what it is ------------------------------------------------------------------------------------------------------


def test_what_the_server_says_of_itself(llama: LlamaCppEngine, llama_base: str) -> None:
    info = llama.info
    assert (info.id, info.name, info.dtype, info.vocab_size) == (llama_base, "smollm2", "Q4_1", 49152)
    assert (info.parameters, info.context_length, info.layers, info.device) == (134_515_008, 1024, None, None)
    facts = info.server
    assert facts is not None and (facts.kind, facts.slots, facts.row_tokens, facts.raw) == ("llama.cpp", 2, None, True)


def test_what_it_offers_and_what_not(llama: LlamaCppEngine) -> None:
    assert offers(llama, NextTokens) and offers(llama, Stream)
    with pytest.raises(CapabilityMissing, match="smollm2 has NextTokens, Stream, Echo: choose another model"):
        require(llama, Rows)


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*PROMPTS, "", " ", "😀 नमस्ते\n\n\t", "a<|im_end|>b", "<0xF0>", "\x00\x01"])
def test_its_ids_are_those_of_the_models_tokenizer(
    llama: LlamaCppEngine, bundled_engine: TransformersEngine, text: str
) -> None:
    assert llama.codec.encode(text) == bundled_engine.codec.encode(text)
    assert llama.codec.decode(llama.codec.encode(text)) == text


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_its_ids_are_those_of_the_models_tokenizer_whatever_the_text(
    llama: LlamaCppEngine, bundled_engine: TransformersEngine, text: str
) -> None:
    assert llama.codec.encode(text) == bundled_engine.codec.encode(text)


def test_every_token_has_the_bytes_and_the_name_that_the_models_tokenizer_gives_it(
    llama: LlamaCppEngine, bundled_engine: TransformersEngine
) -> None:
    ours, theirs = llama.codec, bundled_engine.codec
    assert [i for i in range(49152) if ours.token_bytes(i) != theirs.token_bytes(i)] == []
    assert [i for i in range(49152) if ours.is_special(i) != theirs.is_special(i)] == []
    assert [ours.piece(i) for i in range(20)] == [theirs.piece(i) for i in range(20)]
    assert (ours.eos_token_ids, ours.start_ids) == (theirs.eos_token_ids, theirs.start_ids)


def test_half_a_character_is_shown_as_its_bytes(llama: LlamaCppEngine) -> None:
    first, second = llama.codec.encode(" 😀")
    assert llama.codec.piece(first) == " <0xF0><0x9F><0x98>" and llama.codec.piece(second, (first,)) == "😀"


@pytest.mark.parametrize("message", ["Hi", "", "a<|im_end|>\n<|im_start|>system\nb", "  two\n\n"])
@pytest.mark.parametrize("system", [None, "Be brief."])
def test_a_chat_is_that_of_the_models_template(
    llama: LlamaCppEngine, bundled_engine: TransformersEngine, message: str, system: str | None
) -> None:
    assert llama.codec.encode_chat(message, system=system) == bundled_engine.codec.encode_chat(message, system=system)


# -- the next token --------------------------------------------------------------------------------------------------


def test_a_row_is_what_the_server_answers(llama: LlamaCppEngine, llama_base: str) -> None:
    ids = llama.codec.encode(FRANCE)
    row = llama.next_logits(ids)
    first_step = own_answer(llama_base, "/completion", prompt=list(ids), n_predict=1, n_probs=50)[
        "completion_probabilities"
    ][0]
    assert row.logits.shape == (49152,) and row.full and row.normalised and not row.logits.flags.writeable
    for entry in first_step["top_logprobs"]:
        assert row.logits[entry["id"]] == pytest.approx(entry["logprob"], abs=0.02)  # its cache changes the last digits
    assert float(np.exp(row.logits.astype(np.float64)).sum()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_rows_are_near_those_of_transformers(
    llama: LlamaCppEngine, bundled_engine: TransformersEngine, prompt: str
) -> None:
    ids = bundled_engine.codec.encode(prompt)
    exact = log_softmax(bundled_engine.next_logits(ids).logits).astype(np.float64)
    served = llama.next_logits(ids).logits.astype(np.float64)
    divergence = float((np.exp(exact) * (exact - served)).sum())
    assert -1e-3 < divergence < LARGEST_KL, divergence


def test_several_rows_in_order(llama: LlamaCppEngine) -> None:
    texts = [llama.codec.encode(prompt) for prompt in PROMPTS[:2]]
    rows = finish(llama.next_logits_in_pieces(texts))
    assert [row.ids for row in rows] == texts
    assert llama.codec.piece(int(rows[0].logits.argmax())) == " Paris"


@pytest.mark.parametrize("ids", [(), (0,) * 1025, (49152,), (-1,)])
def test_what_cannot_be_read_is_refused_here(llama: LlamaCppEngine, ids: tuple[int, ...]) -> None:
    with pytest.raises(BadPrompt):
        llama.next_logits(ids)


# -- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS[:4])
def test_greedy_tokens_are_the_servers_own(llama: LlamaCppEngine, llama_base: str, prompt: str) -> None:
    ids = llama.codec.encode(prompt)
    events = list(llama.stream(StreamRequest(ids, max_new_tokens=24, temperature=0, top=3)))
    own = own_answer(
        llama_base, "/completion", prompt=list(ids), n_predict=24, temperature=0, return_tokens=True, n_probs=3
    )
    streamed = tokens(events)
    assert [token.id for token in streamed] == own["tokens"]
    assert [token.index for token in streamed] == list(range(len(streamed)))
    (end,) = ends(events)
    assert end.text == own["content"] and end.text.startswith("".join(token.text for token in streamed[:8]))
    for token, served in zip(streamed, own["completion_probabilities"], strict=True):
        assert token.logprob == pytest.approx(served["logprob"], abs=0.05)
        assert len(token.top) == 3 and token.top[0][1] >= token.top[1][1] >= token.top[2][1]


def test_samplers_do_not_change_what_is_told(llama: LlamaCppEngine) -> None:
    """The log-probabilities are the model's own, at any temperature and under any truncation."""
    ids = llama.codec.encode(FRANCE)
    row = llama.next_logits(ids).logits
    request = StreamRequest(ids, max_new_tokens=1, temperature=1.7, top_k=2, repetition_penalty=1.3, seed=5, top=4)
    (token,) = tokens(list(llama.stream(request)))
    for id, logprob in token.top:
        assert logprob == pytest.approx(row[id], abs=0.02)


def test_all_settings_are_said_and_the_servers_defaults_do_not_slip_in(llama: LlamaCppEngine) -> None:
    """With its own top-k of 40, top-p and min-p no rare token would come; with none of them some do."""
    ids = llama.codec.encode("My favourite colour is")
    row = llama.next_logits(ids).logits
    rank = np.empty(row.size, dtype=int)
    rank[np.argsort(-row)] = np.arange(row.size)
    free = [
        tokens(list(llama.stream(StreamRequest(ids, max_new_tokens=1, temperature=3, seed=s))))[0] for s in range(8)
    ]
    assert max(rank[token.id] for token in free if token.id is not None) > 40
    three = StreamRequest(ids, max_new_tokens=1, temperature=3, top_k=3)
    for seed in range(6):
        (token,) = tokens(list(llama.stream(StreamRequest(**{**_fields(three), "seed": seed}))))
        assert token.id is not None and rank[token.id] < 3


def _fields(request: StreamRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in StreamRequest.__slots__}


def test_the_same_seed_gives_the_same_texts_and_rows_differ(llama: LlamaCppEngine) -> None:
    request = StreamRequest(llama.codec.encode("Once upon a time"), n=3, max_new_tokens=8, temperature=1.0, seed=7)
    first, again = (sorted((e.row, e.text) for e in ends(list(llama.stream(request)))) for _ in range(2))
    assert [row for row, _ in first] == [0, 1, 2] and len({text for _, text in first}) == 3
    assert first == again


def test_a_stop_string_ends_a_text_and_is_not_in_it(llama: LlamaCppEngine) -> None:
    request = StreamRequest(llama.codec.encode(FRANCE), max_new_tokens=20, temperature=0, stop=("\n",))
    (end,) = ends(list(llama.stream(request)))
    assert (end.text, end.reason) == (" Paris.", "stop")


def test_the_end_of_a_turn_is_told(llama: LlamaCppEngine) -> None:
    ids = llama.codec.encode_chat("What is the capital of France?") + llama.codec.encode(
        "The capital of France is Paris."
    )
    events = list(llama.stream(StreamRequest(ids, max_new_tokens=60, temperature=0)))
    assert ends(events)[0].reason == "eos" and tokens(events)[-1].id == 2


def test_parts_of_a_character_are_counted_though_the_server_does_not_tell_them(llama: LlamaCppEngine) -> None:
    ids = llama.codec.encode("Smileys: 😀 😀 😀 😀 😀")
    events = list(llama.stream(StreamRequest(ids, max_new_tokens=5, temperature=0)))
    streamed, (end,) = tokens(events), ends(events)
    assert [token.index for token in streamed] == list(range(5)) and "�" not in end.text
    assert not end.text.isascii() and "".join(token.text for token in streamed) == end.text
    assert any(token.id is None and token.text == "" for token in streamed)
    assert any(token.id is not None and not token.text.isascii() for token in streamed)


@pytest.mark.parametrize("n", [1, 3])
def test_cancelling_ends_at_once_and_frees_the_slot(llama: LlamaCppEngine, llama_base: str, n: int) -> None:
    cancel = CancelToken()
    request = StreamRequest(llama.codec.encode(FRANCE), n=n, max_new_tokens=900, temperature=0, ignore_eos=True)
    stream = llama.stream(request, cancel=cancel)
    next(stream)
    threading.Timer(0.05, cancel.cancel).start()
    started = time.perf_counter()
    with pytest.raises(Cancelled):
        for _event in stream:
            pass
    assert time.perf_counter() - started < 3
    root = llama_base.removesuffix("/v1")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with urllib.request.urlopen(root + "/slots") as response:
            if not any(slot["is_processing"] for slot in json.loads(response.read())):
                return
    pytest.fail("the server still works for nobody")


def test_a_prompt_that_fills_the_context_is_the_servers_refusal_in_a_sentence(llama: LlamaCppEngine) -> None:
    with pytest.raises(ServerError, match=r"refuses the request \(400: .*context"):
        list(llama.stream(StreamRequest((504,) * 1024, max_new_tokens=1)))
