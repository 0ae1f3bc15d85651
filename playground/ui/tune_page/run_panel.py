"""What a plan will take, the buttons that run it, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.engine.text.prompt import encode_prompt
from playground.errors import PlaygroundError
from playground.generation import samples_here
from playground.scaling.api_prices import packaged_prices
from playground.testtime.cost import CostModel, time_draw
from playground.testtime.types import Candidate
from playground.tuning.pace import Pace
from playground.tuning.plan import Plan, plan_values
from playground.tuning.predicting import Forecast, forecast, trial_places
from playground.tuning.runs import KeptTuning, check_same_model
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw_next, rerun_callback
from playground.ui.kit.job_view import tried, watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.pace import queue_words
from playground.ui.tune_page.session import draft
from playground.ui.tune_page.steps import RESULTS, go_to
from playground.ui.tune_page.tuning_view import (
    LOOK_S,
    TuningView,
    end,
    is_written_elsewhere,
    resume,
    start,
    trial_key,
    try_first,
    tuning_view,
)
from playground.ui.workspace.speed import cached_timing

_LEAST_TRIAL = 4  # texts
NO_PRICE = "not billed by tokens"


@dataclass(eq=False)
class _Lengths:
    """Tokens of the prompts as read, by model, way of reading and plan's examples: of the last plan looked at."""

    key: object = None
    tokens: list[int] = field(default_factory=list)


def run_panel(worker: Worker, plan: Plan | None) -> None:
    """The tuning in view, if there is one; what the draft would take, where it is another plan."""
    own = tuning_view()
    watch(own, lambda: _panel(worker, plan), key="tune_run", changes=lambda: own.busy)
    if is_written_elsewhere(own):
        look_on()


def look_on() -> None:
    """How far another tab is with the tuning in view, by a timer. The tab is drawn anew with each prompt that is complete."""
    drawn = _complete_prompts()

    def look() -> None:
        nonlocal drawn
        kept = tuning_view().kept
        if kept is None:
            return
        st.caption(
            f":material/visibility: Another tab writes this tuning: {len(kept.texts):,} of {kept.plan.texts:,} texts. "
            "This one looks on."
        )
        if not is_written_elsewhere(tuning_view()) or _complete_prompts() != drawn:
            drawn = _complete_prompts()
            redraw_next()

    st.fragment(look, key="tune_look_on", run_every=LOOK_S)()


def _complete_prompts() -> int:
    kept = tuning_view().kept
    return 0 if kept is None else len(kept.texts) // (len(kept.plan.arms) * kept.plan.samples)


def _panel(worker: Worker, plan: Plan | None) -> None:
    own = tuning_view()
    if own.problem:
        show_problem(own.problem)
    if own.kept is not None:
        _in_view(worker, own, own.kept)
    same = own.kept is not None and plan is not None and plan_values(own.kept.plan) == plan_values(plan)
    if plan is not None and not same:
        _drafted(worker, own, plan)


# -- what is drafted -----------------------------------------------------------------------------------------------------


def _drafted(worker: Worker, own: TuningView, plan: Plan) -> None:
    tried = own.trial if own.trial_of == trial_key(worker, plan) else {}
    st.markdown("##### What it takes" if own.kept is None else "##### The plan as it stands, as another tuning")
    costs = _forecast(worker, plan, tried, own.pace if tried else Pace())
    _show_forecast(worker, plan, costs)
    if own.busy and own.trying:
        wanted = len(trial_places(plan))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, len(own.trial) / wanted), text=f"Trial: {len(own.trial)} of {wanted} texts")
            st.button("Stop", key="tune_trial_stop", icon=":material/stop:", on_click=_tried(lambda: end("paused")))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Run the plan",
            key="tune_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=own.busy,
            help="Pause what is being written first." if own.busy else None,
            on_click=_tried(lambda: start(worker, plan, _name(plan))),
        )
        if not tried and len(trial_places(plan)) >= _LEAST_TRIAL:
            st.button(
                "Try a few first",
                key="tune_try",
                icon=":material/speed:",
                disabled=own.busy,
                help=f"{len(trial_places(plan))} texts, spread over prompts and settings, say how long answers get and how fast "
                "they come. The run keeps them.",
                on_click=_tried(lambda: try_first(worker, plan)),
            )


