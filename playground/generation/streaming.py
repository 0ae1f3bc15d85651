"""``Stream`` from an engine's ``Rows``: texts sampled here, told as an engine tells them that samples by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from playground.engine.api import CancelToken, Engine
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.generation.loop import check_requests
from playground.generation.rows import decode_rows
from playground.generation.streams import TOLD_SETTINGS
from playground.generation.types import DrawnStep, GenerationRequest
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.settings import NEUTRAL


def stream_rows(engine: Engine, request: StreamRequest, cancel: CancelToken | None) -> Iterator[StreamEvent]:
    """``Stream`` from an engine's ``Rows``, sampled here: row i has the same tokens as ``generate`` gives a request with
    this seed and ``random_stream`` + i, alone or beside others. Raises BadInput, BadPrompt and Cancelled as ``generate``.
    """
    settings = NEUTRAL.replace(**{name: getattr(request, name) for name in TOLD_SETTINGS})
    rows = [
        GenerationRequest(
            request.ids,
            settings,
            max_new_tokens=request.max_new_tokens,
            seed=request.seed,
            random_stream=request.random_stream + row,
            stop_strings=request.stop,
            ignore_eos=request.ignore_eos,
            top=request.top,
            constraint=request.constraint,
        )
        for row in range(request.n)
    ]
    before = [request.ids[-CONTEXT_TAIL:]] * request.n
    check_requests(rows, engine)
    with closing(decode_rows(engine, rows, cancel or CancelToken(), branching=False)) as steps:
        for step in steps:
            for one in step.tokens:
                assert isinstance(one, DrawnStep)
                piece = engine.codec.piece(one.id, before[one.row])
                top = tuple((other.id, other.raw_logprob) for other in one.top)
                yield StreamedToken(one.row, one.index, piece, one.id, one.raw_logprob, top, one.rank)
                before[one.row] = (*before[one.row], one.id)[-CONTEXT_TAIL:]
            for ended in step.finished:
                reason = "stop" if ended.finish_reason == "stop_id" else ended.finish_reason
                yield StreamedEnd(ended.row, ended.text, reason)
