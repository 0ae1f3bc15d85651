"""A run as it comes in: its candidates, what they cost so far, and their scores by what these depend on.

Ranking, weighing and drawing again never runs a model: scores that cost one are kept by label, all others are computed
again when what they need changes. Knows no page and no worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from playground.engine.api import CancelToken
from playground.testtime.answers import extract_answers
from playground.testtime.batching import BatchPlan
from playground.testtime.cost import StepTiming, survival
from playground.testtime.events import BatchStep, Event, Planned
from playground.testtime.registry import kind_of, parse_spec
from playground.testtime.request import DEFAULT_NEW_TOKENS, BestOfNRequest
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.stored_runs import RunCost, StoredRun
from playground.testtime.types import Candidate, ScoreColumn, ScoredCandidates, ScorerSpec

HEAVY = ("reward", "similarity")  # a model of their own, loaded when asked for


@dataclass(eq=False)
class LiveRun:
    """``request`` None: nothing has been asked for yet. ``heavy``: the columns that cost a model, by label."""

    request: BestOfNRequest | None = None
    candidates: dict[int, Candidate] = field(default_factory=dict)
    cost: RunCost = field(default_factory=RunCost)
    plan: BatchPlan | None = None
    timings: list[StepTiming] = field(default_factory=list)
    live_rows: int = 0
    run_id: str = ""
    heavy: dict[str, ScoreColumn] = field(default_factory=dict)
    _scored: tuple[object, ScoredCandidates] | None = None  # what they were scored for, and the scores

    @classmethod
    def after(cls, request: BestOfNRequest, old: LiveRun | None) -> LiveRun:
        """A new run, with the samples of ``old`` and what they took where both ask for samples in the same way."""
        run = cls(request)
        if old is not None and old.request is not None and old.request.sampling_part() == request.sampling_part():
            run.candidates = {one.index: one for one in old.samples}
            run.cost, run.timings = old.cost, old.timings
        return run

    @classmethod
    def stored(cls, kept: StoredRun) -> LiveRun:
        """A recorded run, taken up again."""
        return cls(
            kept.request,
            {candidate.index: candidate for candidate in kept.candidates},
            kept.cost,
            run_id=kept.summary.id,
            heavy={column.label: column for column in kept.columns},
        )

    def copy(self) -> LiveRun:
        """What is there, as a run of its own that nobody has recorded."""
        timings, heavy = list(self.timings), dict(self.heavy)
        return replace(self, candidates=dict(self.candidates), timings=timings, heavy=heavy, run_id="", live_rows=0)

    @property
    def ordered(self) -> tuple[Candidate, ...]:
        """The finished candidates by their number."""
        return tuple(self.candidates[index] for index in sorted(self.candidates))

    @property
    def samples(self) -> tuple[Candidate, ...]:
        """Those that were drawn; a beam is the same at every search."""
        return tuple(one for one in self.ordered if one.beam_score is None)

    @property
    def wanted(self) -> int:
        """Candidates that were asked for, beams included."""
        return 0 if self.request is None else self.request.n + self.request.beams

    @property
    def tokens_per_second(self) -> float:
        """Of decoding, all rows together."""
        return self.cost.new_tokens / max(self.cost.decode_ms, 1e-3) * 1000

    def take(self, event: Event) -> None:
        """What the job that makes the candidates tells."""
        if isinstance(event, Planned):
            self.plan = event.plan
            return
        if event is None:
            return
        self.live_rows = event.rows
        if event.context is not None:
            self.timings.append(_timing(event, event.context))
        self.cost = replace(
            self.cost,
            prefill_ms=self.cost.prefill_ms + (event.prefill_ms or 0.0),
            decode_ms=self.cost.decode_ms + event.elapsed_ms,
            new_tokens=self.cost.new_tokens + event.tokens,
        )
        if event.finished:  # a new dict: others may be walking over this one
            self.candidates = self.candidates | {candidate.index: candidate for candidate in event.finished}

    def expected_sizes(self) -> tuple[int, np.ndarray[Any, Any]]:
        """Prompt tokens, and how many rows are still there at each step (``cost.survival``): as in this run, before it as if
        all answers went on to the maximum.
        """
        most = self.request.max_new_tokens if self.request is not None else DEFAULT_NEW_TOKENS
        alive = survival([one.n_tokens for one in self.samples], most)
        return max((len(one.prompt_ids) for one in self.ordered), default=1), alive

    # -- scores ----------------------------------------------------------------------------------------------------

    def scored(
        self, chosen: BestOfNRequest, *, visitor: str = "", cancel: CancelToken | None = None
    ) -> ScoredCandidates:
        """All candidates under the rules, reference and pattern of ``chosen``; no model runs."""
        key = (
            tuple(sorted(self.candidates)),
            id(self.candidates),
            chosen.scorers,
            chosen.reference,
            chosen.answer_pattern,
            chosen.prompt,
            tuple(sorted(self.heavy)),
        )
        cached = self._scored  # others may be looking at the same run
        if cached is None or cached[0] != key:
            cached = self._scored = key, self._score(chosen, context_of(chosen, visitor=visitor, cancel=cancel))
        return cached[1]

    def _score(self, chosen: BestOfNRequest, context: ScoringContext) -> ScoredCandidates:
        candidates = self.ordered
        cheap = [spec for spec in specs_of(chosen) if not is_heavy(spec)]
        by_label = {column.label: column for column in score_now(candidates, cheap, context)}
        for label, column in self.heavy.items():
            if len(column.scores) == len(candidates):
                by_label[label] = column
        columns = tuple(by_label[spec.label] for spec in specs_of(chosen) if spec.label in by_label)
        answers: tuple[str | None, ...] = ()
        if chosen.answer_pattern:
            answers = tuple(a.key for a in extract_answers([c.text for c in candidates], chosen.answer_pattern))
        return ScoredCandidates(candidates, columns, answers)

    def missing_heavy(self, chosen: BestOfNRequest) -> tuple[ScorerSpec, ...]:
        """Rules that need a model and have no scores yet."""
        count = len(self.candidates)
        return tuple(
            spec
            for spec in specs_of(chosen)
            if is_heavy(spec) and (spec.label not in self.heavy or len(self.heavy[spec.label].scores) != count)
        )


def _timing(event: BatchStep, context: int) -> StepTiming:
    before = context - 2 if event.prefill_ms is None else None  # the token read and the one drawn come after it
    return StepTiming(event.rows, before, event.elapsed_ms)


def context_of(chosen: BestOfNRequest, *, visitor: str = "", cancel: CancelToken | None = None) -> ScoringContext:
    """What rules without a model compare with."""
    return ScoringContext(
        chosen.prompt,
        chosen.reference or None,
        chosen.answer_pattern or None,
        visitor=visitor,
        cancel=cancel or CancelToken(),
    )


def specs_of(chosen: BestOfNRequest) -> tuple[ScorerSpec, ...]:
    """The rules asked for, each once."""
    return tuple(parse_spec(label) for label in dict.fromkeys(chosen.scorers))


def is_heavy(spec: ScorerSpec) -> bool:
    """Whether the rule runs a model."""
    return kind_of(spec).needs_engine or spec.name in HEAVY
