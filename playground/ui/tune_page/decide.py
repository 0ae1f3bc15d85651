"""Section "Decision": one paragraph that can be defended, a preset to take away, and the whole as a report."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.tuning.jury import Standing, against_present, control_sentence, progress_sentence, standing_of
from playground.tuning.panel import Panel
from playground.tuning.report import Report
from playground.ui.kit.file_button import file_button
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.tune_page.measured import Measured, measured
from playground.ui.tune_page.preset_panel import preset_panel
from playground.ui.tune_page.session import opened_tuning
from playground.ui.tune_page.steps import PLAN, RESULTS, go_to, not_yet
from playground.ui.tune_page.tuning_view import tuning_view
from playground.ui.visitor import owner_id


def decide_section(worker: Worker) -> None:
    """What may be said of the tuning in view."""
    own = tuning_view()  # closes a link that leads nowhere
    if own.kept is None and own.problem:
        show_problem(own.problem)
    standing = _standing()
    measurement = measured(worker, judged=standing is not None)
    if measurement is None and own.kept is not None:
        not_yet(
            "No prompt has been answered under all settings yet: the paragraph comes with the first that has.", PLAN
        )
        return
    if measurement is None:
        not_yet(
            "One paragraph on which setting to use, by how much it is better and how sure that is, or honestly that nothing "
            "was found; and the setting as a preset for every engine. It needs a plan that was run.",
            PLAN,
        )
        return
    _paragraph(measurement)
    _judges(measurement, standing)
    st.button("See the numbers", key="decide_results", icon=":material/table:", on_click=go_to, args=(RESULTS,))
    preset_panel(worker, measurement)
    _report(measurement, standing)
    why_it_matters(
        "A setting is recommended where the gain on the first measure is larger than chance gives in one of twenty plans, "
        "after correction for how many were compared. It holds for prompts like these, this model and this measure; "
        "what no measure looks at may have become worse."
    )


def _standing() -> Standing | None:
    """What judges said of the tuning in view; None where none has judged anything."""
    if not opened_tuning():
        return None
    panel = Panel(opened_tuning(), owner_id())
    judgements = panel.judgements()
    return standing_of(panel.material(), judgements) if judgements else None


def _paragraph(measurement: Measured) -> None:
    own = measurement.findings.recommendation
    with st.container(border=True, key="decision"):
        icon = ":material/pause_circle:" if own.keep else ":material/check_circle:"
        first, _, rest = own.text.partition(": ")
        st.markdown(f"#### {icon} {escape_markdown(first)}")
        if rest:
            st.markdown(escape_markdown(rest[0].upper() + rest[1:]))
        wanted, there = len(measurement.kept.plan.examples), len(measurement.plan.examples)
        if there < wanted:
            st.caption(f"So far: {there} of {wanted} examples are answered by every setting.")
    failures = measurement.findings.failures(measurement.plan.require, measurement.plan.measures)
    for failure in failures:
        st.warning(escape_markdown(failure), icon=":material/rule:")


def _judges(measurement: Measured, standing: Standing | None) -> None:
    if standing is None:
        return
    st.markdown("**What people prefer**")
    for sentence in judge_sentences(standing, measurement.plan.present):
        st.markdown(escape_markdown(sentence))
    leader, own = standing.outlook.leader, measurement.findings.recommendation
    if not standing.outlook.open and not standing.control_differs and leader not in (None, own.setting):
        st.warning(
            escape_markdown(
                f"Judges prefer {leader}, and by {own.measure} it is {own.setting}: say which of the two counts here."
            ),
            icon=":material/balance:",
        )


def judge_sentences(standing: Standing, present: str) -> list[str]:
    """Where the votes stand, how often each setting is preferred to the present one, and what they make of the control."""
    said = progress_sentence(standing.outlook, standing.votes, named=True)
    control = control_sentence(standing)
    return [f"By blind comparisons: {said}", *against_present(standing, present), *([control] if control else [])]


def _report(measurement: Measured, standing: Standing | None) -> None:
    summary = measurement.kept.summary
    judges: Sequence[str] = judge_sentences(standing, measurement.plan.present) if standing is not None else ()
    report = Report(
        summary.name,
        time.time(),
        measurement.kept.origin,
        measurement.plan,
        measurement.texts,
        measurement.findings,
        judges=judges,
    )
    name = re.sub(r"[^\w-]+", "-", summary.name).strip("-").lower() or "tuning"
    st.markdown("**Report**: the decision, its numbers, every text, and the command that repeats it")
    with st.container(horizontal=True):
        file_button("HTML", f"{name}.html", report.html, "One file that opens offline.")
        file_button("Markdown", f"{name}.md", report.markdown)
