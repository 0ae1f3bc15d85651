"""Texts that an engine samples by itself, as the steps and rows of a generation.

A request is told as far as such an engine can be told it, and what it tells of a token is passed on as it is. Knows no page
and no address.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial

from playground.engine.api import CancelToken, Engine, Stream, TextCodec
from playground.engine.facets import require
from playground.engine.remote.together import mixed
from playground.engine.types import StreamedEnd, StreamedToken, StreamRequest
from playground.errors import BadInput, ServerError
from playground.generation.types import Alternative, Generation, GenerationRequest, GenerationStep, RowResult, TokenStep

AT_ONCE = 8  # rows asked for at the same time where the engine does not say how many it works on

TOLD_SETTINGS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
)
"""The parameters that an engine can be told; the other samplers run here only."""


def stream_request(asked: GenerationRequest) -> StreamRequest:
    """``asked`` as the engine is told it. Raises BadInput for what would be left out."""
    others = [name for name, _value in asked.settings.changed if name not in TOLD_SETTINGS]
    if others or asked.stop_ids:
        what = ", ".join([*others, *(["stop token ids"] if asked.stop_ids else [])])
        raise BadInput(
            f"This model samples by itself and cannot be told {what}: leave it out, or choose a model that runs in this process.",
            "settings",
        )
    if asked.constraint is not None and asked.generated_ids:
        raise BadInput(
            "A text is held to its constraint from its beginning, so it cannot go on from a token within: write another one.",
            "constraint",
        )
    return StreamRequest(
        ids=asked.prompt_ids + asked.generated_ids,
        max_new_tokens=asked.max_new_tokens,
        seed=asked.seed,
        random_stream=asked.random_stream,
        stop=asked.stop_strings,
        ignore_eos=asked.ignore_eos,
        top=asked.top,
        constraint=asked.constraint,
        **{name: getattr(asked.settings, name) for name in TOLD_SETTINGS},
    )


def decode_streams(
    engine: Engine, requests: Sequence[GenerationRequest], cancel: CancelToken
) -> Generator[GenerationStep, None, Generation]:
    """``generate`` on an engine's ``Stream``: each row is a text of its own, as many at a time as the engine works on.

    A step is one token, or the end of one row, as it comes. Raises the engine's own errors, Cancelled at once.
    """
    stream, server = require(engine, Stream), engine.info.server
    rows = [_Row(place, request, engine.codec) for place, request in enumerate(requests)]
    begin = [partial(_row_events, stream, row) for row in rows]
    at_once = (server.slots if server else None) or AT_ONCE
    started = before = time.perf_counter()
    prefill_ms = 0.0
    with closing(mixed(begin, cancel, at_once)) as events:
        for row, event in events:
            now = time.perf_counter()
            if not prefill_ms:
                prefill_ms, before = (now - started) * 1000, now
            elapsed_ms, before = (now - before) * 1000, now
            if isinstance(event, StreamedToken):
                yield GenerationStep((row.accept(event),), (), elapsed_ms)
            else:
                yield GenerationStep((), (row.end(event),), elapsed_ms)
    results = tuple(row.result() for row in rows)
    decode_ms = (time.perf_counter() - started) * 1000 - prefill_ms
    return Generation(results, prefill_ms, decode_ms, None, sum(len(result.steps) for result in results))


def _row_events(stream: Stream, row: _Row, cancel: CancelToken) -> Iterator[tuple[_Row, StreamedToken | StreamedEnd]]:
    for event in stream.stream(stream_request(row.request), cancel=cancel):
        yield row, event


class _Row:
    """One text as it comes."""

    def __init__(self, place: int, request: GenerationRequest, codec: TextCodec) -> None:
        self.request = request
        self._place = place
        self._codec = codec
        self._steps: list[TokenStep] = []
        self._result: RowResult | None = None

    def accept(self, token: StreamedToken) -> TokenStep:
        step = TokenStep(
            row=self._place,
            index=len(self.request.generated_ids) + len(self._steps),
            id=token.id,
            raw_logprob=token.logprob,
            rank=token.rank,
            top=tuple(Alternative(other, logprob, math.exp(logprob), None) for other, logprob in token.top),
            text=token.text,
        )
        self._steps.append(step)
        return step

    def end(self, end: StreamedEnd) -> RowResult:
        hidden, stopped_by = self._ending(end)
        self._result = RowResult(
            row=self._place,
            request=self.request,
            steps=tuple(self._steps),
            text=end.text,
            hidden_text=hidden,
            finish_reason=end.reason,
            stopped_by=stopped_by,
        )
        return self._result

    def _ending(self, end: StreamedEnd) -> tuple[str, str | None]:
        """What the ending hides of the tokens that came, and the stop string or end token that ended the text."""
        last = self._steps[-1].id if self._steps else None
        if end.reason == "eos" and last in self._codec.eos_token_ids and last is not None:
            name = self._codec.decode((last,))
            return name, name
        whole, stops = "".join(step.text or "" for step in self._steps), self.request.stop_strings
        hidden = whole[len(end.text) :] if end.reason == "stop" and whole.startswith(end.text) else ""
        named = [stop for stop in stops if hidden.startswith(stop)] or (stops if len(stops) == 1 else [])
        return hidden, named[0] if end.reason == "stop" and len(named) == 1 else None

    def result(self) -> RowResult:
        if self._result is None:
            raise ServerError("The engine ended a text without saying so: try again.")
        return self._result
