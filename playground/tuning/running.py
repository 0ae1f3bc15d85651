"""A plan's texts: rows of all settings and prompts decoded together, with common random numbers across settings.

Texts are numbered by their place: example by example, in it arm by arm, in it sample by sample. Any of them can be written
by themselves, with the same random numbers, so a run that ended early goes on with what is missing. Knows no store.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from playground.engine.api import CancelToken, Engine, Rows
from playground.engine.facets import require
from playground.engine.text.prompt import encode_prompt
from playground.generation import GenerationRequest, GenerationStep, check_requests, generate, samples_here
from playground.generation.types import MOST_ROWS, Generation
from playground.testtime.batching import row_bytes, usable_bytes
from playground.testtime.types import Candidate, candidate_from_row
from playground.tuning.measures import Measure, mean_score
from playground.tuning.plan import CONTROL, Plan
from playground.tuning.statistics import Floats

ROWS_AT_ONCE = 48  # more share a pass no better, and take more memory
_DRAWN_AT_ONCE = (
    32  # rows that begin together: a batch that draws more gives way in between, and falls behind the others
)
_FEWEST = 8  # rows that begin together, unless no more are left: each such batch has its own part of a pass


@dataclass(frozen=True, slots=True, eq=False)
class PlanTexts:
    """By setting, and the control: for each example its samples, in the plan's order."""

    texts: Mapping[str, tuple[tuple[Candidate, ...], ...]]

    def values(self, measure: Measure, plan: Plan) -> Floats:
        """(examples, arms): each example's mean over its samples, NaN where the measure says nothing of it."""
        rows = [
            [mean_score(measure, self.texts[arm][place], example) for arm in plan.arms]
            for place, example in enumerate(plan.examples)
        ]
        return np.array(rows)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What has come since the step before: ``finished`` texts, ``new_tokens`` of all rows, in ``seconds``, turns of others
    among them. ``done``: texts that are there in all."""

    done: int
    finished: tuple[Candidate, ...]
    new_tokens: int
    seconds: float


def write_texts(engine: Engine, plan: Plan, cancel: CancelToken | None = None) -> Generator[PlanStep, None, PlanTexts]:
    """Write all texts; yields after every step what has come, returns them at the end. Raises as ``write_places``."""
    texts: dict[int, Candidate] = {}
    with closing(write_places(engine, plan, range(plan.texts), cancel=cancel)) as steps:
        for step in steps:
            texts |= {candidate.index: candidate for candidate in step.finished}
            yield step
    return texts_by_arm(plan, texts)


def write_places(
    engine: Engine,
    plan: Plan,
    places: Sequence[int],
    *,
    written: Mapping[int, Candidate] = MappingProxyType({}),
    rows: int = ROWS_AT_ONCE,
    cancel: CancelToken | None = None,
) -> Generator[PlanStep, None, None]:
    """Write the texts of ``places`` that are not ``written``, ``rows`` at a time at most.

    Sample s of an example draws from the same stream of uniforms under every setting, so that settings differ by what they
    are and not by chance; the control draws from others. Raises BadInput, BadPrompt and CapabilityMissing before anything
    is written, Cancelled between steps.
    """
    requests = plan_requests(engine, plan)
    missing = [place for place in places if place not in written]
    wanted = [requests[place] for place in missing]
    for first in range(0, len(wanted), MOST_ROWS):
        check_requests(wanted[first : first + MOST_ROWS], engine)
    token = cancel or CancelToken()
    arms = [arm for _example, arm, _sample in plan_places(plan)]
    done, before = len(written), time.perf_counter()
    writing = _write_here(engine, wanted, rows, token) if samples_here(engine) else _write_there(engine, wanted, token)
    with closing(writing) as rounds:
        for steps in rounds:
            finished = tuple(
                candidate_from_row(
                    row,
                    index=missing[batch.first + row.row],
                    vocab_size=engine.info.vocab_size,
                    elapsed_ms=batch.since_first_token(row.row),
                    setting=arms[missing[batch.first + row.row]],
                )
                for batch, step in steps
                for row in step.finished
            )
            now = time.perf_counter()
            done += len(finished)
            yield PlanStep(done, finished, sum(step.new_tokens for _batch, step in steps), now - before)
            before = now


def plan_places(plan: Plan) -> tuple[tuple[int, str, int], ...]:
    """Example, arm and sample of each place."""
    return tuple(
        (example, arm, sample)
        for example in range(len(plan.examples))
        for arm in plan.arms
        for sample in range(plan.samples)
    )


def plan_requests(engine: Engine, plan: Plan) -> list[GenerationRequest]:
    """What each place asks for, checked one by one. Raises BadInput and BadPrompt."""
    codec = engine.codec
    prompts = [encode_prompt(codec, each.prompt, chat=plan.chat, system=each.system or None) for each in plan.examples]
    return [
        GenerationRequest(
            prompt_ids=prompts[example],
            settings=plan.settings[plan.present if arm == CONTROL else arm],
            max_new_tokens=plan.max_new_tokens,
            seed=plan.seed,
            random_stream=2 * (example * plan.samples + sample) + (arm == CONTROL),
            top=0,
        )
        for example, arm, sample in plan_places(plan)
    ]


def texts_by_arm(plan: Plan, texts: Mapping[int, Candidate]) -> PlanTexts:
    """All of a plan's texts by their place, in its order."""
    arms, samples = len(plan.arms), plan.samples
    return PlanTexts(
        {
            arm: tuple(
                tuple(texts[(example * arms + number) * samples + sample] for sample in range(samples))
                for example in range(len(plan.examples))
            )
            for number, arm in enumerate(plan.arms)
        }
    )


