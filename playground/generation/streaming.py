"""Texts that come as a stream: from an engine that samples by itself, or sampled here from an engine's rows.

A request is told as far as such an engine can be told it. What it tells of a token is passed on as it is; what it does
not tell is None. Knows no page and no address.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from playground.engine.api import CancelToken, Engine, Stream
from playground.engine.facets import require
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadInput
from playground.generation.loop import check_requests, generate
from playground.generation.types import GenerationRequest
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.settings import NEUTRAL

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


@dataclass(frozen=True, slots=True)
class StreamedText:
    """One text to its end; ``seconds`` from the request to the end, reading included."""

    text: str
    reason: str
    tokens: tuple[StreamedToken, ...]
    seconds: float


def stream_request(asked: GenerationRequest) -> StreamRequest:
    """``asked`` as the engine is told it. Raises BadInput for what would be left out."""
    others = [name for name, _value in asked.settings.changed if name not in TOLD_SETTINGS]
    if others or asked.stop_ids:
        what = ", ".join([*others, *(["stop token ids"] if asked.stop_ids else [])])
        raise BadInput(
            f"This model samples by itself and cannot be told {what}: leave it out, or choose a model that runs in this process.",
            "settings",
        )
    return StreamRequest(
        ids=asked.prompt_ids + asked.generated_ids,
        max_new_tokens=asked.max_new_tokens,
        seed=asked.seed,
        stop=asked.stop_strings,
        ignore_eos=asked.ignore_eos,
        top=asked.top,
        **{name: getattr(asked.settings, name) for name in TOLD_SETTINGS},
    )


def stream_rows(engine: Engine, request: StreamRequest, cancel: CancelToken | None) -> Iterator[StreamEvent]:
    """``Stream`` from an engine's ``Rows``, sampled here: row i has the same tokens as ``generate`` gives a request with
    this seed and ``random_stream`` i, alone or beside others. Raises BadInput, BadPrompt and Cancelled as ``generate``.
    """
    settings = NEUTRAL.replace(**{name: getattr(request, name) for name in TOLD_SETTINGS})
    rows = [
        GenerationRequest(
            request.ids,
            settings,
            max_new_tokens=request.max_new_tokens,
            seed=request.seed,
            random_stream=row,
            stop_strings=request.stop,
            ignore_eos=request.ignore_eos,
            top=request.top,
        )
        for row in range(request.n)
    ]
    before = [request.ids[-CONTEXT_TAIL:]] * request.n
    with closing(generate(engine, rows, cancel=cancel, branching=False)) as steps:
        for step in steps:
            for one in step.tokens:
                piece = engine.codec.piece(one.id, before[one.row])
                top = tuple((other.id, other.raw_logprob) for other in one.top)
                yield StreamedToken(one.row, one.index, piece, one.id, one.raw_logprob, top)
                before[one.row] = (*before[one.row], one.id)[-CONTEXT_TAIL:]
            for ended in step.finished:
                reason = "stop" if ended.finish_reason == "stop_id" else ended.finish_reason
                yield StreamedEnd(ended.row, ended.text, reason)


def stream_text(
    engine: Engine, asked: GenerationRequest, *, cancel: CancelToken | None = None
) -> Generator[StreamedToken, None, StreamedText]:
    """Each token as it comes; the text at the end. Raises CapabilityMissing, BadInput, BadPrompt and Cancelled."""
    check_requests([asked], engine.info)
    started, tokens = time.perf_counter(), list[StreamedToken]()
    ended: StreamedEnd | None = None
    for event in require(engine, Stream).stream(stream_request(asked), cancel=cancel):
        if isinstance(event, StreamedToken):
            tokens.append(event)
            yield event
        else:
            ended = event
    text = "".join(token.text for token in tokens) if ended is None else ended.text
    reason = "length" if ended is None else ended.reason
    return StreamedText(text, reason, tuple(tokens), time.perf_counter() - started)
