"""What the Best-of-N page remembers for one session: the run on the bench, and the work under way for it.

A bench outlives page changes. Each model has one of its own. Scores are kept by what they depend on, so that ranking,
weighing and drawing again never runs a model.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from playground.engine.serving.ticket import Ticket
from playground.errors import Cancelled, PlaygroundError
from playground.testtime.answers import extract_answers
from playground.testtime.batching import BatchPlan
from playground.testtime.cost import PrefillTiming, StepTiming
from playground.testtime.events import BatchStep, Planned
from playground.testtime.recorder import RunRecorder
from playground.testtime.registry import kind_of, parse_spec, score_now
from playground.testtime.request import BestOfNRequest
from playground.testtime.scoring import ScoringContext
from playground.testtime.store import RunCost, RunStore, shared_store
from playground.testtime.types import Candidate, ScoreColumn, ScoredCandidates, ScorerSpec
from playground.ui import state
from playground.ui.best_of_n_page.options import Options, asking_of
from playground.ui.runtime import session_id
from playground.ui.waiting import NewerInput

_OPTIONS = "best_of_n_options"
HEAVY = ("reward", "similarity")  # a model of their own, loaded when asked for


def options() -> Options:
    found = st.session_state.get(_OPTIONS)
    return found if isinstance(found, Options) else Options()


def put_options(new: Options) -> None:
    st.session_state[_OPTIONS] = new


def run_store() -> RunStore | None:
    """The kept runs of this user; None where they cannot be kept (``store_problem`` says why)."""
    try:
        found = shared_store()
    except PlaygroundError as error:
        st.session_state["best_of_n_store_problem"] = str(error)
        return None
    return found


@dataclass(eq=False)
class Job:
    """Work at the worker. ``what``: "run", "score", or another section's own; those take their events and their result
    by ``on_event`` and ``on_end``.
    """

    what: str
    ticket: Ticket[Any]
    keeper: RunRecorder = field(default_factory=RunRecorder)
    note: str = ""
    done: int = 0
    total: int = 0
    on_event: Callable[[Any], None] | None = None
    on_end: Callable[[Any], None] | None = None


@dataclass(eq=False)
class Bench:
    """``heavy`` columns cost a model and are kept by label; the others are computed again when what they need changes."""

    asking: BestOfNRequest | None = None
    candidates: dict[int, Candidate] = field(default_factory=dict)
    cost: RunCost = field(default_factory=RunCost)
    plan: BatchPlan | None = None
    timings: list[StepTiming] = field(default_factory=list)
    prefills: list[PrefillTiming] = field(default_factory=list)
    live_rows: int = 0
    run_id: str = ""
    heavy: dict[str, ScoreColumn] = field(default_factory=dict)
    job: Job | None = None
    todo: str | None = None
    opened: int | None = None
    problem: str | None = None
    note: str | None = None
    results: dict[str, Any] = field(default_factory=dict)  # what other sections remember, by their name
    _scored_for: object = None
    _scored: ScoredCandidates | None = None

    @property
    def busy(self) -> bool:
        return self.job is not None

    @property
    def ordered(self) -> tuple[Candidate, ...]:
        return tuple(self.candidates[index] for index in sorted(self.candidates))

    @property
    def wanted(self) -> int:
        return 0 if self.asking is None else self.asking.n + self.asking.beams

    def stop(self) -> None:
        """What is finished stays."""
        if self.job is not None:
            self.job.ticket.cancel()

    # -- scores ----------------------------------------------------------------------------------------------------

    def scored(self, chosen: BestOfNRequest) -> ScoredCandidates:
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
        if self._scored is None or self._scored_for != key:
            self._scored, self._scored_for = self._score(chosen), key
        return self._scored

    def _score(self, chosen: BestOfNRequest) -> ScoredCandidates:
        candidates = self.ordered
        context = ScoringContext(
            chosen.prompt,
            chosen.reference or None,
            chosen.answer_pattern or None,
            visitor=session_id(),
            cancel=NewerInput(),
        )
        cheap = [spec for spec in specs_of(chosen) if not is_heavy(spec)]
        found = {column.label: column for column in score_now(candidates, cheap, context)}
        for label, column in self.heavy.items():
            if len(column.scores) == len(candidates):
                found[label] = column
        columns = tuple(found[spec.label] for spec in specs_of(chosen) if spec.label in found)
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

    # -- looking in ------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Take over what the worker has done since the last look; never waits."""
        job = self.job
        if job is None:
            return
        finished = job.ticket.done  # before the steps are read: none can come after
        for event in job.ticket.take():
            self._take(job, event)
        if finished:
            self.job = None
            self._end(job)

    def _take(self, job: Job, event: Any) -> None:
        if job.on_event is not None:
            job.on_event(event)
        elif isinstance(event, Planned):
            self.plan = event.plan
        elif isinstance(event, BatchStep):
            self.live_rows = event.rows
            if event.batch >= 0:  # a beam search also spends time on exchanging its rows
                self.timings.append(StepTiming(event.rows, event.context, event.elapsed_ms))
                if event.prefill_ms is not None:
                    self.prefills.append(PrefillTiming(event.context - 1, event.prefill_ms))
            self.cost = RunCost(
                self.cost.prefill_ms + (event.prefill_ms or 0.0),
                self.cost.decode_ms + event.elapsed_ms,
                self.cost.computed_tokens,
                self.cost.new_tokens + event.rows,
                self.cost.resumed,
            )
            self.candidates |= {candidate.index: candidate for candidate in event.finished}
        else:
            progress = getattr(event, "done", None)
            if progress is not None:
                job.done, job.total, job.note = event.done, event.total, event.label

    def _end(self, job: Job) -> None:
        self.live_rows = 0
        try:
            result = job.ticket.result()
        except Cancelled:
            self.note = f"Stopped: {len(self.candidates)} finished candidates stay." if job.what == "run" else None
        except PlaygroundError as error:
            self.problem = str(error)
        else:
            if job.on_end is not None:
                job.on_end(result)
            elif job.what == "score":
                self.heavy |= {column.label: column for column in result}
                store = run_store()
                if store is not None and self.run_id:
                    with suppress(PlaygroundError):  # such scores can be computed again
                        store.put_columns(self.run_id, result)
        if job.keeper.problem:
            self.problem = job.keeper.problem


def specs_of(chosen: BestOfNRequest) -> tuple[ScorerSpec, ...]:
    return tuple(parse_spec(label) for label in dict.fromkeys(chosen.scorers))


def is_heavy(spec: ScorerSpec) -> bool:
    return kind_of(spec).needs_engine or spec.name in HEAVY


def bench(model: str) -> Bench:
    """This session's bench for the model of this id."""
    benches: dict[str, Bench] = st.session_state.setdefault("best_of_n_benches", {})
    return benches.setdefault(model, Bench())


def present_asking(*, beams: bool = False) -> BestOfNRequest:
    """What the controls ask for now. Raises BadInput or BadSetting."""
    return asking_of(options(), state.setup(), beams=beams)


def ask(todo: str) -> None:
    """From a callback: let the next run of the pictures do it, where the model is at hand."""
    st.session_state["best_of_n_wanted"] = todo
    state.rerun_parts(state.PICTURES)