def _name(plan: Plan) -> str:
    return draft().purpose or f"{len(plan.settings)} settings, {len(plan.examples)} prompts"


def _forecast(worker: Worker, plan: Plan, texts: Mapping[int, Candidate], pace: Pace) -> Forecast:
    return forecast(plan, _prompt_tokens(worker, plan), texts, pace=pace, model=_modelled(worker, plan))


def _prompt_tokens(worker: Worker, plan: Plan) -> list[int]:
    lengths, key = session.get(_Lengths), (worker.engine.info.revision, plan.chat, plan.examples)
    if lengths.key != key:
        codec = worker.engine.codec
        lengths.tokens = [
            len(encode_prompt(codec, each.prompt, chat=plan.chat, system=each.system or None)) for each in plan.examples
        ]
        lengths.key = key
    return lengths.tokens


def _modelled(worker: Worker, plan: Plan) -> CostModel | None:
    """This machine's speed with the model in use, where any page has measured it."""
    timing, vocab = cached_timing(worker.engine.info), worker.engine.info.vocab_size
    if timing is None:
        return None
    draws = [time_draw(vocab, settings) for settings in plan.settings.values()]
    return CostModel(timing.speed, sum(draws) / len(draws))


def _show_forecast(worker: Worker, plan: Plan, costs: Forecast) -> None:
    arms = f"{len(plan.settings)} setting{'s' * (len(plan.settings) > 1)} and the control"
    st.markdown(
        f"**{plan.texts:,} texts**: {len(plan.examples)} prompt{'s' * (len(plan.examples) > 1)} × {arms} × "
        f"{plan.samples} sample{'s' * (plan.samples > 1)}."
    )
    left = "" if costs.texts == plan.texts else f" for the {costs.texts:,} that are left"
    if costs.sample_size:
        st.markdown(
            f"**About {costs.tokens:,.0f} tokens**{left}, {costs.most_tokens:,} at most: of {costs.sample_size:,} texts so far "
            f"{costs.early:.0%} ended before the limit of {plan.max_new_tokens:,}."
        )
    else:
        st.markdown(
            f"**At most {costs.most_tokens:,} tokens**, if no text ends before its limit of {plan.max_new_tokens:,}; how many do "
            "is not known yet."
        )
    st.markdown(_duration(worker, costs))
    _money(worker, costs)


def _duration(worker: Worker, costs: Forecast) -> str:
    if costs.seconds is None:
        advice = ", or measure the speed under Inside the model" if samples_here(worker.engine) else ""
        return f"How long is not known yet: try a few texts first{advice}."
    most = "" if costs.sample_size else "At most "
    return f"**{most}{duration(costs.seconds)}** on this machine, as busy as it is now."


