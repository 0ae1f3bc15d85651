"""Rows of possibly different prompts and settings, decoded together and sampled here, one step a turn.

Everything a row needs to be itself is in its request and its own state, never in its place in the batch: the same
request gives the same tokens alone and among others. Knows no model class and no page.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TypeVar

from playground.engine.api import Batch, CancelToken, Engine, Rows, TextCodec
from playground.engine.facets import require
from playground.engine.pieces import Pieces, timed
from playground.engine.types import FloatArray
from playground.generation.record import Drawn, RowInput, draw_rows
from playground.generation.stopping import StopWatch
from playground.generation.types import (
    DrawnStep,
    Generation,
    GenerationRequest,
    GenerationStep,
    RowResult,
)
from playground.inspection.next_token import breaker_ids
from playground.sampling.context import SamplingContext
from playground.sampling.draw import UniformStream
from playground.sampling.truncation import updated_mu

T = TypeVar("T")
DRAWN_AT_ONCE = 32  # rows; with all samplers on they take some 60 ms of one core


def decode_rows(
    engine: Engine, requests: Sequence[GenerationRequest], cancel: CancelToken, *, branching: bool
) -> Generator[GenerationStep, None, Generation]:
    """``generate`` on an engine's ``Rows``. However it ends, the prompts' caches stay known, and with ``branching`` those
    of the rows. Raises CapabilityMissing for an engine without them.
    """
    prompts = [(*request.prompt_ids, *request.generated_ids) for request in requests]
    reading = require(engine, Rows).open_batch_in_pieces(prompts, cancel=cancel, branching=branching)
    batch, prefill_ms = yield from _as_steps(timed(reading))
    try:
        rows = [_Row(place, request, engine.codec) for place, request in enumerate(requests)]
        decode_started = time.perf_counter()
        yield from _decode(batch, rows, cancel)
        return Generation(
            rows=tuple(row.result() for row in rows),
            prefill_ms=prefill_ms,
            decode_ms=(time.perf_counter() - decode_started) * 1000,
            computed_tokens=batch.computed_tokens,
            new_tokens=sum(len(row.ids) for row in rows),
        )
    finally:
        batch.close()


def _as_steps(reading: Pieces[T]) -> Generator[GenerationStep, None, T]:
    with closing(reading):
        while True:
            try:
                next(reading)
            except StopIteration as end:
                result: T = end.value
                return result
            yield GenerationStep((), (), 0.0)


def _decode(batch: Batch, rows: Sequence[_Row], cancel: CancelToken) -> Generator[GenerationStep, None, None]:
    """Asks for the next step before it gives others a turn, so that whoever runs this can take their steps together."""
    live = list(rows)
    before = time.perf_counter()
    while True:
        cancel.check()
        logits = batch.logits
        drawn, engine_ms = yield from _draw(logits, live)
        started = time.perf_counter()
        tokens = tuple(row.accept(outcome) for row, outcome in zip(live, drawn, strict=True))
        finished = tuple(row.result() for row in live if row.ended)
        engine_ms += batch.step_ms
        if finished:
            staying = [place for place, row in enumerate(live) if not row.ended]
            live = [live[place] for place in staying]
            batch.select_rows(staying)
        if live:
            batch.ask([row.ids[-1] for row in live])
        now = time.perf_counter()
        yield GenerationStep(tokens, finished, (now - before) * 1000, engine_ms + (now - started) * 1000)
        before = now
        if not live:
            return


def _draw(logits: FloatArray, live: Sequence[_Row]) -> Generator[GenerationStep, None, tuple[list[Drawn], float]]:
    """A token for each row, with a turn for others after every few, and the milliseconds it took."""
    drawn: list[Drawn] = []
    spent_ms = 0.0
    while True:
        started = time.perf_counter()
        few = live[len(drawn) : len(drawn) + DRAWN_AT_ONCE]
        drawn += draw_rows(logits[len(drawn) : len(drawn) + len(few)], [row.step_input() for row in few])
        spent_ms += (time.perf_counter() - started) * 1000
        if len(drawn) == len(live):
            return drawn, spent_ms
        yield GenerationStep((), (), 0.0, drawn_rows=len(live))


class _Row:
    """One row's state: its tokens, its random stream, Mirostat's ceiling and its stop watch."""

    def __init__(self, place: int, request: GenerationRequest, codec: TextCodec) -> None:
        self._place = place
        self._request = request
        self._stream = UniformStream(request.seed, request.random_stream)
        self._watch = StopWatch(request, codec)
        self._codec = codec
        self._uses_xtc = "xtc" in request.settings.active()
        self._uses_mirostat = "mirostat" in request.settings.active()
        self._mu = request.mirostat_mu
        self._steps: list[DrawnStep] = []
        self._result: RowResult | None = None
        self.ids: list[int] = []

    @property
    def ended(self) -> bool:
        return self._result is not None

    @property
    def _index(self) -> int:
        return len(self._request.generated_ids) + len(self.ids)

    def step_input(self) -> RowInput:
        request = self._request
        generated = (*request.generated_ids, *self.ids)
        context = SamplingContext(
            prompt_ids=request.prompt_ids,
            generated_ids=generated,
            xtc_u=self._stream.at(self._index, "xtc") if self._uses_xtc else 0.0,
            mirostat_mu=self._mu,
            dry_breakers=breaker_ids(self._codec, request.settings, request.prompt_ids + generated),
        )
        return RowInput(request.settings, context, self._stream.at(self._index), request.top)

    def accept(self, drawn: Drawn) -> DrawnStep:
        """Take the drawn token and move all state that depends on it."""
        if self._uses_mirostat:
            settings = self._request.settings
            self._mu = updated_mu(self._mu, drawn.surprise_bits, tau=settings.mirostat_tau, eta=settings.mirostat_eta)
        step = DrawnStep(
            row=self._place,
            index=self._index,
            id=drawn.draw.id,
            raw_logprob=drawn.raw_logprob,
            prob=drawn.prob,
            rank=drawn.rank,
            entropy=drawn.entropy,
            kept=drawn.kept,
            u=drawn.draw.u,
            low=drawn.draw.low,
            high=drawn.draw.high,
            top=drawn.top,
            mirostat_mu=self._mu if self._uses_mirostat else None,
            mean_logprob=drawn.mean_logprob,
        )
        self.ids.append(step.id)
        self._steps.append(step)
        ending = self._watch.feed(step.id)
        if ending is not None:
            text, hidden = self._watch.split(ending)
            self._result = RowResult(
                row=self._place,
                request=self._request,
                steps=tuple(self._steps),
                text=text,
                hidden_text=hidden,
                finish_reason=ending.reason,
                stopped_by=ending.stopped_by,
            )
        return step

    def result(self) -> RowResult:
        """Only once the row has ended."""
        assert self._result is not None
        return self._result
