"""A run that is written down while it happens: the job behind the page's and the command line's best-of-N.

Each candidate is kept as it ends; a disk that fails is told once and does not stop the run. Knows no page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace

from playground.engine.api import CancelToken, Engine
from playground.errors import PlaygroundError
from playground.generation.document import Origin
from playground.store.owner import BEAT_S
from playground.testtime.bakeoff import BakeoffProgress, BakeoffState, run_bakeoff
from playground.testtime.bakeoff_file import state_to_json
from playground.testtime.beam import beam_search, check_beams
from playground.testtime.events import BatchStep, Event
from playground.testtime.generate import CandidateRun, generate_candidates
from playground.testtime.request import BestOfNRequest, candidate_request
from playground.testtime.stored_runs import RunCost, RunStore, available_store, shared_store
from playground.testtime.types import Candidate


@dataclass(eq=False)
class RunRecorder:
    """Where a run is written. ``problem`` is why it is not any more, in one sentence; without a store nothing is."""

    store: RunStore | None = None
    run: str = ""
    problem: str | None = None
    _said: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls, request: BestOfNRequest, origin: Origin, visitor: str, may_record: Callable[[int], None]
    ) -> RunRecorder:
        """Of a visitor's new run in the shared store; where nothing can be stored, the run goes on all the same.

        ``may_record`` is told how many are stored, and raises a PlaygroundError where they are enough.
        """
        try:
            store = shared_store(visitor)
            may_record(store.count())
            return cls(store, store.start(request, origin))
        except PlaygroundError as error:
            return cls(problem=str(error))

    @classmethod
    def resume(cls, run: str, visitor: str) -> RunRecorder:
        """Of a visitor's run that was cut off, now written by this process. Raises StoreError."""
        store, _why = available_store(visitor)
        if store is not None and run:
            store.take_up(run)
        return cls(store, run)

    def add(self, candidates: Sequence[Candidate]) -> None:
        self._try(lambda store: store.add(self.run, candidates))

    def finish(self, complete: bool, cost: RunCost) -> None:
        self._try(lambda store: store.finish(self.run, "finished" if complete else "stopped", cost))

    def beat(self) -> None:
        """At each step: now and then others are told that the run is still being written."""
        if time.monotonic() - self._said > BEAT_S:
            self._said = time.monotonic()
            self._try(lambda store: store.beat(self.run))

    def _try(self, write: Callable[[RunStore], None]) -> None:
        if self.store is None or not self.run or self.problem is not None:
            return
        try:
            write(self.store)
        except PlaygroundError as error:
            self.problem = str(error)


def recorded_run(
    engine: Engine,
    request: BestOfNRequest,
    recorder: RunRecorder,
    *,
    written: Sequence[Candidate] = (),
    before: RunCost | None = None,
    cancel: CancelToken | None = None,
) -> Generator[Event, None, CandidateRun]:
    """``generate_candidates`` for ``request``, then its beams where it wants some, with every candidate kept at once.

    ``written`` and ``before`` are what an earlier process had finished and spent. However it ends, the run is marked so,
    and what is finished stays.
    """
    token = cancel or CancelToken()
    cost, complete = before or RunCost(), False
    candidates: tuple[Candidate, ...] = tuple(written)
    try:
        for event in _events(engine, request, written, token):
            recorder.beat()
            if isinstance(event, BatchStep):
                cost = replace(
                    cost,
                    prefill_ms=cost.prefill_ms + (event.prefill_ms or 0.0),
                    decode_ms=cost.decode_ms + event.elapsed_ms,
                    new_tokens=cost.new_tokens + event.tokens,
                )
                if event.finished:
                    candidates += event.finished
                    recorder.add(event.finished)
            yield event
        complete = True
        ordered = tuple(sorted(candidates, key=lambda candidate: candidate.index))
        return CandidateRun(ordered, cost.prefill_ms, cost.decode_ms, cost.new_tokens)
    finally:
        recorder.finish(complete, cost)


def recorded_bakeoff(
    engine: Engine, begun: BakeoffState, store: RunStore | None, name: str, *, visitor: str, cancel: CancelToken
) -> Generator[BakeoffProgress, None, BakeoffState]:
    """``run_bakeoff`` from ``begun``, with every problem stored under ``name`` before the next is begun.

    A disk that fails does not stop it.
    """

    def stored(state: BakeoffState) -> BakeoffState:
        if store is not None:
            with suppress(PlaygroundError):
                store.put_note(name, state_to_json(state))
        return state

    done = begun.done
    with closing(run_bakeoff(engine, begun, cancel=cancel, visitor=visitor)) as steps:
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                return stored(end.value)
            if progress.state.done != done:
                done = stored(progress.state).done
            yield progress


def _events(
    engine: Engine, request: BestOfNRequest, written: Sequence[Candidate], cancel: CancelToken
) -> Generator[Event, None, None]:
    samples = candidate_request(request, engine.codec)
    if request.beams:
        check_beams(engine, samples.rows()[0], request.beam_settings())  # not only after the samples
    with closing(generate_candidates(engine, samples, cancel=cancel, written=written)) as events:
        yield from events
    if request.beams and not any(candidate.index >= request.n for candidate in written):
        first = samples.rows()[0]
        with closing(
            beam_search(engine, first, request.beam_settings(), first_index=request.n, cancel=cancel)
        ) as events:
            yield from events