def duration(seconds: float) -> str:
    """In words.

    >>> duration(4.2), duration(75), duration(5400)
    ('4 s', '1 min 15 s', '1 h 30 min')
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _money(worker: Worker, costs: Forecast) -> None:
    with st.popover("Money", icon=":material/payments:", on_change="rerun", key="tune_money") as box:
        if box.open:
            table = packaged_prices()
            names = [f"{price.provider}: {price.model}" for price in table.prices]
            st.selectbox("As billed by", [NO_PRICE, *names], key="tune_price")
            if samples_here(worker.engine):
                st.number_input("This machine (USD an hour)", min_value=0.0, value=0.0, step=0.1, key="tune_hour")
            st.caption(f"Prices: {escape_markdown(table.source)}, {table.as_of or 'no date'}.")
    chosen, said = str(st.session_state.get("tune_price") or NO_PRICE), []
    if chosen != NO_PRICE:
        provider, _, model = chosen.partition(": ")
        price = packaged_prices().find(model, provider)
        usd = costs.billed(price.input, price.output)
        most = "" if costs.sample_size else "at most "
        said.append(
            f"{most}{usd:,.4f} USD at the prices of {escape_markdown(model)} ({costs.read_tokens:,} tokens read)"
        )
    hourly = float(st.session_state.get("tune_hour") or 0.0)
    if hourly and costs.seconds is not None:
        said.append(
            f"{'' if costs.sample_size else 'at most '}{costs.seconds / 3600 * hourly:,.4f} USD of this machine"
        )
    if said:
        st.markdown("; ".join(said) + ".")


# -- what is in view -----------------------------------------------------------------------------------------------------


def _in_view(worker: Worker, own: TuningView, kept: KeptTuning) -> None:
    done, wanted = len(kept.texts), kept.plan.texts
    busy = own.busy and not own.trying
    state = (
        "being written" if busy else {"finished": "whole", "stopped": "ended early"}.get(kept.summary.status, "paused")
    )
    took = f", written in {duration(kept.summary.seconds)}" if kept.summary.seconds and not busy else ""
    st.markdown(f"**{escape_markdown(kept.summary.name)}** · {escape_markdown(kept.origin.name)} · {state}{took}")
    ahead = queue_words(own.ticket) if busy and own.ticket is not None else ""
    share, rest = _rest(worker, own, kept) if busy else (done / wanted, "")
    st.progress(share, text=f"{done:,} of {wanted:,} texts{rest}{ahead}")
    if kept.summary.problem and not busy:
        st.warning(f"It paused: {escape_markdown(kept.summary.problem)}", icon=":material/pause_circle:")
    other = _another_model(worker, kept)
    if other and done < wanted:
        st.info(escape_markdown(other), icon=":material/swap_horiz:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if busy:
            st.button("Pause", key="tune_pause", icon=":material/pause:", on_click=_tried(lambda: end("paused")))
            st.button(
                "End here",
                key="tune_cancel",
                icon=":material/stop:",
                shortcut="escape",
                on_click=_tried(lambda: end("stopped")),
                help="Frees the model; what is written stays and is compared.",
            )
        elif done < wanted and not other and not is_written_elsewhere(own):
            st.button(
                "Go on",
                key="tune_resume",
                type="primary",
                icon=":material/play_arrow:",
                disabled=own.busy,
                on_click=_tried(lambda: resume(worker)),
                help="Writes exactly what is missing, as it would have been written.",
            )
        if kept.texts:
            st.button(
                "See results",
                key="tune_results",
                icon=":material/arrow_forward:",
                type="secondary" if done < wanted else "primary",
                on_click=go_to,
                args=(RESULTS,),
            )


def _rest(worker: Worker, own: TuningView, kept: KeptTuning) -> tuple[float, str]:
    """Which share is done, by tokens, and in words how long the rest takes."""
    costs = _forecast(worker, kept.plan, kept.texts, own.pace)
    written = sum(one.n_tokens for one in kept.texts.values()) + own.under_way
    left = max(0.0, costs.tokens - own.under_way)
    rate, said = own.pace.tokens_per_s, ""
    if rate is not None and costs.seconds is not None:
        said = f", {rate:,.0f} tokens/s, about {duration(costs.seconds * left / max(costs.tokens, 1))} left"
    return written / max(1.0, written + left), said


def _another_model(worker: Worker, kept: KeptTuning) -> str:
    try:
        check_same_model(kept.origin, worker.engine.info)
    except PlaygroundError as error:
        return str(error)
    return ""


def _tried(act: Callable[[], None]) -> Callable[..., None]:
    """A callback; what is refused is said above the panel."""
    return rerun_callback(tried(tuning_view, act), PICTURES)
