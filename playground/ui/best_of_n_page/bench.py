"""What the Best-of-N page remembers for one session: the run on the bench, and the work under way for it.

A bench outlives page changes. Each model has one of its own. Scores are kept by what they depend on, so that ranking,
weighing and drawing again never runs a model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from playground.engine.protocol import CancelToken, Engine
from playground.engine.ticket import Ticket
from playground.engine.worker import Worker
from playground.errors import Cancelled, PlaygroundError
from playground.generation.document import origin_of
from playground.testtime.answers import extract_answers
from playground.testtime.asking import Asking, candidate_request
from playground.testtime.batching import BatchPlan
from playground.testtime.cost import PrefillTiming, StepTiming
from playground.testtime.events import BatchStep, Event, Planned
from playground.testtime.keeping import Keeper, kept_run
from playground.testtime.registry import kind_of, parse_spec, score_all, score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.store import RunCost, RunStore, StoredRun
from playground.testtime.types import Candidate, ScoreColumn, ScoredCandidates, ScorerSpec
from playground.ui import state
from playground.ui.best_of_n_page.options import Options, asking_of
from playground.ui.generate_page.stream import somebody_is_there
from playground.ui.runtime import session_id

_OPTIONS = "best_of_n_options"
HEAVY = ("reward", "similarity")  # a model of their own, loaded when asked for


def options() -> Options:
    found = st.session_state.get(_OPTIONS)
    return found if isinstance(found, Options) else Options()


def put_options(new: Options) -> None:
    st.session_state[_OPTIONS] = new


@st.cache_resource(show_spinner=False)
def _store() -> RunStore:
    return RunStore()


def run_store() -> RunStore | None:
    """The kept runs of this user; None where they cannot be kept (``store_problem`` says why)."""
    try:
        found = _store()
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
    keeper: Keeper = field(default_factory=Keeper)
    note: str = ""
    done: int = 0
    total: int = 0
    on_event: Callable[[Any], None] | None = None
    on_end: Callable[[Any], None] | None = None


@dataclass(eq=False)
class Bench:
    """``heavy`` columns cost a model and are kept by label; the others are computed again when what they need changes."""

    asking: Asking | None = None
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

    def scored(self, chosen: Asking) -> ScoredCandidates:
        """All candidates under the rules, reference and pattern of ``chosen``; no model runs."""
        key = (
            tuple(sorted(self.candidates)), id(self.candidates), chosen.scorers, chosen.reference,
            chosen.answer_pattern, chosen.prompt, tuple(sorted(self.heavy)),
        )  # fmt: skip
        if self._scored is None or self._scored_for != key:
            self._scored, self._scored_for = self._score(chosen), key
        return self._scored

    def _score(self, chosen: Asking) -> ScoredCandidates:
        candidates = self.ordered
        context = ScoringContext(chosen.prompt, chosen.reference or None, chosen.answer_pattern or None)
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

    def missing_heavy(self, chosen: Asking) -> tuple[ScorerSpec, ...]:
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
                self.cost.prefill_ms + (event.prefill_ms or 0.0), self.cost.decode_ms + event.elapsed_ms,
                self.cost.computed_tokens, self.cost.new_tokens + event.rows, self.cost.resumed,
            )  # fmt: skip
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
                    with _quiet():
                        store.put_columns(self.run_id, result)
        if job.keeper.problem:
            self.problem = job.keeper.problem


class _quiet:  # noqa: N801 - reads as a verb
    """Scores that could not be kept can be computed again: nothing to tell."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, PlaygroundError)


def specs_of(chosen: Asking) -> tuple[ScorerSpec, ...]:
    return tuple(parse_spec(label) for label in dict.fromkeys(chosen.scorers))


def is_heavy(spec: ScorerSpec) -> bool:
    return kind_of(spec).needs_engine or spec.name in HEAVY


def bench(model: str) -> Bench:
    """This session's bench for the model of this id."""
    benches: dict[str, Bench] = st.session_state.setdefault("best_of_n_benches", {})
    return benches.setdefault(model, Bench())


def present_asking(*, beams: bool = False) -> Asking:
    """What the controls ask for now. Raises BadInput or BadSetting."""
    return asking_of(options(), state.setup(), beams=beams)


# -- doing ---------------------------------------------------------------------------------------------------------


