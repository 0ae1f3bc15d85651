"""Section "This machine": the loaded model timed on request, and how far the roofline's two terms explain it."""

from __future__ import annotations

import time

import streamlit as st

from playground.charts.scale_lines import lines_chart, lines_description
from playground.inspection.timing import Timing
from playground.plan.machine_answers import machine_data, machine_rows
from playground.plan.measure import Peaks, measure
from playground.plan.scenarios import Scenarios
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.jobs import result_of
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.runtime import note_end, session_id
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.workspace.model import loaded_model, request_chosen
from playground.ui.workspace.speed import cached_timing, timings

_FOUND, _WANTED = "scale_measured", "scale_measuring"


def machine_section(_: Scenarios) -> None:
    """A button; then the model is loaded if it is not, timed, and the prediction set beside the measurement."""
    st.markdown(
        "Times the model of the sidebar on this machine: prompts of several lengths, and one step of writing. Takes a few "
        "seconds; a model that is not loaded yet is loaded first."
    )
    st.button("Measure", key="scale_measure", icon=":material/timer:", on_click=_begin, type="primary")
    with problems_shown_here():
        if _WANTED in st.session_state:
            _measure(st.session_state[_WANTED])
    if _FOUND in st.session_state:
        info, peaks = st.session_state[_FOUND]
        timing = cached_timing(info)  # another page may have measured the model since
        if timing is not None:
            _show(timing, peaks)


def _begin() -> None:
    st.session_state[_WANTED] = time.monotonic()


def _measure(asked_at: float) -> None:
    """Once for each press of the button. Pending while the model is loaded and timed."""
    worker = loaded_model()
    note_end(request_chosen())  # the sidebar may still say that the model is loading
    measurement = result_of(
        "measure",
        asked_at,
        lambda: worker.submit(session_id(), "measure", measure),
        "Passes are timed, from short to long",
        share=lambda step: step.share,
    )
    timings()[worker.engine.info.revision] = (measurement.timing, time.time())
    st.session_state[_FOUND] = (worker.engine.info, measurement.peaks)
    del st.session_state[_WANTED]


def _show(timing: Timing, peaks: Peaks | None) -> None:
    figure_table({"Now": machine_rows(timing, peaks)}, key="scale_machine", label="This machine, measured")
    data = machine_data(timing)
    light_chart(lines_chart(data), key="scale_machine_chart", alt=lines_description(data, "Time of a forward pass"))
    info = timing.info
    why_it_matters(
        escape_markdown(f"{info.name}, {info.parameters:,} parameters in {info.dtype} on {info.device}. ")
        + "The curve is the time of arithmetic and of memory traffic at two fitted rates; the marks are measured. Where "
        "the two part, something else costs time: starting operations, threads, other programs. Inside the model and "
        "Best-of-N predict by the same rates."
    )
