"""Section "First valid": race N and take the first that passes, or retry until one passes; and both on paper."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.charts.candidates_curves import race_steps_bands, race_tokens_bands
from playground.charts.candidates_table import race_table
from playground.charts.numbers import milliseconds, percent
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.generation import samples_here
from playground.testtime.curves import curve_points
from playground.testtime.events import BatchStep
from playground.testtime.live_run import context_of
from playground.testtime.race import RaceResult, first_valid, race, retry
from playground.testtime.registry import SCORERS, kind_of, parse_spec
from playground.testtime.request import candidate_request
from playground.testtime.running import is_valid
from playground.testtime.types import Candidate
from playground.ui.best_of_n_page.controls import WIDGETS, bound
from playground.ui.best_of_n_page.pictures import show_bands
from playground.ui.best_of_n_page.session import ModelSession, chosen, present_request, request_action, scoring_request
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.runtime import session_id
from playground.ui.visitor import visitor_id
from playground.ui.workspace.shared import check_best_of_n


def first_valid_section(own: ModelSession, worker: Worker) -> None:
    """Two live experiments and, without a model, how both would go on average."""
    _controls(own)
    watch(own, lambda: work_progress(own), key="bon_race_live")
    if not own.busy:
        _results(own)
        _on_paper(own, worker)
    why_it_matters(
        "A race answers sooner and throws work away; retrying throws nothing away that was not needed, and waits. Both stand "
        "on the verifier: what it lets through is taken for right."
    )


def _controls(own: ModelSession) -> None:
    state = chosen()
    verdicts = [name for name, kind in SCORERS.items() if kind.gives_verdict and not kind.argument_needed]
    offered = list(dict.fromkeys([state.verifier, *verdicts, *(r for r in state.rules if _judges(r)), "regex:\\d"]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            options=offered,
            index=offered.index(state.verifier),
            accept_new_options=True,
            width=220,
            **bound("verifier", state.verifier, lambda label: WIDGETS.write("verifier", label or state.verifier)),
        )
        st.button(
            f"Race {state.n}",
            key="bon_race",
            type="primary",
            icon=":material/flag:",
            disabled=own.busy,
            on_click=request_action("race"),
            help="All at once; the first that passes wins and the rest are stopped.",
        )
        WIDGETS.number("tries", width=120)
        st.button(
            "Retry until valid",
            key="bon_retry",
            icon=":material/replay:",
            disabled=own.busy,
            on_click=request_action("retry"),
            help="One after the other until one passes.",
        )


def _judges(label: str) -> bool:
    return kind_of(parse_spec(label)).gives_verdict


def start_race(own: ModelSession, worker: Worker, *, retried: bool) -> None:
    """Ask the worker. Raises BadInput or BadPrompt for what cannot be raced."""
    state = chosen()
    spec, request = parse_spec(state.verifier), present_request()
    if kind_of(spec).needs_reference and not request.reference.strip():
        raise BadInput(f"{spec.label} needs a reference: write the right answer on the left.", "reference")
    check_best_of_n(replace(request, n=max(request.n, state.tries)))
    asked = candidate_request(replace(request, n=state.tries) if retried else request, worker.engine.codec)
    visitor, run = visitor_id(), retry if retried else race

    def job(engine: Engine, cancel: CancelToken) -> Generator[Any, None, RaceResult]:
        context = replace(context_of(request, visitor=visitor, cancel=cancel), engine=engine)

        def passes(candidate: Candidate) -> bool:
            return is_valid(candidate, [spec], context)

        return run(engine, asked, passes, cancel=cancel)

    name = "retry" if retried else "race"
    own.results.pop(name, None)
    tokens = 0

    def take(event: object) -> None:
        nonlocal tokens
        if isinstance(event, BatchStep):
            tokens += event.tokens
            view.done += len(event.finished)
            view.note = f"{'Attempt' if retried else 'Racing'}: {tokens:,} tokens, finished"

    view = own.begin(
        name,
        worker.submit(session_id(), "best-of-n", job),
        take,
        lambda result: own.results.update({name: (result, spec.label)}),
        total=asked.n,
    )


# -- what came of it ---------------------------------------------------------------------------------------------------


def _results(own: ModelSession) -> None:
    named_results = [(name, own.results[name]) for name in ("race", "retry") if name in own.results]
    if not named_results:
        st.info("Race or retry to see both side by side; below, how they would go with the candidates that are there.")
        return
    for name, (result, verifier) in named_results:
        _sentence(name, result, verifier)
    show_table(race_table([(name, result) for name, (result, _verifier) in named_results]), key="bon_race_table")


def _sentence(name: str, result: RaceResult, verifier: str) -> None:
    if result.winner is None:
        what = "attempts" if result.retried else "candidates"
        st.warning(
            escape_markdown(f"None of the {len(result.finished)} {what} passed {verifier}."),
            icon=":material/search_off:",
        )
        return
    text = result.winner.text.strip().replace("\n", " ↵ ")[:200]
    who = f"{'attempt' if result.retried else 'candidate'} {result.winner.index + 1}"
    when = milliseconds(result.first_ms or 0)
    st.markdown(
        f"**{name.capitalize()}:** {who} passed {escape_markdown(verifier)} after {when}: “{escape_markdown(text)}”"
    )


# -- on paper ------------------------------------------------------------------------------------------------------------


def _on_paper(own: ModelSession, worker: Worker) -> None:
    """Races and retries drawn from the present candidates: no model runs."""
    candidates = own.run.samples
    if not candidates or own.run.request is None:
        return
    spec, request = parse_spec(chosen().verifier), scoring_request(own.run)
    context = context_of(request, visitor=visitor_id())
    st.markdown("##### From the candidates that are there")
    if kind_of(spec).needs_engine:
        st.caption("This verifier runs the model: race to see how it goes.")
        return
    try:
        valid = [is_valid(one, [spec], context) for one in candidates]
    except PlaygroundError as error:
        show_problem(error)
        return
    if not any(valid):
        st.caption(
            escape_markdown(f"None of the {len(candidates)} candidates passes {spec.label}: a race would find nothing.")
        )
        return
    lengths = [one.n_tokens for one in candidates]
    drawn = [first_valid(lengths, valid, n) for n in curve_points(len(candidates))]
    show_bands(race_steps_bands(drawn), key="bon_race_time")
    st.caption("The line is the median, the band holds the middle 80% of the draws that found one.")
    show_bands(race_tokens_bands(drawn), key="bon_race_tokens")
    st.caption(
        f"{sum(valid)} of {len(candidates)} pass ({percent(sum(valid) / len(valid))}); a race of {drawn[-1].n} has a valid "
        f"one in {percent(drawn[-1].valid_share)} of the draws. {_pace(own, worker, max(lengths))}"
    )


def _pace(own: ModelSession, worker: Worker, steps: int) -> str:
    """What a step of the curves is in time, as far as it can be said."""
    count = len(own.run.samples)
    if not samples_here(worker.engine):
        return "A step is a token of every text, as if the server wrote all of them at the same time."
    step = own.run.cost.decode_ms / max(1, steps)
    return f"With {count} rows a step took some {milliseconds(step)} here, with one row less: see What it costs."
