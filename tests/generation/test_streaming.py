"""``Stream`` from an engine's rows: the texts are those of the rows' own loop, and who asks for the facet is served."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from playground.engine.api import CancelToken, Engine, Rows, Stream
from playground.engine.facets import offers, require
from playground.engine.fake.codec import EOS_ID
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.serving.caching import CachedEngine
from playground.engine.types import FloatArray, StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadInput, BadPrompt, Cancelled, CapabilityMissing
from playground.generation import Generation, GenerationRequest, generate
from playground.generation.streaming import stream_rows
from playground.generation.streams import TOLD_SETTINGS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.engine.small import small_loaded

PROMPT = (72, 105, 44)
SETTINGS = {
    "neutral": NEUTRAL,
    "greedy": SamplerSettings(temperature=0.0),
    "usual": SamplerSettings(temperature=0.7, top_k=50, top_p=0.9, min_p=0.02),
    "penalties": SamplerSettings(repetition_penalty=1.3, frequency_penalty=0.5, presence_penalty=0.5),
}


def ending(ids: tuple[int, ...]) -> FloatArray:
    """The fake's own numbers with an end now and then."""
    row = default_logits(ids).copy()
    row[EOS_ID] = 4.0
    return row


def fake() -> FakeEngine:
    return FakeEngine(ending, streamer=stream_rows)


def real() -> TransformersEngine:
    return TransformersEngine(small_loaded("llama"), streamer=stream_rows)


def generated(engine: Engine, *requests: GenerationRequest) -> Generation:
    steps = generate(engine, requests)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Generation = end.value
            return result


def streamed(engine: Engine, request: StreamRequest) -> tuple[list[list[StreamedToken]], list[StreamedEnd]]:
    """Each row's tokens and end; no row has an event after its end."""
    events: list[StreamEvent] = list(require(engine, Stream).stream(request))
    tokens: list[list[StreamedToken]] = [[] for _ in range(request.n)]
    ends: dict[int, StreamedEnd] = {}
    for event in events:
        assert event.row not in ends
        if isinstance(event, StreamedToken):
            tokens[event.row].append(event)
        else:
            ends[event.row] = event
    return tokens, [ends[row] for row in range(request.n)]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("make", [fake, real])
def test_the_streams_texts_are_those_of_the_rows_loop(make: Callable[[], Engine], name: str) -> None:
    settings = {setting: getattr(SETTINGS[name], setting) for setting in TOLD_SETTINGS}
    request = StreamRequest(PROMPT, n=3, max_new_tokens=12, seed=7, top=4, stop=("e", " the"), **settings)
    tokens, ends = streamed(make(), request)
    rows = generated(
        make(),
        *(
            GenerationRequest(
                PROMPT, SETTINGS[name], max_new_tokens=12, seed=7, random_stream=row, stop_strings=("e", " the"), top=4
            )
            for row in range(3)
        ),
    ).rows
    for row, own, ended in zip(rows, tokens, ends, strict=True):
        assert tuple(token.id for token in own) == row.ids
        assert [token.index for token in own] == list(range(len(row.ids)))
        assert (ended.text, ended.reason) == (row.text, row.finish_reason)
        assert [token.logprob for token in own] == [step.raw_logprob for step in row.steps]
        assert [token.rank for token in own] == [step.rank for step in row.steps]
        for token, step in zip(own, row.steps, strict=True):
            assert token.top == tuple((other.id, other.raw_logprob) for other in step.top) and len(token.top) == 4


def test_a_character_spread_over_tokens_is_shown_where_it_is_complete() -> None:
    """The fake's letters are bytes: of an accent's two the first is half a character."""
    spelt = "ñ".encode()
    wanted = {(*PROMPT,): spelt[0], (*PROMPT, spelt[0]): spelt[1]}

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = default_logits(ids).copy()
        row[wanted.get(ids, EOS_ID)] = 50.0
        return row

    engine = FakeEngine(logits, streamer=stream_rows)
    ((first, second, _end),), (ended,) = streamed(engine, StreamRequest(PROMPT, temperature=0.0, max_new_tokens=5))
    assert (first.text, second.text) == ("<0xC3>", "ñ") and (ended.text, ended.reason) == ("ñ", "eos")


def test_the_facet_is_there_where_a_streamer_is_and_passed_on_by_the_cache() -> None:
    for engine in (fake(), real()):
        assert offers(engine, Stream) and offers(engine, Rows) and offers(CachedEngine(engine), Stream)
        assert streamed(CachedEngine(engine), StreamRequest(PROMPT, max_new_tokens=3))[0][0]
    for plain in (FakeEngine(), TransformersEngine(small_loaded("llama"))):
        assert not offers(plain, Stream)
        with pytest.raises(CapabilityMissing, match="Streamed texts come from"):
            require(plain, Stream)
    assert not offers(FakeEngine(streamer=stream_rows, lacks=frozenset({Stream})), Stream)
    assert offers(ServedFakeEngine(), Stream) and not offers(ServedFakeEngine(), Rows)


def test_it_stops_and_lets_go_of_the_rows() -> None:
    engine, cancel = fake(), CancelToken()
    events = require(engine, Stream).stream(StreamRequest(PROMPT, n=2, ignore_eos=True), cancel=cancel)
    next(events)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert engine.batches[-1].closed
    left = iter(require(engine, Stream).stream(StreamRequest(PROMPT, ignore_eos=True)))
    assert isinstance(left, Generator)
    next(left)
    left.close()
    assert engine.batches[-1].closed


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (StreamRequest(()), BadPrompt),
        (StreamRequest(PROMPT, n=0), BadInput),
        (StreamRequest(PROMPT, n=1000), BadInput),
        (StreamRequest(PROMPT, max_new_tokens=0), BadInput),
        (StreamRequest(PROMPT, temperature=-1.0), BadInput),
        (StreamRequest(PROMPT, stop=("",)), BadInput),
        (StreamRequest(PROMPT, max_new_tokens=5000), BadPrompt),
    ],
)
def test_what_cannot_be_streamed_is_refused_in_a_sentence(request_: StreamRequest, kind: type[BadInput]) -> None:
    engine = fake()
    with pytest.raises(kind, match=r"^[^\n]+$"):
        list(engine.stream(request_))
    assert not engine.calls
