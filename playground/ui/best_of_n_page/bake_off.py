"""Section "Bake-off": a set of problems with references under every rule, with a budget; pause, go on, cancel."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import streamlit as st

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.generation.types import MOST_NEW_TOKENS
from playground.testtime.bakeoff import (
    DEFAULT_RULES,
    JUDGE_RULE,
    BakeoffPlan,
    BakeoffProgress,
    BakeoffState,
)
from playground.testtime.bakeoff_file import state_from_json
from playground.testtime.problems import MOST_BYTES, Problem, ProblemSet, built_in, read_problems, spread
from playground.testtime.recorder import recorded_bakeoff
from playground.testtime.stored_runs import available_store
from playground.ui.best_of_n_page.bake_off_report import show_report
from playground.ui.best_of_n_page.session import ModelSession, chosen, request_action
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit import session
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id, visitor_id
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import file_uploader, visitor_limits

STATE = "bakeoff"
DEFAULT_PROBLEMS = 12
DEFAULT_NEW_TOKENS = 48


def bakeoff_section(own: ModelSession, worker: Worker) -> None:
    """Choosing problems, running, and what came of it so far."""
    problem_set = _problems()
    _plan_controls(own, problem_set)
    _restore(own, worker)
    _run_buttons(own)
    watch(
        own,
        lambda: work_progress(own),
        key="bon_bakeoff_live",
        changes=lambda: own.results[STATE].done if STATE in own.results else 0,
    )
    shown = own.results.get(STATE)
    if shown is not None and shown.outcomes:
        show_report(shown)
    why_it_matters(
        "A rule is compared, problem by problem, with taking one candidate blindly. On few problems most differences are chance; "
        "the report says so where it cannot tell."
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the section's own controls say, for the next look to plan by. 0 seconds or tokens: no limit."""

    problem_set: ProblemSet = field(default_factory=built_in)
    kinds: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    count: int | None = DEFAULT_PROBLEMS
    seconds: int | None = 0
    tokens: int | None = 0
    judge: bool = False
    new: int | None = DEFAULT_NEW_TOKENS

    def problems(self) -> list[Problem]:
        """Those of the chosen kinds and difficulties."""
        return [
            problem
            for problem in self.problem_set.problems
            if (not self.kinds or problem.kind in self.kinds) and (not self.levels or problem.difficulty in self.levels)
        ]


# -- the problems ----------------------------------------------------------------------------------------------------


def _problems() -> ProblemSet:
    given = file_uploader(
        "Problems of your own (CSV or JSONL)",
        type=["csv", "jsonl", "json"],
        key="bon_problems",
        max_upload_size=MOST_BYTES // 10**6,
        help="Columns prompt and reference; also kind, difficulty, truth, answer_pattern, verifier. Without a file: those "
        "built in.",
    )
    if given is None:
        return built_in()
    try:
        problem_set = read_problems(given.getvalue(), given.name)
    except PlaygroundError as error:
        show_problem(error)
        return built_in()
    for note in problem_set.notes:
        st.caption(escape_markdown(note))
    return problem_set


