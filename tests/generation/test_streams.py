"""Generation on an engine that samples by itself: its texts are the engine's own, and what it does not tell is None."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.constraint import Constraint
from playground.engine.api import CancelToken, Rows
from playground.engine.fake.codec import EOS_ID, FakeCodec
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.types import FloatArray, StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadInput, BadPrompt, Cancelled, CapabilityMissing, ServerError
from playground.generation import (
    DrawnStep,
    Generation,
    GenerationRequest,
    GenerationStep,
    TokenStep,
    check_requests,
    generate,
    samples_here,
)
from playground.generation.document import step_pieces
from playground.generation.streaming import stream_rows
from playground.generation.streams import TOLD_SETTINGS, stream_request
from playground.sampling.settings import NEUTRAL, SamplerSettings

PROMPT = (72, 105, 44)
WARM = SamplerSettings(temperature=1.5, top_k=40)


def ending(ids: tuple[int, ...]) -> FloatArray:
    """The fake's own numbers with an end now and then."""
    row = default_logits(ids).copy()
    row[EOS_ID] = 4.0
    return row


def finish(
    engine: ServedFakeEngine | FakeEngine, *requests: GenerationRequest
) -> tuple[list[GenerationStep], Generation]:
    steps, taken_steps = generate(engine, requests), list[GenerationStep]()
    while True:
        try:
            taken_steps.append(next(steps))
        except StopIteration as end:
            return taken_steps, end.value


class Script(ServedFakeEngine):
    """Says the given events; a ``None`` waits until the test lets it go on."""

    def __init__(self, *events: StreamEvent | None) -> None:
        super().__init__()
        self.events, self.go_on, self.begun, self.closed_streams = events, threading.Event(), threading.Event(), 0

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        self.begun.set()
        token = cancel or CancelToken()
        try:
            for event in self.events:
                if event is None:
                    while not self.go_on.is_set():
                        token.wait(0.005)
                else:
                    yield event
        finally:
            self.closed_streams += 1


class Relay(ServedFakeEngine):
    """Passes on what another engine's rows give."""

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        return stream_rows(FakeEngine(ending), request, cancel)


# -- the same texts as the engine's own --------------------------------------------------------------------------------


def test_the_rows_are_the_engines_own_texts() -> None:
    requests = [GenerationRequest(PROMPT, WARM, max_new_tokens=9, seed=4, random_stream=row, top=3) for row in range(4)]
    steps, done = finish(ServedFakeEngine(ending), *requests)
    for place, (row, request) in enumerate(zip(done.rows, requests, strict=True)):
        own = list(ServedFakeEngine(ending).stream(stream_request(request)))
        tokens = [event for event in own if isinstance(event, StreamedToken)]
        (end,) = (event for event in own if isinstance(event, StreamedEnd))
        assert (row.row, row.request, row.text, row.finish_reason) == (place, request, end.text, end.reason)
        assert [(step.id, step.text, step.raw_logprob) for step in row.steps] == [
            (t.id, t.text, t.logprob) for t in tokens
        ]
        assert [[(other.id, other.raw_logprob) for other in step.top] for step in row.steps] == [
            list(t.top) for t in tokens
        ]
    assert {step.row for one in steps for step in one.tokens} == set(range(4))
    assert len({row.text for row in done.rows}) == 4, "each random stream gives a text of its own"
    for row in done.rows:
        assert row.steps == tuple(step for one in steps for step in one.tokens if step.row == row.row)
    assert sorted(row.row for one in steps for row in one.finished) == list(range(4))
    assert done.computed_tokens is None and done.new_tokens == sum(len(row.steps) for row in done.rows)
    assert done.prefill_ms > 0 and done.decode_ms >= 0 and all(one.elapsed_ms >= 0 for one in steps)


def test_a_row_is_the_same_alone_and_beside_others() -> None:
    requests = [GenerationRequest(PROMPT, WARM, max_new_tokens=9, seed=1, random_stream=row) for row in (0, 3)]
    together = finish(ServedFakeEngine(ending), *requests)[1]
    alone = [finish(ServedFakeEngine(ending), request)[1].rows[0].text for request in requests]
    assert [row.text for row in together.rows] == alone