# -- texts under way -----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Batch:
    """Texts that began together; ``first``: the number of its first one among those wanted. ``rows``: still being written."""

    first: int
    rows: int
    steps: Generator[GenerationStep, None, Generation]
    clock_ms: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)  # a row's first token, by the clock

    def take(self, step: GenerationStep) -> None:
        self.rows -= len(step.finished)
        before, self.clock_ms = self.clock_ms, self.clock_ms + step.elapsed_ms
        for token in step.tokens:
            self.begun.setdefault(token.row, before)

    def since_first_token(self, row: int) -> float:
        """Milliseconds, its own included."""
        return self.clock_ms - self.begun.get(row, self.clock_ms)


_Rounds = Generator[list[tuple[_Batch, GenerationStep]], None, None]


def _write_there(engine: Engine, wanted: Sequence[GenerationRequest], cancel: CancelToken) -> _Rounds:
    """The engine samples, and writes as many at a time as it can."""
    for first in range(0, len(wanted), MOST_ROWS):
        some = wanted[first : first + MOST_ROWS]
        batch = _Batch(first, len(some), generate(engine, some, cancel=cancel))
        with closing(batch.steps):
            for step in batch.steps:
                batch.take(step)
                yield [(batch, step)]


def _write_here(engine: Engine, wanted: Sequence[GenerationRequest], rows: int, cancel: CancelToken) -> _Rounds:
    """Rows that end give their place to the next ones: the batches under way take their steps in common passes.

    Each batch asks for its next step once a round. Whoever runs this may run what was asked for between two rounds, as the
    worker does along with others' steps; what is left is run here.
    """
    own = require(engine, Rows)
    largest = max((row_bytes(own.info, request) for request in wanted), default=1)
    most = max(1, min(rows, usable_bytes(own.info) // largest))
    begun, live = 0, list[_Batch]()
    with ExitStack() as opened:
        while begun < len(wanted) or live:
            free = most - sum(batch.rows for batch in live)
            while begun < len(wanted) and (free >= min(_FEWEST, len(wanted) - begun) or not live):
                some = wanted[begun : begun + min(free, _DRAWN_AT_ONCE)]
                steps = generate(engine, some, cancel=cancel, branching=False)
                opened.callback(steps.close)
                live.append(_Batch(begun, len(some), steps))
                begun, free = begun + len(some), free - len(some)
            if asked := own.take_asked():
                own.run_steps([(step, step.rows) for step in asked])
            steps_of_round = []
            for batch in live:
                step = next(batch.steps)
                batch.take(step)
                steps_of_round.append((batch, step))
                if not batch.rows:
                    batch.steps.close()  # lets go of its caches
            yield steps_of_round
            live = [batch for batch in live if batch.rows]
