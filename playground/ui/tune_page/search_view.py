"""The search in view of this session: what it is asked for, the job that runs it, and what has come of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import BadInput
from playground.tuning.kept_searches import KeptSearch, SearchStore, kept_search
from playground.tuning.measures import find_measure
from playground.tuning.plan import Plan
from playground.tuning.running import ROWS_AT_ONCE, plan_requests
from playground.tuning.search import SearchState, SearchStep
from playground.tuning.search_plan import SearchPlan, SearchRange, bars_text, read_bars
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id
from playground.ui.tune_page.session import change_draft, draft, draft_settings
from playground.ui.visitor import owner_id
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.shared import check_requests, visitor_limits

DEFAULT_RANGES: Mapping[str, tuple[float, float]] = {"temperature": (0.0, 1.5), "top_p": (0.5, 1.0)}


@dataclass(frozen=True, slots=True)
class SearchDraft:
    """What is looked for. ``goal``: a measure as it is typed, "" for the draft's first. ``bars``: one a line."""

    goal: str = ""
    bars: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict(DEFAULT_RANGES))
    texts: int = 400


@dataclass(eq=False)
class SearchView(HasJob[SearchState]):
    """``state``: the search under way or ended, kept as ``id``, of the model ``name`` in ``revision``. ``texts``: written
    so far."""

    id: str = ""
    state: SearchState | None = None
    name: str = ""
    revision: str = ""
    texts: int = 0

    def close(self) -> None:
        """Out of view; what is kept of it stays."""
        if self.job is not None:
            self.job.stop()
        self.id, self.state, self.job, self.problem, self.texts = "", None, None, "", 0


def search_plan() -> SearchPlan:
    """What the draft asks for, on the page's examples and beside the present samplers. Raises BadInput."""
    shown, wanted = draft(), session.get(SearchDraft)
    try:
        goal = find_measure(wanted.goal or next(iter(shown.measures), "checks"))
    except BadInput as error:
        raise BadInput(f"The goal cannot be used: {str(error).rstrip('.')}.", "goal") from None
    return SearchPlan(
        examples=shown.examples,
        present=draft_settings()[shown.present_name],
        ranges=tuple(SearchRange(name, *ends) for name, ends in wanted.ranges.items()),
        goal=goal,
        bars=read_bars(wanted.bars),
        texts=wanted.texts,
        samples=shown.samples,
        max_new_tokens=shown.max_new_tokens,
        seed=shown.seed,
        chat=shown.chat,
    )


def start(worker: Worker) -> None:
    """Begin anew. Raises PlaygroundError before anything is begun."""
    plan, own, info = search_plan(), session.get(SearchView), worker.engine.info
    whole = Plan(plan.examples, {"": plan.present}, 1, plan.max_new_tokens, plan.seed, plan.measures, {}, plan.chat)
    for request in plan_requests(worker.engine, whole)[::2]:
        check_requests([request])
    search = SearchStore(owner_id()).start(plan, info)
    own.close()
    own.id, own.state, own.name, own.revision = search, SearchState(plan), info.name, info.revision
    _run(own, worker)


def open_search(kept: KeptSearch) -> None:
    """Put a kept search in view, and the page's draft as it asked."""
    if kept.state is None:
        return
    own, plan = session.get(SearchView), kept.state.plan
    own.close()
    own.id, own.state, own.name, own.revision = kept.id, kept.state, kept.model, kept.revision
    own.texts = kept.state.texts
    ranges = {each.name: (each.low, each.high) for each in plan.ranges}
    session.put(SearchDraft(plan.goal.name, bars_text(plan.bars), ranges, plan.texts))
    change_draft(
        examples=plan.examples, samples=plan.samples, max_new_tokens=plan.max_new_tokens, seed=plan.seed, chat=plan.chat
    )
    workspace.change(settings=plan.present)


def delete_search(search: str) -> None:
    """For good. Raises StoreError."""
    own = session.get(SearchView)
    if own.id == search:
        own.close()
    SearchStore(owner_id()).delete(search)


def go_on(worker: Worker) -> None:
    """With the search that was paused. Raises BadInput where another model is in use now."""
    own = session.get(SearchView)
    if own.state is None or own.busy:
        return
    if own.revision != worker.engine.info.revision:
        raise BadInput(f"This search was begun with {own.name}: choose that model again, or search anew.", "model")
    _run(own, worker)


def _run(own: SearchView, worker: Worker) -> None:
    assert own.state is not None
    begun, rows, search = own.state, min(ROWS_AT_ONCE, visitor_limits().rows), own.id
    store = SearchStore(owner_id())

    def job(engine: Engine, cancel: CancelToken) -> Generator[SearchStep, None, SearchState]:
        return kept_search(engine, begun, store, search, cancel, rows=rows)

    def take(step: SearchStep) -> None:
        own.state, own.texts = step.state, step.texts

    def end(state: SearchState) -> None:
        own.state, own.texts = state, state.texts

    own.problem = ""
    own.job = JobView(worker.submit(session_id(), "tune-search", job), take, end)


def search_view() -> SearchView:
    """The session's own."""
    return session.get(SearchView)
