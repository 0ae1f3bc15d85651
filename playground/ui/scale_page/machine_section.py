"""Section "This machine": the loaded model timed on request, and how far the roofline's two terms explain it."""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_description, lines_figure
from playground.engine.api import Rows
from playground.engine.facets import require
from playground.engine.serving.ticket import Ticket
from playground.models.info import LoadedModelInfo
from playground.plan.measure import Measurement, measure, work_of
from playground.plan.wording import Row, row
from playground.scaling.figures import figure, given
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.runtime import session_id, wait_for_model
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.workspace.model import chosen_model

_FOUND, _RUNNING = "scale_measured", "scale_measuring"


def machine_section() -> None:
    """A button; then the model is loaded if it is not, timed, and the prediction set beside the measurement."""
    st.markdown(
        "Times the model of the sidebar on this machine: prompts of several lengths, and one step of writing. Takes a few "
        "seconds; a model that is not loaded yet is loaded first."
    )
    st.button("Measure", key="scale_measure", icon=":material/timer:", on_click=_begin, type="primary")
    if st.session_state.get(_RUNNING):
        worker = wait_for_model(chosen_model())
        ticket = worker.submit(session_id(), "measure", measure)
        with ticket:
            _watch(ticket)
            st.session_state[_FOUND] = (ticket.result(), require(worker.engine, Rows).info)
        st.session_state[_RUNNING] = False
    if _FOUND in st.session_state:
        found, info = st.session_state[_FOUND]
        _show(found, info)


def _begin() -> None:
    st.session_state[_RUNNING] = True


def _watch(ticket: Ticket[Measurement]) -> None:
    bar, stop = st.empty(), st.empty()
    stop.button("Stop", key="scale_measure_stop", icon=":material/stop:", on_click=_stop, shortcut="escape")
    started = time.monotonic()
    bar.progress(0.0, text="Waiting for the model's turn")
    while not ticket.done:
        for done, total in ticket.take(0.2):
            spent = time.monotonic() - started
            bar.progress(done / total, text=f"Pass {done + 1} of {total} · {spent:.1f} s")
    bar.empty()
    stop.empty()


def _stop() -> None:
    st.session_state[_RUNNING] = False


def _show(found: Measurement, info: LoadedModelInfo) -> None:
    figure_table({"Now": machine_rows(found)}, key="scale_machine", label="This machine, measured")
    data = machine_data(found, info)
    light_chart(lines_figure(data), key="scale_machine_chart", alt=lines_description(data, "Time of a forward pass"))
    why_it_matters(
        escape_markdown(f"{found.model}, {info.parameters:,} parameters in {info.dtype} on {info.device}. ")
        + "The curve is arithmetic over a fitted speed plus bytes over a fitted bandwidth; the marks are measured. Where "
        "the two part, something else costs time: starting operations, threads, other programs."
    )


def machine_rows(found: Measurement) -> tuple[Row, ...]:
    """Fitted speeds, their share of this machine's own peaks, and the errors of the prediction."""
    fit = found.fit
    step = found.timings[-1]
    rows = [row(given("One decode step, measured", step.seconds, "s", f"after {step.context} tokens"), lead=True)]
    if np.isfinite(fit.flops_per_s):
        speed = given("Fitted arithmetic", fit.flops_per_s, "FLOP/s", "least squares over all passes")
        share = figure(
            "Share of the peak arithmetic",
            "1",
            "fitted / peak",
            "peak: a plain float32 matrix product here",
            fitted=(fit.flops_per_s, "FLOP/s"),
            peak=(found.peak_flops, "FLOP/s"),
        )
        rows += [
            Row(speed.name, f"{fit.flops_per_s / 1e9:,.1f} GFLOP/s", speed),
            Row(share.name, f"{share.value:.0%}", share),
        ]
    if np.isfinite(fit.bytes_per_s):
        speed = given("Fitted bandwidth", fit.bytes_per_s, "B/s", "least squares over all passes")
        share = figure(
            "Share of the peak bandwidth",
            "1",
            "fitted / peak",
            "peak: a plain copy here, reads and writes counted",
            fitted=(fit.bytes_per_s, "B/s"),
            peak=(found.peak_bytes, "B/s"),
        )
        rows += [
            Row(speed.name, f"{fit.bytes_per_s / 1e9:,.1f} GB/s", speed),
            Row(share.name, f"{share.value:.0%}", share),
        ]
    for timing, predicted, error in zip(found.timings, fit.predicted_s, fit.errors, strict=True):
        what = f"{timing.tokens} token{'s' if timing.tokens > 1 else ''}" + (
            f" after {timing.context}" if timing.context else ""
        )
        rows.append(
            Row(
                what,
                f"{timing.seconds * 1e3:,.1f} ms measured, {predicted * 1e3:,.1f} ms predicted",
                None,
                False,
                f"{error:+.0%}",
            )
        )
    return tuple(rows)


def machine_data(found: Measurement, info: LoadedModelInfo) -> LinesData:
    """Predicted time against prompt length, with the measured passes."""
    lengths = np.unique(np.geomspace(1, max(t.tokens for t in found.timings), 40).astype(int))
    work = [work_of(info, int(length), 0) for length in lengths]
    seconds = np.array([flops / found.fit.flops_per_s + traffic / found.fit.bytes_per_s for flops, traffic in work])
    marks = tuple(
        Mark(f"{timing.seconds * 1e3:.0f} ms", timing.tokens, timing.seconds * 1e3, strong=True)
        for timing in found.timings
        if not timing.context
    )
    curve = Series("predicted", lengths.astype(float), seconds * 1e3, NOW)
    return LinesData(Axis("prompt tokens"), Axis("milliseconds"), (curve,), marks)
