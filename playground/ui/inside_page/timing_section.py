"""Section "Prefill and decode": measured here and now, with the cache's bytes, the fitted machine and its predictions.

A measurement belongs to the machine and not to a reader, so the last one of each model is kept for all sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts.numbers import gigabytes, milliseconds
from playground.charts.scale_lines import LinesData, lines_description, lines_figure
from playground.charts.timing_lines import cache_data, decode_data, prefill_data, roofline_data, seconds_data
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.glossary import define
from playground.inspection.cache_formula import cache_words
from playground.inspection.timing import (
    LENGTHS,
    LONGEST_CHECK_S,
    STEPS,
    LengthTiming,
    Progress,
    Timing,
    time_length,
    time_machine,
)
from playground.models.info import told
from playground.ui import state
from playground.ui.inside_page.choice import change, options
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.runtime import session_id, wait_for_model
from playground.ui.waiting import refuse_if_stopped, wait_for
from playground.ui.workspace.model import chosen_model

QUICK = LENGTHS[:3]  # what is measured when the section is first opened
_WANTED, _CHECK, _RUN = "inside_timing_wanted", "inside_check_wanted", "inside_timing_run"
_MARKS = "Dots: measured; diamonds: measured too, and not in the fit"
PICTURES: dict[str, tuple[str, Callable[[Timing, int], LinesData | None]]] = {
    "Reading speed": (f"Prefill: tokens read a second against the prompt's length. {_MARKS}", prefill_data),
    "Reading time": (f"Prefill: time of the whole prompt. {_MARKS}", seconds_data),
    "Writing time": (f"Decode: time of a new token as the context grows. {_MARKS}", decode_data),
    "Cache": ("Bytes of keys and values as the context grows. Dots: measured", cache_data),
    "Roofline": (
        "Roofline of this machine, fitted from these passes. Dots: prompts read; diamonds: new tokens written",
        roofline_data,
    ),
}


@st.cache_resource(show_spinner=False)
def timings() -> dict[str, tuple[Timing, float]]:
    """By model revision: the last measurement of this server and when it was made (seconds since 1970)."""
    return {}


def timing_section() -> None:
    """The measurement, its pictures, and a look ahead."""
    worker = wait_for_model(chosen_model())
    revision = worker.engine.info.revision
    _buttons()
    wanted = st.session_state.get(_WANTED)
    if wanted is None and revision not in timings():
        wanted = QUICK
    if wanted is not None:
        with problems_shown_here():
            timings()[revision] = (_measure(worker, wanted), time.time())
            st.session_state.pop(_WANTED, None)
    if revision in timings():
        with problems_shown_here():
            _check_if_wanted(worker, revision)
        _show(*timings()[revision])


def _buttons() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Measure again",
            key="inside_measure",
            icon=":material/timer:",
            on_click=state.acting(lambda: _want(QUICK), state.PICTURES),
            help=f"New random prompts of {', '.join(map(str, QUICK))} tokens.",
        )
        st.button(
            f"Up to {LENGTHS[-1]:,} tokens",
            key="inside_measure_long",
            icon=":material/timer:",
            on_click=state.acting(lambda: _want(LENGTHS), state.PICTURES),
            help="Takes longer; prompts that would take more than 20 s each on this machine are left out.",
        )


def _want(lengths: tuple[int, ...]) -> None:
    st.session_state[_WANTED] = lengths
    st.session_state[_RUN] = st.session_state.get(_RUN, 0) + 1  # a stopped measurement may be asked for once more


def _measure(worker: Worker, lengths: tuple[int, ...]) -> Timing:
    work = f"timing:{worker.engine.info.revision}:{lengths}:{st.session_state.get(_RUN, 0)}"
    refuse_if_stopped(work)

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, Timing]:
        return time_machine(engine, cancel, lengths)

    ticket = worker.submit(session_id(), "timing", job)
    return wait_for(ticket, "Passes are timed, from short to long", key=work, share=_share)


def _share(step: Any) -> float:
    return float(step.share) if isinstance(step, Progress) else 0.0


def _show(found: Timing, when: float) -> None:
    ahead = min(options().ahead, found.info.context_length - STEPS)
    made = time.strftime("%H:%M:%S", time.localtime(when))
    st.caption(
        f"Measured on this server at {made}: {escape_markdown(found.info.name)} in "
        f"{found.info.dtype} on {escape_markdown(told(found.info.device))}, "
        f"one text, {STEPS} new tokens after each prompt. Other work on the machine makes it slower, never faster."
    )
    _times_table(found)
    _look_ahead(found, ahead)
    _pictures(found, ahead)
    _cache_table(found)


def _known(found: Timing) -> tuple[LengthTiming, ...]:
    """All lengths measured, each once."""
    return (*found.lengths, *(one for one in found.checks if one not in found.lengths))


def _times_table(found: Timing) -> None:
    rows = _known(found)
    frame = pd.DataFrame(
        {
            "tokens": [f"{one.prefill.tokens:,}" + (" ◆" if one in found.checks else "") for one in rows],
            "read in": [milliseconds(1e3 * one.prefill.seconds) for one in rows],
            "predicted": [milliseconds(1e3 * found.predict_s(one.prefill.tokens)) for one in rows],
            "tokens/s": [f"{one.prefill.tokens_per_s:,.1f}" for one in rows],
            "new token in": [milliseconds(1e3 * one.decode.seconds) for one in rows],
            "predicted ": [milliseconds(1e3 * found.predict_s(1, one.decode.context)) for one in rows],
            "tokens/s ": [f"{one.decode.tokens_per_s:,.1f}" for one in rows],
        }
    )
    said = {
        "tokens": "Of the prompt. ◆ was not in the fit: it checks it.",
        "predicted": "By the rates fitted to all lengths but those marked ◆.",
        "tokens/s": "Read from the prompt.",
        "new token in": "The fastest of the new tokens written after the prompt.",
        "predicted ": "By the same rates.",
        "tokens/s ": "Written.",
    }
    st.dataframe(
        frame,
        hide_index=True,
        key="inside_timings",
        column_config={name: st.column_config.Column(help=told) for name, told in said.items()},
    )
    st.caption("◆ was not in the fit: it checks it.")


def _cache_table(found: Timing) -> None:
    """Bytes by formula and as measured, and whether they are equal."""
    st.markdown("**Key-value cache, predicted and measured**")
    sizes = [one.cache for one in _known(found) if one.cache.measured is not None]
    if not sizes:
        st.caption(
            "This model keeps no key-value cache: a state of constant size takes its place, whatever the length."
            if not found.info.heads
            else "This model mixes attention with layers of another kind, and what it keeps is not measured here."
        )
        return
    frame = pd.DataFrame(
        {
            "tokens read": [size.tokens for size in sizes],
            "by formula, bytes": [size.predicted for size in sizes],
            "measured, bytes": [size.measured for size in sizes],
        }
    )
    number = st.column_config.NumberColumn(format="localized")
    st.dataframe(frame, hide_index=True, key="inside_cache", column_config=dict.fromkeys(frame.columns, number))
    spec = found.workload.spec
    if spec is None or any(size.predicted is None for size in sizes):
        st.caption("No formula here knows how this architecture keeps its cache; the measured bytes stand alone.")
        return
    equal = all(size.predicted == size.measured for size in sizes)
    st.caption(
        f"{cache_words(spec, found.workload.bytes_per_weight)} Measured: the bytes of the cache's own tensors after the "
        f"{STEPS} new tokens. The two " + ("are **equal** at every length." if equal else "**differ**.")
    )


def _look_ahead(found: Timing, ahead: int) -> None:
    """What the fitted machine says of a longer prompt, and a button that finds out."""
    if st.session_state.get("inside_ahead") != ahead:
        st.session_state["inside_ahead"] = ahead
    read_s, write_s = found.predict_s(ahead), found.predict_s(1, ahead)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Predict a prompt of",
            min_value=1,
            max_value=found.info.context_length - STEPS,
            step=256,
            key="inside_ahead",
            width=180,
            on_change=state.acting(_choose_ahead, state.PICTURES),
            help=define("Roofline"),
        )
        st.button(
            "Check it here",
            key="inside_check",
            icon=":material/fact_check:",
            disabled=read_s > LONGEST_CHECK_S,
            on_click=state.acting(lambda: st.session_state.update({_CHECK: ahead}), state.PICTURES),
            help="Reads a prompt of that length now."
            if read_s <= LONGEST_CHECK_S
            else f"It would take more than {LONGEST_CHECK_S:.0f} s: not offered on this machine.",
        )
    cache = found.workload.cache_bytes(ahead)
    held = f", a cache of {gigabytes(cache)}" if cache else ""
    st.markdown(
        f"**{ahead:,} tokens:** predicted {milliseconds(1e3 * read_s)} to read, {milliseconds(1e3 * write_s)} for a new "
        f"token{held}. {_checked(found, ahead)}"
    )


def _checked(found: Timing, length: int) -> str:
    known = [one for one in (*found.lengths, *found.checks) if one.prefill.tokens == length]
    if not known:
        return "Not measured yet."
    read, write = known[-1].prefill, known[-1].decode
    return (
        f"Measured: {milliseconds(1e3 * read.seconds)} and {milliseconds(1e3 * write.seconds)}; the prediction was "
        f"{found.predict_s(length) / read.seconds - 1:+.0%} and {found.predict_s(1, write.context) / write.seconds - 1:+.0%} off."
    )


def _choose_ahead() -> None:
    value = st.session_state.get("inside_ahead")
    if isinstance(value, int) and value > 0:
        change(ahead=value)


def _check_if_wanted(worker: Worker, revision: str) -> None:
    """Read one more length and set it beside its prediction."""
    length = st.session_state.get(_CHECK)
    if length is None:
        return
    work = f"check:{revision}:{length}:{st.session_state.get(_RUN, 0)}"
    refuse_if_stopped(work)

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, LengthTiming]:
        return time_length(engine, cancel, length)

    found, when = timings()[revision]
    check = wait_for(worker.submit(session_id(), "timing", job), f"A prompt of {length:,} tokens is read", key=work)
    timings()[revision] = (found.with_check(check), when)
    st.session_state.pop(_CHECK, None)


def _pictures(found: Timing, ahead: int) -> None:
    """One picture at a time, full width."""
    name = st.segmented_control(
        "Picture",
        list(PICTURES),
        default=next(iter(PICTURES)),
        key="inside_picture",
        required=True,
        on_change=state.acting(lambda: None, state.PICTURES),
        persist_state="session",
    )
    title, make = PICTURES[name if name in PICTURES else next(iter(PICTURES))]
    data = make(found, ahead)
    if data is None:
        st.caption("This model keeps no key-value cache: there is nothing that grows with the text.")
    else:
        st.plotly_chart(lines_figure(data), key="inside_timing_chart", alt=lines_description(data, title))
    fit = found.fit
    why_it_matters(
        f"{title}. Fitted: {_rate(fit.flops_per_s, 'GFLOP/s')} of arithmetic and {_rate(fit.bytes_per_s, 'GB/s')} of "
        "traffic, by least squares of the relative error of time = FLOPs / arithmetic + bytes / bandwidth. Reading many "
        "tokens at once uses each weight many times and is bound by arithmetic; writing uses each weight once a token and "
        "is bound by memory. Where marks leave the curve, something else costs time."
    )


def _rate(value: float, unit: str) -> str:
    return f"{value / 1e9:,.1f} {unit}" if value != float("inf") else f"no bound found on {unit}"