def test_through_the_stream_of_rows_it_is_what_the_rows_loop_gives() -> None:
    """The one way to a text has two roads; an engine that offers both takes the one where all is recorded."""
    requests = [GenerationRequest(PROMPT, WARM, max_new_tokens=7, seed=2, random_stream=row, top=4) for row in range(3)]
    both, served = FakeEngine(ending, streamer=stream_rows), Relay()
    assert samples_here(both) and not samples_here(served)
    here, there = finish(both, *requests)[1], finish(served, *requests)[1]
    assert [row.ids for row in here.rows] == [row.ids for row in there.rows]
    for drawn, other in zip(here.rows, there.rows, strict=True):
        assert (drawn.text, drawn.hidden_text, drawn.finish_reason) == (
            other.text,
            other.hidden_text,
            other.finish_reason,
        )
        assert all(isinstance(step, DrawnStep) and step.text is None for step in drawn.steps)
        codec = FakeCodec()
        assert step_pieces(codec, drawn.steps, PROMPT) == step_pieces(codec, other.steps, PROMPT)
        assert [step.rank for step in drawn.steps] == [step.rank for step in other.steps]


def test_what_the_engine_does_not_tell_is_none_and_no_number() -> None:
    (step, *_), _done = finish(ServedFakeEngine(), GenerationRequest(PROMPT, max_new_tokens=2, top=2))
    token = step.tokens[0]
    assert type(token) is TokenStep
    assert {token.prob, token.rank, token.entropy, token.kept, token.u, token.low, token.high} == {None}
    assert token.mirostat_mu is None and token.mean_logprob is None
    assert [other.prob for other in token.top] == [None, None] and [other.removed_by for other in token.top] == [
        None,
        None,
    ]


def test_a_text_whose_ids_are_not_told_is_a_text() -> None:
    engine = Script(StreamedToken(0, 0, "Hel"), StreamedToken(0, 1, "lo", 5, -0.5), StreamedEnd(0, "Hello", "length"))
    row = finish(engine, GenerationRequest(PROMPT))[1].rows[0]
    assert step_pieces(engine.codec, row.steps) == ["Hel", "lo"] and row.text == "Hello"
    assert [step.key for step in row.steps] == ["Hel", 5] and row.steps[0].raw_logprob is None
    with pytest.raises(CapabilityMissing, match="did not tell the ids"):
        _ = row.ids


def test_a_branch_goes_on_after_its_own_tokens() -> None:
    request = GenerationRequest(PROMPT, SamplerSettings(temperature=0.0), max_new_tokens=6, ignore_eos=True)
    whole = finish(ServedFakeEngine(), request)[1].rows[0]
    rest = GenerationRequest(PROMPT, request.settings, max_new_tokens=4, ignore_eos=True, generated_ids=whole.ids[:2])
    row = finish(ServedFakeEngine(), rest)[1].rows[0]
    assert row.ids == whole.ids[2:] and [step.index for step in row.steps] == [2, 3, 4, 5]


# -- how a text ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "stops", "end", "hidden", "stopped_by"),
    [
        (("one", " two"), ("zz", " t"), StreamedEnd(0, "one", "stop"), " two", " t"),
        (("one",), ("zz",), StreamedEnd(0, "one", "stop"), "", "zz"),  # the server sends nothing of it
        (("one",), ("zz", "y"), StreamedEnd(0, "one", "stop"), "", None),  # which of them it does not tell
        (("one", " two"), ("zz",), StreamedEnd(0, "one two", "length"), "", None),
        (("one",), (), StreamedEnd(0, "one", "eos"), "", None),
    ],
)
def test_what_an_ending_hides(
    texts: tuple[str, ...], stops: tuple[str, ...], end: StreamedEnd, hidden: str, stopped_by: str | None
) -> None:
    engine = Script(*(StreamedToken(0, place, text, 65) for place, text in enumerate(texts)), end)
    row = finish(engine, GenerationRequest(PROMPT, stop_strings=stops))[1].rows[0]
    assert (row.text, row.hidden_text, row.stopped_by) == (end.text, hidden, stopped_by)


