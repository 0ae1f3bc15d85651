"""Section "What it costs": the speed measured here, checked against the run, and the N that a budget buys."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator

import streamlit as st

from playground.charts.candidates_curves import budget_bands
from playground.charts.numbers import milliseconds, percent
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation import samples_here
from playground.inspection.timing import ROWS, Progress, Timing, time_machine
from playground.state.inside import QUICK
from playground.testtime.cost import CostModel, Prediction, predict, recommend, time_draw
from playground.ui.best_of_n_page.pictures import show_bands
from playground.ui.best_of_n_page.session import ModelSession, request_action
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.runtime import session_id
from playground.ui.workspace.setup import setup
from playground.ui.workspace.speed import cached_timing, timings

ROUGH = 0.2  # relative error above which a prediction is no plan


def cost_section(own: ModelSession, worker: Worker) -> None:
    """The speed of this machine, as any page has measured it, and what follows from it; of a server what the run took."""
    if not samples_here(worker.engine):
        watch(own, lambda: work_progress(own), key="bon_cost_live")
        _served(own)
        return
    st.button(
        "Measure here",
        key="bon_measure",
        type="primary",
        icon=":material/speed:",
        disabled=own.busy,
        on_click=request_action("measure"),
        help=f"A few prompts read and a few steps at 1 to {ROWS[-1]} rows; others get their turns in between.",
    )
    watch(own, lambda: work_progress(own), key="bon_cost_live")
    timing = cached_timing(worker.engine.info)
    model = fitted(worker)
    if (timing is None or model is None) and not own.busy:
        st.info("Measure first: how fast this machine reads and writes with the model is not known yet.")
    elif timing is not None and model is not None and not own.busy:
        _show_model(timing, model)
        _check(own, model)
        _budget(own, worker, model)
    why_it_matters(
        "A decode step reads all weights once, whatever the number of rows: the second answer is nearly free, the hundredth is "
        "not. Sixteen answers cost far less than sixteen times one."
    )


def _served(own: ModelSession) -> None:
    """Tokens and seconds as they were measured: what else a server is busy with is not known here."""
    run, samples = own.run, own.run.samples
    if own.busy:
        return
    if not samples:
        st.info("Press **Generate**: what the run takes is measured while it runs.")
        return
    cost, each = run.cost, statistics.fmean(one.n_tokens for one in samples)
    st.markdown(
        f"**The present run:** {len(samples)} candidates, {cost.new_tokens:,} tokens in {milliseconds(cost.decode_ms)} "
        f"({run.tokens_per_second:,.1f} tokens/s, all texts together); the first token came after "
        f"{milliseconds(cost.prefill_ms)}."
    )
    price = st.number_input(
        "Price (USD a million tokens)",
        value=0.0,
        min_value=0.0,
        step=0.1,
        key="bon_token_price",
        width=220,
        help="0: no matter.",
    )
    written = f"{each:,.1f} tokens an answer on average, {each * len(samples):,.0f} for {len(samples)}"
    money = f", {each * len(samples) * price / 1e4:.4f} US cents for what was written" if price else ""
    st.markdown(f"{written}{money}.")
    st.caption(
        "How long another N would take is predicted for models that run in this process. This one runs elsewhere, where others "
        "may be served at the same time."
    )


def start_measure(own: ModelSession, worker: Worker) -> None:
    """Ask the worker."""

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, Timing]:
        return time_machine(engine, cancel, QUICK)

    def take(step: Progress) -> None:
        view.done, view.total, view.note = round(100 * step.share), 100, f"Measuring {step.doing}"

    def store(timing: Timing) -> None:
        timings()[worker.engine.info.revision] = (timing, time.time())

    view = own.begin("measure", worker.submit(session_id(), "best-of-n-measure", job), take, store)


def fitted(worker: Worker) -> CostModel | None:
    """Of the model in use, once any page has measured it here; draws by the page's settings."""
    timing, info = cached_timing(worker.engine.info), worker.engine.info
    return None if timing is None else CostModel(timing.speed, time_draw(info.vocab_size, setup().settings))