def make_way(mine: Bench) -> None:
    """Stop what is under way; what it has finished stays."""
    mine.stop()
    mine.drain()
    mine.job = None
    mine.problem = mine.note = None


def start_run(mine: Bench, worker: Worker, asking: Asking, *, keep: bool = False) -> None:
    """Generate anew. What was on the bench gives way only once the request has been found good.

    ``keep``: samples that are there stay, if they were asked for in the same way, and only beams are added.
    """
    from playground.generation import check_requests

    check_requests(candidate_request(asking, worker.engine.codec).rows()[:1], worker.engine.info)
    same = keep and mine.asking is not None and _samples(mine.asking) == _samples(asking)
    samples = {index: one for index, one in mine.candidates.items() if one.beam_score is None} if same else {}
    cost = mine.cost if same else RunCost()
    keeper = _keeper(mine, asking, worker)
    keeper.add(tuple(samples.values()))
    mine.asking, mine.candidates, mine.heavy, mine.opened = asking, samples, {}, None
    mine.cost, mine.plan = cost, None
    if not same:
        mine.timings, mine.prefills = [], []
    mine.run_id = keeper.run
    mine.job = _submit(mine, worker, keeper)


def _samples(asking: Asking) -> Asking:
    """The request as far as samples depend on it."""
    return replace(
        asking,
        beams=0,
        beam_groups=1,
        diversity_penalty=0.0,
        length_penalty=1.0,
        scorers=(),
        reference="",
        answer_pattern="",
    )


def resume(mine: Bench, worker: Worker) -> None:
    """Go on with what is missing of the run on the bench."""
    if mine.asking is None:
        return
    store = run_store()
    keeper = Keeper(store, mine.run_id)
    if store is not None and mine.run_id:
        store.take_up(mine.run_id)
    mine.cost = RunCost(
        mine.cost.prefill_ms,
        mine.cost.decode_ms,
        mine.cost.computed_tokens,
        mine.cost.new_tokens,
        mine.cost.resumed + 1,
    )
    mine.job = _submit(mine, worker, keeper)


def _keeper(mine: Bench, asking: Asking, worker: Worker) -> Keeper:
    store = run_store()
    if store is None:
        return Keeper(problem=st.session_state.get("best_of_n_store_problem"))
    try:
        return Keeper(store, store.start(asking, origin_of(worker.engine.info)))
    except PlaygroundError as error:
        return Keeper(problem=str(error))


def _submit(mine: Bench, worker: Worker, keeper: Keeper) -> Job:
    session, asking, known, cost = session_id(), mine.asking, mine.ordered, mine.cost
    assert asking is not None

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, Any]:
        return kept_run(
            engine, asking, keeper, known=known, before=cost, cancel=cancel,
            is_wanted=lambda: somebody_is_there(session),
        )  # fmt: skip

    return Job("run", worker.submit(session, "best-of-n", job), keeper)


def start_scoring(mine: Bench, worker: Worker) -> None:
    """Ask the rules that need a model, beside whatever others do."""
    chosen = present_asking()
    specs = mine.missing_heavy(chosen)
    if not specs or not mine.candidates:
        return
    candidates = mine.ordered

    def job(engine: Engine, cancel: CancelToken) -> Generator[Any, None, Any]:
        context = ScoringContext(
            chosen.prompt, chosen.reference or None, chosen.answer_pattern or None, engine=engine, cancel=cancel
        )
        return score_all(candidates, specs, context)

    mine.job = Job("score", worker.submit(session_id(), "best-of-n-score", job))


def open_stored(mine: Bench, stored: StoredRun) -> None:
    """Put a kept run on the bench and the controls where they stood."""
    from playground.ui.best_of_n_page.options import adopted

    mine.stop()
    mine.job = None
    mine.asking, mine.cost, mine.plan = stored.asking, stored.cost, None
    mine.candidates = {candidate.index: candidate for candidate in stored.candidates}
    mine.heavy = {column.label: column for column in stored.columns}
    mine.timings, mine.prefills, mine.opened = [], [], None
    mine.run_id, mine.problem, mine.note = stored.summary.id, None, None
    setup, chosen = adopted(stored.asking, state.setup(), options())
    state.put(setup)
    put_options(chosen)


Asked = Callable[[], None]


def ask(todo: str) -> None:
    """From a callback: let the next run of the pictures do it, where the model is at hand."""
    st.session_state["best_of_n_wanted"] = todo
    state.rerun_parts(state.PICTURES)
