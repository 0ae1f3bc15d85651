"""What a job that makes candidates tells while it works. Plain data; whoever draws or keeps it reads these."""

from __future__ import annotations

from dataclasses import dataclass

from playground.testtime.batching import BatchPlan
from playground.testtime.types import Candidate


@dataclass(frozen=True, slots=True)
class Planned:
    """Before the model runs: which candidates run together."""

    plan: BatchPlan


@dataclass(frozen=True, slots=True)
class BatchStep:
    """One decode step of one batch. ``prefill_ms`` is set on a batch's first step, with what its prompts cost to read.

    ``rows`` were being written, those of ``finished`` included, which ended with this step; ``tokens`` came of them.
    ``context`` is the longest of them after it. ``elapsed_ms`` is the engine's time alone: other sessions' turns are not in
    it. An engine that samples by itself gives what comes next of any row as a step, with ``context`` None; its first
    ``prefill_ms`` is the time to the first token.
    """

    batch: int
    rows: int
    tokens: int
    context: int | None
    elapsed_ms: float
    finished: tuple[Candidate, ...] = ()
    prefill_ms: float | None = None

    @property
    def new_tokens(self) -> int:
        return self.rows


Event = Planned | BatchStep | None  # None: a piece of the prompt was read, others may have their turn
