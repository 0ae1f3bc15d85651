"""The loop: rows of possibly different prompts and settings, decoded together, one step a turn.

Everything a row needs to be itself is in its request and its own state, never in its place in the batch: the same
request gives the same tokens alone and among others. Knows no model class and no page.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TypeVar

from playground.engine.api import Batch, CancelToken, Engine, Pieces, Rows, TextCodec, timed
from playground.engine.facets import require
from playground.errors import BadInput, BadPrompt
from playground.generation.record import Drawn, RowInput, draw_rows
from playground.generation.stopping import StopWatch, check_stop_ids
from playground.generation.types import (
    MOST_ROWS,
    Generation,
    GenerationRequest,
    GenerationStep,
    RowResult,
    TokenStep,
)
from playground.inspection.next_token import breaker_ids
from playground.models.info import ModelInfo
from playground.sampling.context import SamplingContext
from playground.sampling.draw import UniformStream
from playground.sampling.truncation import updated_mu

T = TypeVar("T")


def generate(
    engine: Engine,
    requests: Sequence[GenerationRequest],
    *,
    cancel: CancelToken | None = None,
    branching: bool = True,
) -> Generator[GenerationStep, None, Generation]:
    """Decode ``requests`` together; yields after each step, returns everything at the end.

    While long prompts are read it yields steps without tokens, so that others have their turn.

    A job for ``Worker.submit``: ``lambda engine, cancel: generate(engine, requests, cancel=cancel)``. Raises before
    the model runs: BadInput for no rows, too many, or unknown stop ids, BadPrompt for prompts that cannot be read.
    Raises Cancelled between steps. However it ends, the prompts' caches stay known, and with
    ``branching`` those of the rows.
    """
    check_requests(requests, engine.info)
    token = cancel or CancelToken()
    prompts = [(*request.prompt_ids, *request.generated_ids) for request in requests]
    reading = require(engine, Rows).open_batch_in_pieces(prompts, cancel=token, branching=branching)
    batch, prefill_ms = yield from _as_steps(timed(reading))
    try:
        rows = [_Row(place, request, engine.codec) for place, request in enumerate(requests)]
        decode_started = time.perf_counter()
        yield from _decode(batch, rows, token)
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


def check_requests(requests: Sequence[GenerationRequest], info: ModelInfo) -> None:
    """Raise BadInput or BadPrompt for what no generation can start from."""
    if not 1 <= len(requests) <= MOST_ROWS:
        raise BadInput(f"n: from 1 to {MOST_ROWS} rows can be generated together, not {len(requests)}.", "n")
    for request in requests:
        check_stop_ids(request.stop_ids, info.vocab_size)
        held = len(request.prompt_ids) + len(request.generated_ids)
        if held + request.max_new_tokens > info.context_length:
            free = info.context_length - held
            advice = f"ask for at most {free:,}" if free > 0 else "shorten the prompt"
            raise BadPrompt(
                f"{held:,} tokens and {request.max_new_tokens:,} new ones are more than the {info.context_length:,} "
                f"{info.name} reads: {advice}.",
                field="max_new_tokens" if free > 0 else "prompt",
            )


def _decode(batch: Batch, rows: Sequence[_Row], cancel: CancelToken) -> Generator[GenerationStep, None, None]:
    live = list(rows)
    before = time.perf_counter()
    while True:
        cancel.check()
        drawn = draw_rows(batch.logits, [row.step_input() for row in live])
        tokens = tuple(row.accept(outcome) for row, outcome in zip(live, drawn, strict=True))
        finished = tuple(row.result() for row in live if row.ended)
        now = time.perf_counter()
        yield GenerationStep(tokens, finished, (now - before) * 1000)
        before = now
        if finished:
            staying = [place for place, row in enumerate(live) if not row.ended]
            live = [live[place] for place in staying]
            batch.select_rows(staying)
        if not live:
            return
        batch.step([row.ids[-1] for row in live], cancel=cancel)


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
        self._steps: list[TokenStep] = []
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

    def accept(self, drawn: Drawn) -> TokenStep:
        """Take the drawn token and move all state that depends on it."""
        if self._uses_mirostat:
            settings = self._request.settings
            self._mu = updated_mu(self._mu, drawn.surprise_bits, tau=settings.mirostat_tau, eta=settings.mirostat_eta)
        step = TokenStep(
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
                ids=tuple(self.ids),
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
