"""N candidates from one prefill, as events while they come.

A job for ``Worker.submit``: it gives way after every decode step, so other sessions take their turns in between and a
cancel is felt within one step. What has finished stays finished, whatever happens to the rest. Knows no page and no file.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from playground.engine.api import CancelToken, Engine, Rows
from playground.engine.facets import require
from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.generation import GenerationRequest, check_requests, generate, samples_here
from playground.generation.types import RowResult
from playground.sampling.settings import SamplerSettings
from playground.testtime.batching import BatchPlan, plan_batches, plan_streams, usable_bytes
from playground.testtime.events import BatchStep, Event, Planned
from playground.testtime.types import Candidate, Origin, candidate_from_row, check_count

RECORDED = 20  # largest log-probabilities kept of each step: what DeepConf's group confidence is defined on
MOST_VARIATIONS = 16


@dataclass(frozen=True, slots=True)
class Variation:
    """One way of asking: the prompt as read, the settings, and what the table calls it ("" where there is but one)."""

    prompt_ids: TokenIds
    settings: SamplerSettings
    name: str = ""


@dataclass(frozen=True, slots=True)
class CandidateRequest:
    """What is asked for: ``n`` candidates, dealt in turn over the variations. All share ``seed``; each has its own
    random stream.

    Checked on creation: BadInput names the field at fault.
    """

    variations: tuple[Variation, ...]
    n: int
    max_new_tokens: int = 48
    seed: int = 0
    stop_strings: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    recorded: int = RECORDED
    origin: Origin = field(default="sampling")

    def __post_init__(self) -> None:
        check_count(self.n)
        if not 1 <= len(self.variations) <= MOST_VARIATIONS:
            raise BadInput(
                f"variations: from 1 to {MOST_VARIATIONS} ways of asking can be mixed, not {len(self.variations)}.",
                "variations",
            )
        self.rows()

    def rows(self) -> tuple[GenerationRequest, ...]:
        """One request a candidate, in order: candidate i asks in the way of variation i modulo their number."""
        return tuple(
            GenerationRequest(
                prompt_ids=variation.prompt_ids,
                settings=variation.settings,
                max_new_tokens=self.max_new_tokens,
                seed=self.seed,
                random_stream=place,
                stop_strings=self.stop_strings,
                stop_ids=self.stop_ids,
                ignore_eos=self.ignore_eos,
                top=self.recorded,
            )
            for place in range(self.n)
            for variation in (self.variation_of(place),)
        )

    def variation_of(self, place: int) -> Variation:
        return self.variations[place % len(self.variations)]


@dataclass(frozen=True, slots=True)
class CandidateRun:
    """All candidates in order, and what they cost. Times are the engine's alone."""

    candidates: tuple[Candidate, ...]
    prefill_ms: float
    decode_ms: float
    new_tokens: int


def generate_candidates(
    engine: Engine,
    asked: CandidateRequest,
    *,
    cancel: CancelToken | None = None,
    written: Sequence[Candidate] = (),
    one_by_one: bool = False,
    memory: int | None = None,
) -> Generator[Event, None, CandidateRun]:
    """Decode what ``asked`` wants and ``written`` has not: a resumed run goes on where it was killed, with the same
    random numbers.

    ``one_by_one``: each begins when the one before has ended. ``memory``: the bytes the rows may take together, None to ask
    the machine. Raises BadInput or BadPrompt before the model runs, Cancelled between steps.
    """
    token = cancel or CancelToken()
    rows = asked.rows()
    done = {candidate.index: candidate for candidate in written if 0 <= candidate.index < asked.n}
    missing = [place for place in range(asked.n) if place not in done]
    check_requests(rows[:1], engine)
    plan = _plan(engine, rows, missing, 0 if one_by_one else memory)
    for places in plan.batches:
        check_requests([rows[place] for place in places], engine)
    yield Planned(plan)
    cost = _Cost()
    for number, places in enumerate(plan.batches):
        for step in _run_batch(engine, asked, [rows[place] for place in places], number, places, cost, token):
            if step is not None:
                done |= {candidate.index: candidate for candidate in step.finished}
            yield step
    candidates = tuple(done[place] for place in sorted(done))
    return CandidateRun(candidates, cost.prefill_ms, cost.decode_ms, cost.new_tokens)


def _plan(engine: Engine, rows: Sequence[GenerationRequest], missing: Sequence[int], memory: int | None) -> BatchPlan:
    """What runs together: as much as fits into the ``memory`` of this machine, or as a server has slots."""
    if not samples_here(engine):
        server = engine.info.server
        return plan_streams(missing, server.slots if server else None, one_by_one=memory == 0)
    info = require(engine, Rows).info
    return plan_batches(info, rows, usable_bytes(info) if memory is None else memory, missing)


@dataclass
class _Cost:
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    new_tokens: int = 0


def _run_batch(
    engine: Engine,
    asked: CandidateRequest,
    rows: Sequence[GenerationRequest],
    number: int,
    places: Sequence[int],
    cost: _Cost,
    cancel: CancelToken,
) -> Iterator[BatchStep | None]:
    longest, live = max(len(row.prompt_ids) for row in rows), set[int]()
    in_step = samples_here(engine)
    with closing(generate(engine, rows, cancel=cancel, branching=False)) as steps:
        taken, read_ms = 0, 0.0
        while True:
            started = time.perf_counter()
            try:
                step = next(steps)
            except StopIteration:
                return
            spent_ms = (time.perf_counter() - started) * 1000
            if not step.tokens and not step.finished:
                read_ms += spent_ms
                yield None
                continue
            decode_ms = step.engine_ms or min(spent_ms, step.elapsed_ms)
            prefill_ms = read_ms + max(0.0, spent_ms - step.elapsed_ms) if taken == 0 else None
            taken += 1
            cost.prefill_ms += prefill_ms or 0.0
            cost.decode_ms += decode_ms
            cost.new_tokens += len(step.tokens)
            finished = tuple(_candidate(engine, asked, row, places, cost) for row in step.finished)
            ended = {row.row for row in step.finished}
            live |= {token.row for token in step.tokens} | ended
            context = longest + taken if in_step else None
            yield BatchStep(number, len(live), len(step.tokens), context, decode_ms, finished, prefill_ms)
            live -= ended


def _candidate(
    engine: Engine, asked: CandidateRequest, row: RowResult, places: Sequence[int], cost: _Cost
) -> Candidate:
    place = places[row.row]
    return candidate_from_row(
        row,
        index=place,
        vocab_size=engine.info.vocab_size,
        elapsed_ms=cost.decode_ms,
        origin=asked.origin,
        setting=asked.variation_of(place).name,
    )
