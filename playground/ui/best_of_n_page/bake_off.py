"""Section "Bake-off": a set of problems with references under every rule, with a budget; pause, go on, cancel."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

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
    run_bakeoff,
)
from playground.testtime.bakeoff_file import state_from_json, state_to_json
from playground.testtime.problems import MOST_BYTES, ProblemSet, built_in, read_problems
from playground.testtime.store import RunStore
from playground.ui import state as page_state
from playground.ui.best_of_n_page.bake_off_report import show_report
from playground.ui.best_of_n_page.bench import Bench, Job, ask, options, run_store
from playground.ui.best_of_n_page.watching import watch
from playground.ui.generate_page.stream import somebody_is_there
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.runtime import session_id

STATE = "bakeoff"
DEFAULT_PROBLEMS = 12
DEFAULT_NEW_TOKENS = 48


def bakeoff_section(mine: Bench, worker: Worker) -> None:
    """Choosing problems, running, and what came of it so far."""
    found = _problems()
    _plan_controls(mine, found)
    _restore(mine, worker)
    _run_buttons(mine)
    watch(mine, "bon_bakeoff_live", watched=lambda: mine.results[STATE].done if STATE in mine.results else 0)
    shown = mine.results.get(STATE)
    if shown is not None and shown.outcomes:
        show_report(shown)
    why_it_matters(
        "A rule is compared, problem by problem, with taking one candidate blindly. On few problems most differences are luck; "
        "the report says so where it cannot tell."
    )


# -- the problems ----------------------------------------------------------------------------------------------------


def _problems() -> ProblemSet:
    given = st.file_uploader(
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
        found = read_problems(given.getvalue(), given.name)
    except PlaygroundError as error:
        show_problem(error)
        return built_in()
    for note in found.notes:
        st.caption(escape_markdown(note))
    return found


def _plan_controls(mine: Bench, found: ProblemSet) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = st.multiselect("Kinds", found.kinds(), key="bon_kinds", placeholder="all", width=260)
        levels = st.multiselect("Difficulties", found.difficulties(), key="bon_levels", placeholder="all", width=220)
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
    st.session_state["bon_plan"] = (found, tuple(kinds), tuple(levels), count, seconds, tokens, judge, new)
    chosen = [p for p in found.problems if (not kinds or p.kind in kinds) and (not levels or p.difficulty in levels)]
    st.caption(
        f"{min(len(chosen), int(count or 0))} of {len(found.problems)} problems, N = {options().n}, "
        "the samplers on the left."
    )


def make_plan() -> BakeoffPlan:
    """What the controls ask for. Problems are taken in turn from every kind. Raises BadInput."""
    found, kinds, levels, count, seconds, tokens, judge, new = st.session_state["bon_plan"]
    if not 1 <= int(count or 0) <= 500:
        raise BadInput(f"Problems at most: from 1 to 500, not {count}.", "problems")
    if not 1 <= int(new or 0) <= MOST_NEW_TOKENS:
        raise BadInput(f"New tokens at most: from 1 to {MOST_NEW_TOKENS:,}, not {new}.", "max_new_tokens")
    chosen = [p for p in found.problems if (not kinds or p.kind in kinds) and (not levels or p.difficulty in levels)]
    by_group: dict[tuple[str, str], list[Any]] = {}
    for problem in chosen:
        by_group.setdefault((problem.difficulty, problem.kind), []).append(problem)
    spread = [
        group[turn]
        for turn in range(max(map(len, by_group.values()), default=0))
        for group in by_group.values()
        if turn < len(group)
    ]
    setup, asked = page_state.setup(), options()
    return BakeoffPlan(
        problems=tuple(spread[: int(count)]),
        n=asked.n,
        max_new_tokens=int(new),
        settings=setup.settings,
        seed=setup.seed,
        system=setup.system,
        rules=(*DEFAULT_RULES, JUDGE_RULE) if judge else DEFAULT_RULES,
        token_budget=int(tokens) if tokens else None,
        seconds_budget=float(seconds) if seconds else None,
    )


# -- running -----------------------------------------------------------------------------------------------------------


def _note_name(worker: Worker) -> str:
    return f"bake-off {worker.engine.info.revision}"


def _restore(mine: Bench, worker: Worker) -> None:
    """What an earlier process left, once."""
    if STATE in mine.results or mine.results.get("bakeoff_looked"):
        return
    mine.results["bakeoff_looked"] = True
    store = run_store()
    if store is None:
        return
    try:
        text = store.note(_note_name(worker))
        if text is not None:
            mine.results[STATE] = state_from_json(text)
    except PlaygroundError as error:
        show_problem(error)


def start_bakeoff(mine: Bench, worker: Worker, *, go_on: bool) -> None:
    """Ask the worker. Raises BadInput for a plan that cannot be run."""
    before = mine.results.get(STATE) if go_on else None
    begun = before if before is not None else BakeoffState(make_plan())
    if before is not None and before.status == "over budget":
        begun = replace(before, plan=replace(before.plan, token_budget=None, seconds_budget=None))
    session, store, name = session_id(), run_store(), _note_name(worker)
    mine.results[STATE] = begun

    def job(engine: Engine, cancel: CancelToken) -> Generator[BakeoffProgress, None, BakeoffState]:
        done = begun.done
        with closing(run_bakeoff(engine, begun, cancel=cancel, visitor=session)) as steps:
            while True:
                try:
                    seen = next(steps)
                except StopIteration as end:
                    _keep(store, name, end.value)
                    result: BakeoffState = end.value
                    return result
                if seen.state.done != done:
                    done = seen.state.done
                    _keep(store, name, seen.state)
                if not somebody_is_there(session):
                    cancel.cancel()
                yield seen

    going = Job("bakeoff", worker.submit(session, "best-of-n", job), total=len(begun.plan.problems), done=begun.done)

    def on_event(event: Any) -> None:
        mine.results[STATE] = event.state
        going.done = event.state.done
        going.note = f"{event.problem.kind}, {event.problem.difficulty}: {event.doing}; problems done"

    going.on_event = on_event
    going.on_end = lambda found: mine.results.update({STATE: found})
    mine.job = going


def _keep(store: RunStore | None, name: str, found: BakeoffState) -> None:
    """Each finished problem is on the disk before the next is begun; a disk that fails does not stop the run."""
    if store is not None:
        try:
            store.put_note(name, state_to_json(found))
        except PlaygroundError:
            return


def _run_buttons(mine: Bench) -> None:
    found = mine.results.get(STATE)
    running = mine.job is not None and mine.job.what == "bakeoff"
    paused = found is not None and not running and found.done < len(found.plan.problems)
    with st.container(horizontal=True, vertical_alignment="center"):
        if running:
            st.button(
                "Pause",
                key="bon_pause",
                icon=":material/pause:",
                on_click=mine.stop,
                help="Finished problems stay; the one under way is done again.",
            )
        else:
            st.button(
                "Run the bake-off",
                key="bon_bakeoff",
                type="primary",
                icon=":material/cookie:",
                disabled=mine.busy,
                on_click=lambda: ask("bakeoff"),
            )
        if paused:
            st.button(
                "Go on",
                key="bon_bakeoff_on",
                icon=":material/play_arrow:",
                on_click=lambda: ask("bakeoff_on"),
                disabled=mine.busy,
            )
        if found is not None:
            st.button(
                "Cancel and forget" if running else "Forget",
                key="bon_bakeoff_forget",
                icon=":material/delete:",
                on_click=lambda: _forget(mine),
            )
    if found is not None and not running:
        said = {"running": "paused", "finished": "finished", "over budget": "stopped at its budget"}[found.status]
        st.caption(
            f"{said.capitalize()}: {found.done} of {len(found.plan.problems)} problems, {found.tokens:,} tokens, "
            f"{found.seconds:.0f} s"
            + (f", {len(found.skipped)} left out because they do not fit the model" if found.skipped else "")
        )


def _forget(mine: Bench) -> None:
    mine.stop()
    mine.results.pop(STATE, None)
    mine.job = None if mine.job is not None and mine.job.what == "bakeoff" else mine.job
    ask("bakeoff_forget")


def forget_kept(worker: Worker) -> None:
    """What is on the disk goes too."""
    store = run_store()
    if store is not None:
        store.put_note(_note_name(worker), None)
