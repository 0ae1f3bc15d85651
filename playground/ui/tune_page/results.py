"""Section "Results": what a run's texts are measured to be, with intervals, and the texts behind every figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.tune_results import results_table
from playground.engine.serving.worker import Worker
from playground.errors import BadInput
from playground.tuning.decision import Findings
from playground.tuning.measures import MEASURES, Measure, find_measure
from playground.tuning.plan import CONTROL, Plan
from playground.tuning.runs import KeptTuning
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.job_view import watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.result_closer import look_closer
from playground.ui.tune_page.result_state import ALL, ResultsState, set_shown
from playground.ui.tune_page.result_values import Values, findings_of, values_of
from playground.ui.tune_page.run_panel import look_on
from playground.ui.tune_page.steps import PLAN, go_to, not_yet
from playground.ui.tune_page.tuning_view import TuningView, is_written_elsewhere, tuning_view

_BESIDE = ("distinct-2", "repetition", "tokens", "latency")


def results_section(worker: Worker) -> None:
    """The tuning in view, measured, as far as prompts have been answered under all settings."""
    own = tuning_view()
    if own.problem:
        show_problem(own.problem)
    if own.kept is None:
        not_yet(
            "Every setting, every measure, with an interval that says how sure it is, and the texts behind each "
            "figure. It needs a plan that was run.",
            PLAN,
        )
        return
    _progress(own, own.kept)
    part = own.kept.complete()
    if part is None:
        st.info("No prompt has been answered under all settings yet: the first figures come with the first that has.")
        return
    measures = _measure_picker(own.kept.plan)
    evaluation = values_of(worker, own.kept, *part, measures)
    chosen = _slice_picker(evaluation.plan)
    findings = findings_of(evaluation, chosen)
    _table(evaluation, findings)
    _said_of(evaluation, findings, chosen)
    look_closer(evaluation, findings, chosen)
    why_it_matters(
        "An interval says where the mean over prompts like these would lie; settings are compared prompt by prompt, which sees "
        "smaller differences than two intervals side by side. Where the control differs from its own twin, nothing is claimed."
    )


def _progress(own: TuningView, kept: KeptTuning) -> None:
    """How much of it is there, while it is being written; figures come with every prompt that is complete."""
    each = len(kept.plan.arms) * kept.plan.samples

    def draw() -> None:
        done, wanted = len(kept.texts), kept.plan.texts
        if own.busy and not own.trying:
            st.progress(min(1.0, done / wanted), text=f"{done:,} of {wanted:,} texts are written")
        elif done < wanted:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"{done:,} of {wanted:,} texts are written; figures are of the prompts that are complete.")
                st.button("To the plan", key="tune_results_plan", on_click=go_to, args=(PLAN,))

    watch(own, draw, key="tune_results_run", changes=lambda: len(kept.texts) // each, every=1.0)
    if is_written_elsewhere(own):
        look_on()


# -- what is looked at ---------------------------------------------------------------------------------------------------


def _measure_picker(plan: Plan) -> list[Measure]:
    """The plan's measures, the first of which decides, and others: they need no new texts."""
    names = session.get(ResultsState).measures
    if names is None:
        names = tuple(dict.fromkeys([*(measure.name for measure in plan.measures), *_BESIDE]))

    def write(given: list[str]) -> None:
        if not given:
            raise BadInput("Choose at least one measure.", "measures")
        for name in given:
            find_measure(name)
        session.change(ResultsState, measures=tuple(given))

    shown = list(names)
    st.multiselect(
        "Measured by",
        list(dict.fromkeys([*shown, *MEASURES])),
        default=shown,
        accept_new_options=True,
        key="tune_results_measures",
        help="Measuring otherwise needs no new texts. A check may be typed, as `length:10-80w`, and prices as `cost:0.15/0.6`.",
        on_change=bind_widget("tune_results_measures", shown, write),
    )
    return [find_measure(name) for name in names]


def _slice_picker(plan: Plan) -> list[int]:
    """The numbers of the prompts that are looked at."""
    tags = list(dict.fromkeys(tag for example in plan.examples for tag in example.tags))
    if not tags:
        return list(range(len(plan.examples)))
    tag = session.get(ResultsState).tag
    tag = tag if tag in tags else ALL
    st.segmented_control(
        "Of",
        [ALL, *tags[:12]],
        default=tag,
        key="tune_results_tag",
        required=True,
        label_visibility="collapsed",
        format_func=escape_markdown,
        on_change=bind_widget("tune_results_tag", tag, set_shown("tag")),
    )
    return [number for number, example in enumerate(plan.examples) if tag == ALL or tag in example.tags]


# -- the table -----------------------------------------------------------------------------------------------------------


def _table(evaluation: Values, findings: Findings) -> None:
    arms, names = evaluation.plan.arms, [measure.name for measure in evaluation.measures]

    def choose() -> None:
        cells = st.session_state["tune_results_table"].selection.cells
        if cells:
            row, column = cells[0]
            picked = {"arm": arms[row]} if row < len(arms) else {}
            if column in names:
                picked |= {"measure": column, "view": "texts"}
            session.change(ResultsState, **picked)
            redraw(PICTURES)

    show_table(
        results_table(findings, evaluation.measures, arms),
        key="tune_results_table",
        on_select=choose,
        selection_mode="single-cell",
    )


def _said_of(evaluation: Values, findings: Findings, chosen: Sequence[int]) -> None:
    """What the figures rest on, and what they cannot say."""
    prompts = f"{len(chosen)} prompt{'s' * (len(chosen) > 1)}"
    st.caption(
        f"Means over {prompts} × {evaluation.plan.samples} samples with 95% intervals over prompts. A cell opens its texts. "
        f"{escape_markdown(CONTROL)}: a second run of the present setting with other random numbers."
    )
    if len(chosen) == 1:
        st.info("One prompt says nothing of others: there is no interval, and no difference can be shown.")
    settings = list(evaluation.plan.settings.values())
    if len(settings) > 1 and all(own == settings[0] for own in settings[1:]):
        st.info("All settings are the same: what differs below is chance, or nothing at all.")
    for measure in evaluation.measures:
        values = evaluation.values[measure.name][list(chosen)]
        name = f"**{escape_markdown(measure.name)}**"
        if np.isnan(values).all():
            st.caption(f":material/info: {name} has no value here: {_why_none(measure.name)}")
        elif (values == 1).all() and measure.unit == "share" and measure.better:
            st.caption(
                f":material/info: {name} is 1 for every text: it cannot tell these settings apart; ask for more."
            )
        elif (values == 0).all() and measure.unit == "share" and measure.better:
            st.caption(f":material/info: {name} is 0 for every text: it cannot tell these settings apart.")


def _why_none(name: str) -> str:
    if name == "checks":
        return "no prompt has a check. Add some under Examples."
    if name in ("exact", "rouge-l", "chrf", "similarity"):
        return "no prompt has a reference. Add some under Examples."
    if name.startswith(("consistency", "sameness")):
        return "it compares samples of one prompt; ask for two or more under Plan."
    return "this engine does not tell what it is computed from, or the texts are too short."
