"""Section "Prefill and decode": measured here and now, with the cache's bytes, the fitted machine and its predictions."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import streamlit as st

from playground.charts.numbers import gigabytes, milliseconds
from playground.charts.scale_lines import LinesData, lines_chart, lines_description
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
from playground.models.info import or_unknown
from playground.state.inside import QUICK, InsideState, TimingWanted
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES as PICTURES_PART
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.jobs import result_of
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.speed import timings

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


def timing_section(_view: None) -> None:
    """The measurement, its pictures, and a look ahead."""
    worker = loaded_model()
    revision = worker.engine.info.revision
    _buttons()
    wanted = session.get(TimingWanted).lengths
    if wanted is None and revision not in timings():
        wanted = QUICK
    if wanted is not None:
        with problems_shown_here():
            timings()[revision] = (_measure(worker, wanted), time.time())
            session.change(TimingWanted, lengths=None)
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
            on_click=rerun_callback(lambda: _want(QUICK), PICTURES_PART),
            help=f"New random prompts of {', '.join(map(str, QUICK))} tokens.",
        )
        st.button(
            f"Up to {LENGTHS[-1]:,} tokens",
            key="inside_measure_long",
            icon=":material/timer:",
            on_click=rerun_callback(lambda: _want(LENGTHS), PICTURES_PART),
            help="Takes longer; prompts that would take more than 20 s each on this machine are left out.",
        )


def _want(lengths: tuple[int, ...]) -> None:
    session.change(TimingWanted, lengths=lengths, number=session.get(TimingWanted).number + 1)


def _measure(worker: Worker, lengths: tuple[int, ...]) -> Timing:
    key = (worker.engine.info.revision, lengths, session.get(TimingWanted).number)

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, Timing]:
        return time_machine(engine, cancel, lengths)

    doing = "Passes are timed, from short to long"
    return result_of("timing", key, lambda: worker.submit(session_id(), "timing", job), doing, share=_share)


def _share(step: object) -> float:
    return float(step.share) if isinstance(step, Progress) else 0.0


def _show(timing: Timing, when: float) -> None:
    ahead = min(session.get(InsideState).ahead, timing.info.context_length - STEPS)
    measured_at = time.strftime("%H:%M:%S", time.localtime(when))
    st.caption(
        f"Measured on this server at {measured_at}: {escape_markdown(timing.info.name)} in "
        f"{timing.info.dtype} on {escape_markdown(or_unknown(timing.info.device))}, "
        f"one text, {STEPS} new tokens after each prompt. Other work on the machine makes it slower, never faster."
    )
    _times_table(timing)
    _look_ahead(timing, ahead)
    _pictures(timing, ahead)
    _cache_table(timing)


def _measured_lengths(timing: Timing) -> tuple[LengthTiming, ...]:
    """All lengths measured, each once."""
    return (*timing.lengths, *(one for one in timing.checks if one not in timing.lengths))


def _times_table(timing: Timing) -> None:
    import pandas as pd  # only a table needs it, and a page opens without it

    rows = _measured_lengths(timing)
    frame = pd.DataFrame(
        {
            "tokens": [f"{one.prefill.tokens:,}" + (" ◆" if one in timing.checks else "") for one in rows],
            "read in": [milliseconds(1e3 * one.prefill.seconds) for one in rows],
            "predicted": [milliseconds(1e3 * timing.speed.seconds(one.prefill.tokens)) for one in rows],
            "tokens/s": [f"{one.prefill.tokens_per_s:,.1f}" for one in rows],
            "new token in": [milliseconds(1e3 * one.decode.seconds) for one in rows],
            "predicted ": [milliseconds(1e3 * timing.speed.seconds(1, one.decode.context)) for one in rows],
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
        column_config={name: st.column_config.Column(help=tip) for name, tip in said.items()},
    )
    st.caption("◆ was not in the fit: it checks it.")
    several = [
        f"{one.rows} rows {milliseconds(1e3 * one.seconds)} "
        f"(predicted {milliseconds(1e3 * timing.speed.seconds(1, one.context, one.rows))})"
        for one in timing.rows
    ]
    if several:
        st.caption(f"A new token in each of several rows after {timing.rows[0].context} tokens: {', '.join(several)}.")


def _cache_table(timing: Timing) -> None:
    """Bytes by formula and as measured, and whether they are equal."""
    import pandas as pd  # only a table needs it, and a page opens without it

    st.markdown("**Key-value cache, predicted and measured**")
    sizes = [one.cache for one in _measured_lengths(timing) if one.cache.measured is not None]
    if not sizes:
        st.caption(
            "This model keeps no key-value cache: a state of constant size takes its place, whatever the length."
            if not timing.info.heads
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
    spec = timing.speed.workload.spec
    if spec is None or any(size.predicted is None for size in sizes):
        st.caption("No formula here knows how this architecture keeps its cache; the measured bytes stand alone.")
        return
    equal = all(size.predicted == size.measured for size in sizes)
    st.caption(
        f"{cache_words(spec, timing.speed.workload.bytes_per_weight)} Measured: the bytes of the cache's own tensors after the "
        f"{STEPS} new tokens. The two " + ("are **equal** at every length." if equal else "**differ**.")
    )


def _look_ahead(timing: Timing, ahead: int) -> None:
    """What the fitted machine says of a longer prompt, and a button that finds out."""
    read_s, write_s = timing.speed.seconds(ahead), timing.speed.seconds(1, ahead)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Predict a prompt of",
            min_value=1,
            max_value=timing.info.context_length - STEPS,
            value=ahead,
            step=256,
            key="inside_ahead",
            width=180,
            on_change=bind_widget("inside_ahead", ahead, _choose_ahead),
            help=define("Roofline"),
        )
        st.button(
            "Check it here",
            key="inside_check",
            icon=":material/fact_check:",
            disabled=read_s > LONGEST_CHECK_S,
            on_click=rerun_callback(lambda: session.change(TimingWanted, check=ahead), PICTURES_PART),
            help="Reads a prompt of that length now."
            if read_s <= LONGEST_CHECK_S
            else f"It would take more than {LONGEST_CHECK_S:.0f} s: not offered on this machine.",
        )
    cache = timing.speed.workload.cache_bytes(ahead)
    held = f", a cache of {gigabytes(cache)}" if cache else ""
    st.markdown(
        f"**{ahead:,} tokens:** predicted {milliseconds(1e3 * read_s)} to read, {milliseconds(1e3 * write_s)} for a new "
        f"token{held}. {_checked(timing, ahead)}"
    )


def _checked(timing: Timing, length: int) -> str:
    measurements = [one for one in (*timing.lengths, *timing.checks) if one.prefill.tokens == length]
    if not measurements:
        return "Not measured yet."
    read, write, speed = measurements[-1].prefill, measurements[-1].decode, timing.speed
    return (
        f"Measured: {milliseconds(1e3 * read.seconds)} and {milliseconds(1e3 * write.seconds)}; the prediction was "
        f"{speed.seconds(length) / read.seconds - 1:+.0%} and {speed.seconds(1, write.context) / write.seconds - 1:+.0%} off."
    )


def _choose_ahead(value: int | None) -> None:
    if value is not None and value > 0:
        session.change(InsideState, ahead=int(value))


def _check_if_wanted(worker: Worker, revision: str) -> None:
    """Read one more length and set it beside its prediction."""
    wanted = session.get(TimingWanted)
    length = wanted.check
    if length is None:
        return

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, LengthTiming]:
        return time_length(engine, cancel, length)

    timing, when = timings()[revision]
    check = result_of(
        "timing",
        (revision, length, wanted.number),
        lambda: worker.submit(session_id(), "timing", job),
        f"A prompt of {length:,} tokens is read",
    )
    timings()[revision] = (timing.with_check(check), when)
    session.change(TimingWanted, check=None)


def _pictures(timing: Timing, ahead: int) -> None:
    """One picture at a time, full width."""
    Bound(InsideState).segmented("picture")
    title, make = PICTURES[session.get(InsideState).picture]
    data = make(timing, ahead)
    if data is None:
        st.caption("This model keeps no key-value cache: there is nothing that grows with the text.")
    else:
        light_chart(lines_chart(data), key="inside_timing_chart", alt=lines_description(data, title))
    fit = timing.speed.fit
    why_it_matters(
        f"{title}. Fitted: {_rate(fit.flops_per_s, 'GFLOP/s')} of arithmetic and {_rate(fit.bytes_per_s, 'GB/s')} of "
        f"traffic, {_overlap_words(fit.overlap)}, by least squares of the relative error. Reading many "
        "tokens at once uses each weight many times and is bound by arithmetic; writing uses each weight once a token and "
        "is bound by memory. Where marks leave the curve, something else costs time."
    )


def _overlap_words(overlap: float) -> str:
    """How the two times make one."""
    if overlap == 1:
        return "time = FLOPs / arithmetic + bytes / bandwidth"
    return f"the two overlapping in part: time^{overlap:g} = (FLOPs / arithmetic)^{overlap:g} + (bytes / bandwidth)^{overlap:g}"


def _rate(value: float, unit: str) -> str:
    return f"{value / 1e9:,.1f} {unit}" if value != float("inf") else f"no bound found on {unit}"
