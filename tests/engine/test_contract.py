"""Every engine keeps the promises of ``engine/api.py``: those of each facet that it offers, and one sentence for the others.

One file, so that each engine (one is a server that reads a model) is opened once for all of it.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from playground.engine.api import (
    Attention,
    CancelToken,
    Echo,
    Engine,
    Hidden,
    NextTokens,
    Rows,
    Score,
    Stream,
    TextCodec,
    Weights,
)
from playground.engine.facets import FACETS, offers, require, whole_row
from playground.engine.pieces import finish
from playground.engine.types import FloatArray, NextRow, StreamedEnd, StreamedToken, StreamRequest, TokenIds
from playground.errors import BadInput, BadPrompt, Cancelled, CapabilityMissing
from playground.numerics import log_softmax
from playground.sampling.export_fields import llama_cpp_fields
from playground.sampling.settings import SamplerSettings
from playground.tuning.preset import compare_fields
from tests.engine.contract_engines import ENGINES

TEXT = "The capital of France is"
NEAR = 0.06  # nats: llama.cpp rounds, and its cache of prompts changes the last digits of what it tells
pytestmark = pytest.mark.model


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest, llama_base: str) -> Iterator[Engine]:
    with ENGINES[request.param](llama_base) as opened:
        yield opened


def facet_or_sentence(engine: Engine, facet: type[Any]) -> Any:  # noqa: ANN401  (a protocol of the caller's choice)
    """``engine`` as the facet; where it is not offered, the sentence is looked at and None comes back."""
    if offers(engine, facet):
        return require(engine, facet)
    with pytest.raises(CapabilityMissing) as missing:
        require(engine, facet)
    said = str(missing.value)
    assert said.startswith(FACETS[facet]) and engine.info.name in said and "choose another model" in said
    return None


def prompt_of(engine: Engine) -> TokenIds:
    try:
        return engine.codec.encode(TEXT)
    except CapabilityMissing:  # it takes chats only
        return engine.codec.encode_chat(TEXT)


def unreadable(engine: Engine) -> list[TokenIds]:
    info = engine.info
    return [(), (1,) * (info.context_length + 1), (info.vocab_size,), (-1,), (1, 2**40)]


def cancelled() -> CancelToken:
    token = CancelToken()
    token.cancel()
    return token


# -- what it is ------------------------------------------------------------------------------------------------------


def members(protocol: type) -> set[str]:
    return {name for name, _value in inspect.getmembers(protocol) if not name.startswith("_")}


def test_it_has_what_it_offers(engine: Engine) -> None:
    assert engine.facets and engine.facets <= set(FACETS)
    for protocol in (Engine, *engine.facets):
        assert members(protocol) <= set(dir(engine)), protocol
    assert members(TextCodec) <= set(dir(engine.codec))
    info = engine.info
    assert info.name.isprintable() and info.vocab_size > 1 and info.context_length > 1 and info.revision
    assert all(0 <= token < info.vocab_size for token in info.eos_token_ids)
    for facet in FACETS:
        facet_or_sentence(engine, facet)


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [TEXT, " two  spaces", "Grüße, 😀 नमस्ते", "\n\n\tdef f(x):", "a<|im_end|>b", "<0xF0>", "\x00"]
)
def test_a_text_comes_back_from_its_ids(engine: Engine, text: str) -> None:
    codec = engine.codec
    if engine.info.server is not None and engine.info.server.chats_only:
        with pytest.raises(CapabilityMissing, match="takes chats only"):
            codec.encode(text)
        return
    ids = codec.encode(text)
    assert codec.decode(ids) == text and all(0 <= token < engine.info.vocab_size for token in ids)
    assert b"".join(codec.token_bytes(token) for token in ids) == text.encode()
    pieces = [codec.piece(token, ids[:place]) for place, token in enumerate(ids)]
    assert "\ufffd" not in "".join(pieces) and not any(codec.is_special(token) for token in ids)
    if text.isascii():
        assert "".join(pieces) == text


def test_text_that_is_none_is_refused(engine: Engine) -> None:
    with pytest.raises(BadPrompt, match="surrogate"):
        engine.codec.encode("a\ud800")


def test_the_ends_of_a_text_and_ids_of_nothing_have_names(engine: Engine) -> None:
    codec = engine.codec
    for token in codec.eos_token_ids:
        assert codec.is_special(token) and codec.token_bytes(token) == b"" and codec.piece(token).startswith("⟨")
    assert "\ufffd" not in codec.piece(engine.info.vocab_size + 5)
    assert all(0 <= token < engine.info.vocab_size for token in codec.start_ids)


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_a_chat_is_the_template_with_the_message_in_it(engine: Engine, system: str | None) -> None:
    if not engine.info.has_chat_template:
        with pytest.raises(CapabilityMissing):
            engine.codec.encode_chat("Hi", system=system)
        return
    ids = engine.codec.encode_chat("Hi <b>", system=system)
    whole = engine.codec.decode(ids)
    assert "Hi <b>" in whole and (system or "") in whole and any(engine.codec.is_special(token) for token in ids)


# -- the next token --------------------------------------------------------------------------------------------------


def check_row(engine: Engine, row: NextRow, ids: TokenIds) -> None:
    assert row.ids == ids and row.vocab_size == engine.info.vocab_size and row.elapsed_ms >= 0
    if row.full:
        assert row.logits.shape == (engine.info.vocab_size,) and row.logits.dtype == np.float32
        assert not row.logits.flags.writeable and not np.isnan(row.logits).any()
        if row.normalised:
            assert float(np.exp(row.logits.astype(np.float64)).sum()) == pytest.approx(1, abs=1e-2)
        return
    assert row.top_ids.dtype == np.int32 and row.logprobs.dtype == np.float32
    assert row.top_ids.shape == row.logprobs.shape and 0 < row.top_ids.size < engine.info.vocab_size
    assert not row.top_ids.flags.writeable and not row.logprobs.flags.writeable
    assert len(set(row.top_ids.tolist())) == row.top_ids.size
    assert ((row.top_ids >= 0) & (row.top_ids < engine.info.vocab_size)).all()
    assert (row.logprobs <= 0).all() and list(row.logprobs) == sorted(row.logprobs, reverse=True)
    assert 0 <= row.rest <= 1


def whole(engine: Engine, ids: TokenIds) -> FloatArray:
    return whole_row(require(engine, NextTokens).next_logits(ids), "this test").logits


def likeliest(row: NextRow) -> int:
    return int(row.logits.argmax() if row.full else row.top_ids[0])


def test_rows(engine: Engine) -> None:
    facet = facet_or_sentence(engine, NextTokens)
    if facet is None:
        return
    ids = prompt_of(engine)
    texts = [ids[:2], ids]
    each = finish(facet.next_logits_in_pieces(texts))
    for text, row in zip(texts, each, strict=True):
        check_row(engine, row, text)
    for one in (facet.next_logits(ids), finish(facet.next_logits_in_pieces([ids]))[0]):
        check_row(engine, one, ids)
        assert likeliest(one) == likeliest(each[1])
    for wrong in unreadable(engine):
        with pytest.raises(BadPrompt):
            facet.next_logits(wrong)
        with pytest.raises(BadPrompt):  # at the first step: where one cannot be read, none is
            next(facet.next_logits_in_pieces([ids, wrong]))
    with pytest.raises(Cancelled):
        facet.next_logits((7, 8, 9), cancel=cancelled())


# -- texts -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Text:
    tokens: list[StreamedToken]
    end: StreamedEnd


def texts_of(engine: Engine, **fields: object) -> dict[int, Text]:
    """The texts by their number, after a look at the order of events and what each token is."""
    asked = dataclasses.replace(StreamRequest(prompt_of(engine), max_new_tokens=12, top=3), **fields)  # type: ignore[arg-type]
    tokens: dict[int, list[StreamedToken]] = {}
    ends: dict[int, StreamedEnd] = {}
    for event in require(engine, Stream).stream(asked):
        assert event.row in range(asked.n) and event.row not in ends, "nothing comes after a text's end"
        if isinstance(event, StreamedEnd):
            ends[event.row] = event
            continue
        assert event.index == len(tokens.setdefault(event.row, []))
        check_token(engine, event, asked.top)
        tokens[event.row].append(event)
    assert sorted(ends) == list(range(asked.n))
    texts = {row: Text(tokens.get(row, []), end) for row, end in ends.items()}
    for text in texts.values():
        check_text(engine, text, asked)
    return texts


def check_token(engine: Engine, token: StreamedToken, top: int) -> None:
    assert token.id is None or ("\ufffd" not in token.text and 0 <= token.id < engine.info.vocab_size)
    assert token.logprob is None or token.logprob <= 0
    values = [value for _id, value in token.top]
    assert len(values) <= top and values == sorted(values, reverse=True) and all(value <= 0 for value in values)
    if token.rank is not None and token.rank < len(values):
        assert values[token.rank] == pytest.approx(token.logprob, abs=1e-4)
    assert all(0 <= other < engine.info.vocab_size for other, _value in token.top)
    listed = dict(token.top).get(-1 if token.id is None else token.id)
    if listed is not None and token.logprob is not None:
        assert listed == pytest.approx(token.logprob, abs=1e-4)


def check_text(engine: Engine, text: Text, asked: StreamRequest) -> None:
    assert text.end.reason in ("eos", "stop", "length") and len(text.tokens) <= asked.max_new_tokens
    assert not any(stop in text.end.text for stop in asked.stop)
    if text.end.reason == "length" and any(token.id is not None for token in text.tokens):
        assert len(text.tokens) == asked.max_new_tokens
    if asked.ignore_eos:
        assert text.end.reason != "eos"
    ids = [token.id for token in text.tokens if token.id is not None]
    if len(ids) == len(text.tokens):  # special tokens are spelt out, or left out of a text
        plain = [token for token in ids if not engine.codec.is_special(token)]
        decoded = [engine.codec.decode(tokens) for tokens in (ids, plain)]
        assert any(one.startswith(text.end.text.rstrip("\ufffd")) for one in decoded)


def greedy(engine: Engine, **fields: object) -> Text:
    return texts_of(engine, temperature=0.0, **fields)[0]


def no_stream(engine: Engine) -> bool:
    return facet_or_sentence(engine, Stream) is None


def test_greedy_texts_are_the_same_each_time_and_begin_with_the_likeliest_token(engine: Engine) -> None:
    if no_stream(engine):
        return
    first, again = greedy(engine), texts_of(engine, temperature=0.0, n=3, seed=9)
    assert {text.end.text for text in again.values()} == {first.end.text}
    if offers(engine, NextTokens) and first.tokens and first.tokens[0].id is not None:
        assert first.tokens[0].id == likeliest(require(engine, NextTokens).next_logits(prompt_of(engine)))
        assert first.tokens[0].top[0][0] == first.tokens[0].id


def test_a_seed_gives_its_texts_again(engine: Engine) -> None:
    if no_stream(engine):
        return
    one, two, other = (
        {row: text.end.text for row, text in texts_of(engine, n=3, seed=seed).items()} for seed in (5, 5, 99)
    )
    assert one == two != other and len(set(one.values())) > 1
    assert texts_of(engine, random_stream=2, seed=5)[0].end.text == one[2], "text 3 is the same asked for alone"


@pytest.mark.parametrize("most", [1, 2, 7])
def test_a_text_is_no_longer_than_was_asked_for(engine: Engine, most: int) -> None:
    if no_stream(engine):
        return
    text = greedy(engine, max_new_tokens=most, ignore_eos=False)
    assert len(text.tokens) <= most and (text.end.reason != "length" or len(text.tokens) == most)


def followed(engine: Engine, **fields: object) -> dict[int, Text] | None:
    """The texts, or None where the setting is refused in a sentence."""
    try:
        return texts_of(engine, **fields)
    except BadInput as refused:
        assert refused.field == "settings" and str(refused).endswith(".")
        return None


def test_settings_are_followed_or_refused(engine: Engine) -> None:
    if no_stream(engine):
        return
    alone = greedy(engine).end.text
    single = followed(engine, top_k=1, temperature=2.0, n=2)
    assert single is None or {text.end.text for text in single.values()} == {alone}
    for fields in ({"top_p": 0.5}, {"min_p": 0.2}, {"repetition_penalty": 1.2}, {"frequency_penalty": 0.5}):
        followed(engine, **fields)
    endless = followed(engine, ignore_eos=True, temperature=0.0, max_new_tokens=20)
    assert endless is None or (endless[0].end.reason == "length" and len(endless[0].tokens) <= 20)


def test_a_stop_string_ends_a_text_before_itself(engine: Engine) -> None:
    if no_stream(engine):
        return
    asked = {"n": 4, "max_new_tokens": 24, "seed": 1}
    texts_by_row = texts_of(engine, **asked)
    texts = [texts_by_row[row].end.text for row in sorted(texts_by_row)]
    row, stop = next(
        (row, text[place]) for row, text in enumerate(texts) for place in range(2, len(text)) if "!" < text[place] < "~"
    )
    end = texts_of(engine, **asked, stop=(stop,))[row].end
    assert (end.text, end.reason) == (texts[row][: texts[row].index(stop)], "stop")


def test_no_text_of_what_cannot_be_read(engine: Engine) -> None:
    if no_stream(engine):
        return
    for wrong in unreadable(engine):
        with pytest.raises(BadPrompt):
            list(require(engine, Stream).stream(StreamRequest(wrong, max_new_tokens=2)))


@pytest.mark.parametrize("n", [1, 3])
def test_a_cancelled_text_ends_in_the_middle(engine: Engine, n: int) -> None:
    if no_stream(engine):
        return
    cancel = CancelToken()
    asked = StreamRequest(prompt_of(engine), n=n, max_new_tokens=400, temperature=1.0)
    with pytest.raises(Cancelled):
        list(require(engine, Stream).stream(asked, cancel=cancelled()))
    events = require(engine, Stream).stream(asked, cancel=cancel)
    next(events)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(events)


def test_two_threads_are_served_as_one(engine: Engine) -> None:
    """A server's engine is asked from many threads; an engine in this process is the worker's alone."""
    if engine.info.server is None or no_stream(engine):
        return
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(greedy(engine).end.text)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [texts[0]] * 4


# -- a given text ----------------------------------------------------------------------------------------------------


def test_scores(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Score)
    if facet is None:
        return
    ids = prompt_of(engine)
    for score in (facet.score(ids), finish(facet.score_in_pieces(ids))):
        assert score.ids == ids
        assert [part.dtype for part in (score.logprobs, score.ranks, score.entropies)] == ["f4", "i4", "f4"]
        assert {part.shape for part in (score.logprobs, score.ranks, score.entropies)} == {(len(ids),)}
        assert math.isnan(score.logprobs[0]) and math.isnan(score.entropies[0]) and score.ranks[0] == -1
        assert (score.logprobs[1:] <= 0).all() and (score.ranks[1:] >= -1).all()
    ranked = score.ranks >= 0
    row = require(engine, NextTokens).next_logits(ids[:3])
    if row.full:
        assert score.logprobs[3] == pytest.approx(log_softmax(row.logits)[ids[3]], abs=NEAR)
        assert not ranked[3] or score.ranks[3] == int((row.logits > row.logits[ids[3]]).sum())
    assert facet.score(ids[:1]).logprobs.shape == (1,)
    for wrong in unreadable(engine):
        with pytest.raises(BadPrompt):
            facet.score(wrong)
    with pytest.raises(Cancelled):
        facet.score((8, 7, 9), cancel=cancelled())


# -- what models in this process have --------------------------------------------------------------------------------


def test_rows_that_are_decoded_together(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Rows)
    if facet is None:
        return
    ids, vocab = prompt_of(engine), engine.info.vocab_size
    batch = facet.open_batch([ids, ids[:2], ids])
    assert batch.ids == (ids, ids[:2], ids) and batch.logits.shape == (3, vocab) and batch.logits.dtype == np.float32
    np.testing.assert_allclose(batch.logits[1], whole(engine, ids[:2]), atol=1e-4)
    assert batch.step([5, 6, 7]).shape == (3, vocab)
    batch.select_rows([2, 0, 2])
    assert batch.ids == ((*ids, 7), (*ids, 5), (*ids, 7))
    np.testing.assert_array_equal(batch.logits[0], batch.logits[2])
    np.testing.assert_allclose(batch.logits[1], whole(engine, (*ids, 5)), atol=1e-4)
    batch.close()
    batch.close()
    for wrong in [[], *([one] for one in unreadable(engine))]:
        with pytest.raises(BadPrompt):
            facet.open_batch(wrong)
    with pytest.raises(Cancelled):
        facet.open_batch([(9, 8, 7)], cancel=cancelled())


def test_rows_along_a_given_text(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Rows)
    if facet is None:
        return
    ids = (*prompt_of(engine), 5, 6, 7)
    rows = np.concatenate(list(facet.rows_along(ids, 2)))
    assert rows.shape == (len(ids) - 2, engine.info.vocab_size) and rows.dtype == np.float32
    for place, row in enumerate(rows):
        np.testing.assert_allclose(row, whole(engine, ids[: 2 + place]), atol=1e-4)
    for start in (0, len(ids), -1):
        with pytest.raises(BadPrompt):
            facet.rows_along(ids, start)
    for wrong in unreadable(engine):
        with pytest.raises(BadPrompt):
            facet.rows_along(wrong, 1)
    with pytest.raises(Cancelled):
        list(facet.rows_along((9, 8, 7), 1, cancel=cancelled()))


def test_attention(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Attention)
    if facet is None:
        return
    ids = prompt_of(engine)
    attention = facet.attentions(ids)
    assert (attention.ids, attention.start, attention.end) == (ids, 0, len(ids))
    for wrong in unreadable(engine):
        with pytest.raises(BadPrompt):
            facet.attentions(wrong)
    for window in ({"start": 3, "end": 2}, {"start": -1}, {"end": len(ids) + 1}):
        with pytest.raises(BadInput):
            facet.attentions(ids, **window)


def test_hidden_states(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Hidden)
    if facet is None:
        return
    ids = prompt_of(engine)
    rows = [piece for piece in facet.lens(ids, range(1, 4)) if piece is not None]
    assert sum(piece.entropies.shape[1] for piece in rows) == 3
    assert int(rows[0].top_ids[-1, 0, 0]) == int(whole(engine, ids[:2]).argmax())
    for wrong in (range(0), range(-1, 2), range(2, len(ids) + 1), range(0, 4, 2)):
        with pytest.raises(BadPrompt):
            list(facet.lens(ids, wrong))


def test_weights(engine: Engine) -> None:
    facet = facet_or_sentence(engine, Weights)
    if facet is not None:
        listed = facet.weights()
        assert listed.parameters > 0 and len({one.name for one in listed.weights}) == len(listed.weights)


def test_echo(engine: Engine) -> None:
    """What the server says it used is what the export sends, in its own field names: none is dropped or changed."""
    facet = facet_or_sentence(engine, Echo)
    if facet is None:
        return
    settings = SamplerSettings(
        temperature=0.7,
        top_p=0.9,
        top_k=30,
        min_p=0.03,
        typical_p=0.95,
        top_n_sigma=1.5,
        repetition_penalty=1.1,
        frequency_penalty=0.2,
        presence_penalty=0.1,
        dry_multiplier=0.8,
        xtc_probability=0.5,
        logit_bias={5: -2.5},
        order="llama.cpp",
    )
    for own in (settings, SamplerSettings(mirostat_tau=4), SamplerSettings(temperature=0)):
        sent = llama_cpp_fields(own)
        checks = compare_fields(sent, facet.settings_used(sent))
        assert {check.name for check in checks} == set(sent) and all(check.took for check in checks)
    (dropped,) = compare_fields({"heat": 1}, facet.settings_used({"heat": 1}))
    assert not dropped.took and dropped.used is None


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(ENGINES))
def test_a_closed_engine_says_so(name: str, llama_base: str) -> None:
    with ENGINES[name](llama_base) as engine:
        ids = prompt_of(engine)
        engine.close()
        engine.close()
        asks: list[Callable[[], object]] = []
        if offers(engine, NextTokens):
            asks.append(lambda: require(engine, NextTokens).next_logits(ids))
        if offers(engine, Stream):
            asks.append(lambda: list(require(engine, Stream).stream(StreamRequest(ids, max_new_tokens=1))))
        for ask in asks:
            with pytest.raises(Exception, match="The model was released"):
                ask()