def _show_model(timing: Timing, model: CostModel) -> None:
    context = timing.lengths[0].decode.context
    steps = ", ".join(
        f"**{model.step_ms(rows, context):.1f} ms** for {rows} row{'s' * (rows > 1)}" for rows in (1, *ROWS)
    )
    tokens = [one.prefill.tokens for one in timing.lengths]
    reading = ", ".join(f"{milliseconds(model.prefill_ms(count))} for {count:,} tokens" for count in tokens)
    st.markdown(
        f"Predicted, after {context} tokens: a step takes {steps}; {model.draw_ms:.2f} ms a row of it draws the token. "
        f"Reading a prompt takes {reading}."
    )
    off = statistics.median(abs(error) for error in timing.speed.fit.errors)
    st.caption(
        f"From two rates of this machine, fitted to {len(timing.speed.fit.errors)} timed passes (Inside the model, Prefill and "
        f"decode, shows them); half of the passes are within {percent(off)}."
    )
    if off > ROUGH:
        st.warning(
            "The passes took very different times, as on a machine that is busy with other things: take all of this as rough, "
            "and measure again when it is quiet.",
            icon=":material/speed:",
        )


def _check(own: ModelSession, model: CostModel) -> None:
    """The prediction for the present run beside what it took."""
    samples = own.run.samples
    if not samples or not own.run.timings:
        st.caption("Generate a run to check the prediction against it.")
        return
    steps_ms = sum(timing.ms for timing in own.run.timings)
    expected = sum(model.step_ms(timing.rows, timing.context) for timing in own.run.timings)
    st.markdown(
        f"**Checked against the present run** ({len(samples)} candidates, {len(own.run.timings)} steps): predicted "
        f"{milliseconds(expected)}, measured {milliseconds(steps_ms)}; off by {percent(abs(expected / steps_ms - 1))}."
    )
    if abs(expected / steps_ms - 1) > ROUGH:
        st.caption("Too far off to plan with: the machine was not equally busy both times. Measure and generate again.")


def _budget(own: ModelSession, worker: Worker, model: CostModel) -> None:
    st.markdown("##### What N fits a budget")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        latency = st.number_input(
            "Latency (s)", value=10.0, step=1.0, key="bon_latency", width=140, help="0: no limit."
        )
        price = st.number_input(
            "Machine (USD an hour)",
            value=1.0,
            step=0.1,
            key="bon_price",
            width=170,
            help="What the machine costs you; 0: no matter.",
        )
        money = st.number_input(
            "Money (US cents an answer)", value=0.0, step=0.1, key="bon_money", width=190, help="0: no limit."
        )
    prompt, alive = own.run.expected_sizes()
    try:
        recommendation = recommend(
            model,
            prompt,
            alive,
            latency_ms=latency * 1000 if latency else None,
            money=money / 100 if money else None,
            price_per_hour=price or None,
        )
    except PlaygroundError as error:
        show_problem(error)
        return
    if recommendation.prediction is None:
        st.warning(f"Not even one candidate fits the {recommendation.limit} budget.", icon=":material/block:")
    else:
        st.markdown(
            f"**N = {recommendation.n}**, limited by {recommendation.limit}: {_said(recommendation.prediction)}."
        )
    present = max(1, len(own.run.candidates))
    one, many = predict(model, (1, present), prompt, alive, price or None)
    st.caption(
        f"One answer: {_said(one)}. {present} answers: {_said(many)}, {many.total_ms / max(one.total_ms, 1e-9):.1f} times one."
    )
    show_bands(budget_bands(model, prompt, alive, recommendation.n), key="bon_cost")


def _said(prediction: Prediction) -> str:
    money = "" if prediction.money is None else f", {prediction.money * 100:.4f} US cents"
    return f"{milliseconds(prediction.total_ms)}, {prediction.new_tokens:,.0f} tokens{money}"
