"""Section "This machine": the loaded model timed on request, and how far the roofline's two terms explain it."""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.engine.serving.ticket import Ticket
from playground.inspection.speed import Pass, Speed
from playground.inspection.timing import Timing
from playground.plan.measure import Measurement, Peaks, measure
from playground.plan.wording import Row, row
from playground.scaling.figures import figure, given
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.runtime import session_id, wait_for_model
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.workspace.model import chosen_model
from playground.ui.workspace.speed import known_timing, timings

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
            found = ticket.result()
        timings()[worker.engine.info.revision] = (found.timing, time.time())
        st.session_state[_FOUND] = (worker.engine.info, found.peaks)
        st.session_state[_RUNNING] = False
    if _FOUND in st.session_state:
        info, peaks = st.session_state[_FOUND]
        timing = known_timing(info)  # another page may have measured the model since
        if timing is not None:
            _show(timing, peaks)


def _begin() -> None:
    st.session_state[_RUNNING] = True


def _watch(ticket: Ticket[Measurement]) -> None:
    bar, stop = st.empty(), st.empty()
    stop.button("Stop", key="scale_measure_stop", icon=":material/stop:", on_click=_stop, shortcut="escape")
    started = time.monotonic()
    bar.progress(0.0, text="Waiting for the model's turn")
    while not ticket.done:
        for step in ticket.take(0.2):
            bar.progress(
                step.share, text=f"{step.doing[:1].upper()}{step.doing[1:]} · {time.monotonic() - started:.1f} s"
            )
    bar.empty()
    stop.empty()


def _stop() -> None:
    st.session_state[_RUNNING] = False


def _show(found: Timing, peaks: Peaks | None) -> None:
    figure_table({"Now": machine_rows(found, peaks)}, key="scale_machine", label="This machine, measured")
    data = machine_data(found)
    light_chart(lines_chart(data), key="scale_machine_chart", alt=lines_description(data, "Time of a forward pass"))
    info = found.info
    why_it_matters(
        escape_markdown(f"{info.name}, {info.parameters:,} parameters in {info.dtype} on {info.device}. ")
        + "The curve is the time of arithmetic and of memory traffic at two fitted rates; the marks are measured. Where "
        "the two part, something else costs time: starting operations, threads, other programs. Inside the model and "
        "Best-of-N predict by the same rates."
    )


def machine_rows(found: Timing, peaks: Peaks | None) -> tuple[Row, ...]:
    """Fitted rates, their share of this machine's own ``peaks`` where these are known, and the prediction's errors."""
    step = found.lengths[-1].decode
    rows = [row(given("One decode step, measured", step.seconds, "s", f"after {step.context} tokens"), lead=True)]
    fit = found.speed.fit
    rows += _rate_rows("arithmetic", fit.flops_per_s, "FLOP/s", peaks.flops_per_s if peaks else None, "matrix product")
    rows += _rate_rows(
        "bandwidth", fit.bytes_per_s, "B/s", peaks.bytes_per_s if peaks else None, "copy, reads and writes counted"
    )
    passes = [one for length in found.lengths for one in (length.prefill, length.decode)]
    return (*rows, *(_pass_row(found.speed, one) for one in (*passes, *found.rows)))


def _rate_rows(what: str, rate: float, unit: str, peak: float | None, measured_by: str) -> list[Row]:
    """Nothing where the measurements show no bound of that kind."""
    if not np.isfinite(rate):
        return []
    speed = given(f"Fitted {what}", rate, unit, "least squares of the relative error over all passes")
    rows = [Row(speed.name, f"{rate / 1e9:,.1f} G{unit}", speed)]
    if peak is not None:
        share = figure(
            f"Share of the peak {what}",
            "1",
            "fitted / peak",
            f"peak: a plain float32 {measured_by}",
            fitted=(rate, unit),
            peak=(peak, unit),
        )
        rows.append(Row(share.name, f"{share.value:.0%}", share))
    return rows


def _pass_row(speed: Speed, one: Pass) -> Row:
    """A measured pass beside its prediction."""
    predicted = speed.seconds(one.tokens, one.context, one.rows)
    words = f"{one.tokens} token{'s' if one.tokens > 1 else ''}"
    words += f" after {one.context}" if one.context else ""
    words += f" in each of {one.rows} rows" if one.rows > 1 else ""
    value = f"{one.seconds * 1e3:,.1f} ms measured, {predicted * 1e3:,.1f} ms predicted"
    return Row(words, value, None, False, f"{predicted / one.seconds - 1:+.0%}")


def machine_data(found: Timing) -> LinesData:
    """Predicted time against prompt length, with the measured passes."""
    prefills = [length.prefill for length in found.lengths]
    lengths = np.unique(np.geomspace(1, max(one.tokens for one in prefills), 40).astype(int))
    seconds = np.array([found.speed.seconds(int(length)) for length in lengths])
    marks = tuple(Mark(f"{one.seconds * 1e3:.0f} ms", one.tokens, one.seconds * 1e3, strong=True) for one in prefills)
    curve = Series("predicted", lengths.astype(float), seconds * 1e3, NOW)
    return LinesData(Axis("prompt tokens"), Axis("milliseconds"), (curve,), marks)