def _plan_controls(own: ModelSession, problem_set: ProblemSet) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = st.multiselect("Kinds", problem_set.kinds(), key="bon_kinds", placeholder="all", width=260)
        levels = st.multiselect(
            "Difficulties", problem_set.difficulties(), key="bon_levels", placeholder="all", width=220
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input("Problems at most", value=DEFAULT_PROBLEMS, step=1, key="bon_count", width=150)
        new = st.number_input(
            "New tokens at most",
            value=DEFAULT_NEW_TOKENS,
            step=8,
            key="bon_bake_new",
            width=150,
            help="Of each answer. The longest right ones, JSON written over several lines, need some 40.",
        )
        seconds = st.number_input(
            "Seconds at most", value=0, step=10, key="bon_seconds", width=150, help="0: no limit."
        )
        tokens = st.number_input("Tokens at most", value=0, step=1000, key="bon_tokens", width=150, help="0: no limit.")
        judge = st.toggle("Model as judge", key="bon_judge", help="One more reading of every candidate.")
    wanted = Wanted(problem_set, tuple(kinds), tuple(levels), count, seconds, tokens, judge, new)
    session.put(wanted)
    st.caption(
        f"{min(len(wanted.problems()), int(count or 0))} of {len(problem_set.problems)} problems, N = {chosen().n}, "
        "the samplers on the left."
    )


def make_plan() -> BakeoffPlan:
    """What the controls ask for. Problems are taken in turn from every kind. Raises BadInput."""
    wanted = session.get(Wanted)
    count, new = int(wanted.count or 0), int(wanted.new or 0)
    if not 1 <= count <= 500:
        raise BadInput(f"Problems at most: from 1 to 500, not {count}.", "problems")
    if not 1 <= new <= MOST_NEW_TOKENS:
        raise BadInput(f"New tokens at most: from 1 to {MOST_NEW_TOKENS:,}, not {new}.", "max_new_tokens")
    visitor_limits().check_rows(chosen().n)
    visitor_limits().check_new_tokens(new)
    shared = setup()
    return BakeoffPlan(
        problems=spread(wanted.problems(), count),
        n=chosen().n,
        max_new_tokens=new,
        settings=shared.settings,
        seed=shared.seed,
        system=shared.system,
        rules=(*DEFAULT_RULES, JUDGE_RULE) if wanted.judge else DEFAULT_RULES,
        token_budget=int(wanted.tokens) if wanted.tokens else None,
        seconds_budget=float(wanted.seconds) if wanted.seconds else None,
    )


# -- running -----------------------------------------------------------------------------------------------------------


def _note_name(worker: Worker) -> str:
    return f"bake-off {worker.engine.info.revision}"


def _restore(own: ModelSession, worker: Worker) -> None:
    """What an earlier process left, once."""
    if STATE in own.results or own.results.get("bakeoff_looked"):
        return
    own.results["bakeoff_looked"] = True
    store, _why = available_store(owner_id())
    if store is None:
        return
    try:
        text = store.note(_note_name(worker))
        if text is not None:
            own.results[STATE] = state_from_json(text)
    except PlaygroundError as error:
        show_problem(error)


def start_bakeoff(own: ModelSession, worker: Worker, *, go_on: bool) -> None:
    """Ask the worker. Raises BadInput for a plan that cannot be run."""
    before = own.results.get(STATE) if go_on else None
    begun = before if before is not None else BakeoffState(make_plan())
    if before is not None and before.status == "over budget":
        begun = replace(before, plan=replace(before.plan, token_budget=None, seconds_budget=None))
    visitor, (store, _why), name = visitor_id(), available_store(owner_id()), _note_name(worker)
    own.results[STATE] = begun

    def job(engine: Engine, cancel: CancelToken) -> Generator[BakeoffProgress, None, BakeoffState]:
        return recorded_bakeoff(engine, begun, store, name, visitor=visitor, cancel=cancel)

    def take(progress: BakeoffProgress) -> None:
        own.results[STATE] = progress.state
        view.done = progress.state.done
        view.note = f"{progress.problem.kind}, {progress.problem.difficulty}: {progress.doing}; problems done"

    view = own.begin(
        "bakeoff",
        worker.submit(session_id(), "best-of-n", job),
        take,
        lambda state: own.results.update({STATE: state}),
        total=len(begun.plan.problems),
        done=begun.done,
    )


def _run_buttons(own: ModelSession) -> None:
    state = own.results.get(STATE)
    running = own.busy and own.doing == "bakeoff"
    paused = state is not None and not running and state.done < len(state.plan.problems)
    with st.container(horizontal=True, vertical_alignment="center"):
        if running:
            st.button(
                "Pause",
                key="bon_pause",
                icon=":material/pause:",
                on_click=own.stop,
                help="Finished problems stay; the one under way is done again.",
            )
        else:
            st.button(
                "Run the bake-off",
                key="bon_bakeoff",
                type="primary",
                icon=":material/cookie:",
                disabled=own.busy,
                on_click=request_action("bakeoff"),
            )
        if paused:
            st.button(
                "Go on",
                key="bon_bakeoff_on",
                icon=":material/play_arrow:",
                on_click=request_action("bakeoff_on"),
                disabled=own.busy,
            )
        if state is not None:
            st.button(
                "Cancel and forget" if running else "Forget",
                key="bon_bakeoff_forget",
                icon=":material/delete:",
                on_click=_forget,
                args=(own,),
            )
    if state is not None and not running:
        said = {"running": "paused", "finished": "finished", "over budget": "stopped at its budget"}[state.status]
        st.caption(
            f"{said.capitalize()}: {state.done} of {len(state.plan.problems)} problems, {state.tokens:,} tokens, "
            f"{state.seconds:.0f} s"
            + (f", {len(state.skipped)} left out because they do not fit the model" if state.skipped else "")
        )


def _forget(own: ModelSession) -> None:
    """Whatever is under way makes way, and so it cannot bring the state back."""
    own.make_way()
    own.results.pop(STATE, None)
    request_action("bakeoff_forget")()


def forget_kept(worker: Worker) -> None:
    """What is on the disk goes too."""
    store, _why = available_store(owner_id())
    if store is not None:
        store.put_note(_note_name(worker), None)
