"""Running scorers over candidates, one column a scorer. Scores are computed once; ranking and weighing them runs nothing here."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import BadInput, Cancelled, PlaygroundError
from playground.testtime.registry import kind_of, make_scorer
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate, Score, ScoreColumn, ScorerSpec


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """How far the scoring is: candidates done of ``total`` in the column ``label``, and columns done before it."""

    label: str
    done: int
    total: int
    column: int
    columns: int


def score_all(
    candidates: Sequence[Candidate], specs: Sequence[ScorerSpec], context: ScoringContext
) -> Generator[ScoringProgress, None, tuple[ScoreColumn, ...]]:
    """Run the scorers one after the other; yields after each candidate, returns a column a spec.

    A job for ``Worker.submit`` where a spec needs the engine, else for any thread. A scorer that cannot be used at all
    (no reference, a reward model of the wrong shape, numbers that the engine does not tell) gives a column of empty scores
    whose ``problem`` says why; the others go on. Raises BadInput for unknown names and arguments before anything runs,
    Cancelled between candidates.
    """
    functions = [make_scorer(spec) for spec in specs]
    columns: list[ScoreColumn] = []
    for place, (spec, function) in enumerate(zip(specs, functions, strict=True)):
        started = time.perf_counter()
        scores: list[Score] = []
        problem = _missing(spec, context) or _untold(spec, candidates)
        try:
            for score in function(candidates, context) if not problem else ():
                scores.append(score)
                yield ScoringProgress(spec.label, len(scores), len(candidates), place, len(specs))
        except Cancelled:
            raise
        except PlaygroundError as error:
            problem = str(error)
        scores += [Score(None, None, problem)] * (len(candidates) - len(scores))
        columns.append(ScoreColumn(spec, tuple(scores), (time.perf_counter() - started) * 1000, problem))
    return tuple(columns)


def _missing(spec: ScorerSpec, context: ScoringContext) -> str:
    kind = kind_of(spec)
    if kind.needs_reference and not (context.reference or "").strip():
        return f"{kind.label} needs a reference: give the right answer."
    if kind.needs_engine and context.engine is None:
        return f"{kind.label} needs the model: load one."
    return ""


_NUMBERS = {
    "raw_logprobs": "the log-probabilities of the tokens",
    "top_logprobs": "the log-probabilities of each step's likeliest tokens",
    "mean_logprobs": "the whole next-token distribution of each step",
}


def _untold(spec: ScorerSpec, candidates: Sequence[Candidate]) -> str:
    """Why the rule has nothing to read, where no answer has the numbers that it needs."""
    kind = kind_of(spec)
    written = [candidate for candidate in candidates if candidate.n_tokens]
    if not kind.reads or not written or any(np.isfinite(getattr(one, kind.reads)).any() for one in written):
        return ""
    return (
        f"{kind.label} needs {_NUMBERS[kind.reads]}, not told by the engine that wrote these answers: leave it out, or choose a "
        "model that runs in this process."
    )


def score_now(
    candidates: Sequence[Candidate], specs: Sequence[ScorerSpec], context: ScoringContext
) -> tuple[ScoreColumn, ...]:
    """``score_all`` to its end."""
    steps = score_all(candidates, specs, context)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            columns: tuple[ScoreColumn, ...] = end.value
            return columns


def is_valid(candidate: Candidate, specs: Sequence[ScorerSpec], context: ScoringContext) -> bool:
    """Whether every one of the verifiers finds this candidate valid: the question of a race and of a retry.

    Raises BadInput where a verifier cannot be used at all, so that a race does not run in vain.
    """
    for column in score_now([candidate], specs, context):
        if column.problem:
            raise BadInput(column.problem, "scorer")
        if column.scores[0].valid is not True:
            return False
    return True