def test_an_end_token_that_is_told_is_hidden_as_elsewhere() -> None:
    engine = Script(StreamedToken(0, 0, "A", 65), StreamedToken(0, 1, "", EOS_ID), StreamedEnd(0, "A", "eos"))
    row = finish(engine, GenerationRequest(PROMPT))[1].rows[0]
    assert (row.text, row.hidden_text, row.stopped_by) == ("A", "<|im_end|>", "<|im_end|>")


# -- refusals and cancelling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"settings": NEUTRAL.replace(dry_multiplier=0.8)}, BadInput, "cannot be told dry_multiplier: leave it out"),
        ({"stop_ids": (3,)}, BadInput, "cannot be told stop token ids"),
        ({"max_new_tokens": 5000}, BadPrompt, "2,048"),
    ],
)
def test_what_it_cannot_be_told_is_refused_before_it_is_asked(
    fields: dict[str, object], kind: type[BadInput], said: str
) -> None:
    engine = Script()
    request = GenerationRequest(**{"prompt_ids": PROMPT, **fields})  # type: ignore[arg-type]
    for ask in (lambda: next(generate(engine, [request])), lambda: check_requests([request], engine)):
        with pytest.raises(kind, match=said):
            ask()
    assert not engine.begun.is_set()


def test_an_engine_with_neither_facet_is_refused_in_a_sentence() -> None:
    engine = FakeEngine(lacks=frozenset({Rows}))
    with pytest.raises(CapabilityMissing, match=r"^[^\n]+$"):
        finish(engine, GenerationRequest(PROMPT))


@pytest.mark.parametrize("rows", [1, 3])
def test_cancelling_ends_at_once_and_lets_go_of_every_stream(rows: int) -> None:
    engine, cancel = Script(StreamedToken(0, 0, "A", 65), None), CancelToken()
    steps = generate(engine, [GenerationRequest(PROMPT, random_stream=row) for row in range(rows)], cancel=cancel)
    for _ in range(rows):
        next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    wait_until = threading.Event()
    for _ in range(1000):
        if engine.closed_streams == rows:
            break
        wait_until.wait(0.005)
    assert engine.closed_streams == rows


def test_an_error_of_one_row_ends_all() -> None:
    engine = Script(StreamedToken(0, 0, "A", 65))  # ends without saying so
    requests = [GenerationRequest(PROMPT, random_stream=row) for row in range(2)]
    with pytest.raises(ServerError, match="ended a text"):
        finish(engine, *requests)


def test_all_told_settings_go_into_the_request() -> None:
    settings = SamplerSettings(
        temperature=0.5,
        top_k=7,
        top_p=0.9,
        min_p=0.1,
        repetition_penalty=1.1,
        presence_penalty=0.2,
        frequency_penalty=0.3,
    )
    sent = stream_request(
        GenerationRequest(PROMPT, settings, 9, 3, 2, ("x",), ignore_eos=True, top=4, generated_ids=(1, 2))
    )
    assert {name: getattr(sent, name) for name in TOLD_SETTINGS} == {
        name: getattr(settings, name) for name in TOLD_SETTINGS
    }
    assert (sent.ids, sent.n, sent.max_new_tokens, sent.seed, sent.random_stream) == ((*PROMPT, 1, 2), 1, 9, 3, 2)
    assert (sent.stop, sent.ignore_eos, sent.top) == (("x",), True, 4)


def test_a_text_cannot_go_on_from_within_what_it_is_held_to() -> None:
    """A server begins with the constraint anew: the whole text would not match it."""
    held = Constraint("choice", "yes\nno")
    assert stream_request(GenerationRequest(PROMPT, constraint=held)).constraint == held
    with pytest.raises(BadInput, match="from its beginning"):
        stream_request(GenerationRequest(PROMPT, constraint=held, generated_ids=(121,)))
