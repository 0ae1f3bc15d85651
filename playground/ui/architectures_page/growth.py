"""Section "What grows": bytes, time to read and time of a token against the context, by formula and as measured here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.architectures.families import FAMILIES
from playground.architectures.growth import exponents_said
from playground.architectures.race import RaceRow
from playground.architectures.ready import RACE_COMMAND, ready_race
from playground.architectures.results import QUANTITIES, crossings, exponents_of, predicted_prefill, value_of
from playground.charts.arch_lines import ArchCurve, ArchLines, lines_description, lines_figure
from playground.charts.numbers import gigabytes, milliseconds
from playground.charts.table import TableColumn, TableData
from playground.downloads import csv_text
from playground.engine.serving.worker import Worker
from playground.state.architectures import ArchitecturesState
from playground.ui.architectures_page.growth_job import Race, start_race, take_config
from playground.ui.architectures_page.parts import doing_said, run_buttons
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.job_view import watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.places import controls_and_pictures
from playground.ui.kit.widgets import Bound
from playground.ui.workspace.shared import file_uploader

_UNITS = {"state": "B", "prefill": "s", "decode": "s"}


def growth_section(worker: Worker) -> None:
    """What runs on the left, the curves on the right."""
    own = session.get(Race)
    own.drain()  # before the buttons are drawn: work that has ended has none to stop it
    left, right = controls_and_pictures()
    with left:
        _controls(worker, own)
    with right:
        Bound(ArchitecturesState).segmented("shows", label_visibility="collapsed")
        watch(own, lambda: _pictures(own), key="arch_race", changes=lambda: len(own.rows))


def _controls(worker: Worker, own: Race) -> None:
    bound = Bound(ArchitecturesState)
    chosen = session.get(ArchitecturesState)
    st.multiselect(
        "Families, of equal size and with random weights",
        list(FAMILIES),
        list(chosen.families),
        format_func=lambda name: FAMILIES[name].label,
        key="arch_families",
        on_change=session.bind_widget("arch_families", list(chosen.families), _choose),
    )
    bound.steps("longest")
    bound.toggle("loaded")
    brought = file_uploader(
        "A config.json, built here with random weights", type=["json"], key="arch_config", max_upload_size=1
    )
    if brought is not None:
        with problems_shown_here():
            take_config(brought.getvalue())
    elif own.own is not None:
        own.own = None
    run_buttons(own, lambda: start_race(worker), label="Measure", icon=":material/timer:", key="arch_measure")
    with st.expander("What is slow here, and why", key="arch_slow"):
        for name in chosen.families:
            family = FAMILIES[name]
            st.markdown(
                f"**{family.label}** ({family.source}) keeps {family.state}. It reads {_as_read(family.prefill)}."
            )


def _as_read(words: str) -> str:
    return words if not words.startswith("without") else f"position after position, {words}"


def _choose(names: list[str]) -> Sequence[str]:
    session.change(ArchitecturesState, families=tuple(names))
    return (PICTURES,)


def _pictures(own: Race) -> None:
    if own.problem:
        show_problem(own.problem)
    if own.busy:
        st.progress(min(own.share, 1.0), text=escape_markdown(doing_said(own, own.doing)))
    elif own.stopped:
        st.caption(":material/stop_circle: Stopped: what was measured before stays.")
    shows = session.get(ArchitecturesState).shows
    rows = own.rows or _ready_rows()
    data = _lines(rows, shows)
    said = lines_description(data)
    show_figure(lines_figure(data), said, key="arch_growth")
    st.caption(_legend(rows, shows, ready=not own.rows))
    if rows:
        _said(rows)
        with st.expander("All figures", key="arch_figures"):
            show_table(_table(rows), key="arch_rows")
            file_button("CSV", "architectures.csv", lambda: _csv(rows), quiet=True)
    why_it_matters(
        "Attention looks back at everything, so it must keep everything: its cache grows with the text, and reading has a "
        "part that grows with its square. The others keep a state of fixed size: whatever they did not put into it is gone. "
        "At short texts the fixed state is the larger one. Random weights cost what trained ones do.",
        "Key-value cache",
    )


def _ready_rows() -> tuple[RaceRow, ...]:
    """Of the chosen families, until the reader measures."""
    return ready_race().of([FAMILIES[name].label for name in session.get(ArchitecturesState).families])


def _lines(rows: Sequence[RaceRow], shows: str) -> ArchLines:
    """Measured curves with their formulas."""
    curves = []
    for name in dict.fromkeys(row.config for row in rows):
        own = [row for row in rows if row.config == name]
        predicted: tuple[float | None, ...] = ()
        if shows == "state":
            predicted = tuple(float(row.predicted_bytes) or None for row in own)
        elif shows == "prefill":
            predicted = tuple(predicted_prefill(own))
        values = tuple(value_of(row, shows) for row in own)
        curves.append(ArchCurve(name, tuple(float(row.context) for row in own), values, predicted=predicted))
    return ArchLines(tuple(curves), "context, tokens", QUANTITIES[shows], unit=_UNITS[shows])


def _legend(rows: Sequence[RaceRow], shows: str, *, ready: bool) -> str:
    if not rows:
        return "No family is chosen: choose some, or bring a config, and press Measure."
    formula = {
        "state": "Dots: the tensors' bytes. Dotted: by formula.",
        "prefill": "Dots: measured here. Dotted: the formula's FLOPs over one rate a model, the median of its points.",
        "decode": "Measured here: the fastest of four tokens after each text.",
    }
    if ready:
        race = ready_race()
        source = (
            f"Ready results, measured on {race.date} ({race.machine}) by `{RACE_COMMAND}`: press Measure for your own."
        )
        return f"{source} {formula[shows].replace('measured here', 'measured').replace('Measured here', 'Measured')}"
    return f"{formula[shows]} Other work on this machine makes times longer, never shorter."


def _said(rows: Sequence[RaceRow]) -> None:
    names = list(dict.fromkeys(row.config for row in rows))
    lines = []
    for name in names:
        exponents = exponents_said(exponents_of([row for row in rows if row.config == name]))
        if exponents:
            lines.append(f"- **{escape_markdown(name)}** grows with the power of the context: {exponents}")
    checked = [row for row in rows if row.state_bytes is not None and row.predicted_bytes]
    equal = sum(value_of(row, "state") == row.predicted_bytes for row in checked)
    if checked:
        lines.append(f"- The tensors' bytes equal the formula's at {equal} of {len(checked)} points.")
    for each in crossings(rows, FAMILIES["transformer"].label):
        lines.append(
            f"- From about **{each.context:,.0f} tokens** on {escape_markdown(each.above)} needs more than "
            f"{escape_markdown(each.below)}: {QUANTITIES[each.quantity].lower()}."
        )
    for row in rows:
        if row.note and row.prefill_s is None:
            lines.append(f"- {escape_markdown(row.config)} at {row.context:,} tokens is left out: {row.note}.")
    st.markdown("\n".join(lines))


def _table(rows: Sequence[RaceRow]) -> TableData:
    columns = (
        TableColumn("model", "Model", 150, pinned=True),
        TableColumn("context", "Context", 80, decimals=0),
        TableColumn("bytes", "Bytes kept", 110),
        TableColumn("formula", "By formula", 110),
        TableColumn("read", "Read in", 80),
        TableColumn("token", "A token in", 90),
    )
    return TableData(
        columns,
        tuple(
            {
                "model": row.config,
                "context": row.context,
                "bytes": "" if row.state_bytes is None else gigabytes(value_of(row, "state") or 0),
                "formula": gigabytes(row.predicted_bytes),
                "read": "" if row.prefill_s is None else milliseconds(1e3 * row.prefill_s),
                "token": "" if row.decode_s_per_token is None else milliseconds(1e3 * row.decode_s_per_token),
            }
            for row in rows
        ),
    )


def _csv(rows: Sequence[RaceRow]) -> str:
    names = (
        "config",
        "context",
        "predicted_bytes",
        "state_bytes",
        "cache_bytes",
        "prefill_s",
        "decode_s_per_token",
        "note",
    )
    return csv_text(names, [[getattr(row, name) for name in names] for row in rows])
