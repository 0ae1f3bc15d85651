"""Results, more closely: one measure in several views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from playground.charts.tune_differences import DifferencesData, differences_description, differences_figure
from playground.charts.tune_front import front_description, front_figure, front_of
from playground.charts.tune_grid import GridData, grid_description, grid_figure
from playground.charts.tune_results import arm_text, slices_table
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.decision import Findings
from playground.tuning.measures import Measure
from playground.tuning.plan import Plan
from playground.tuning.setting_text import grid_axes
from playground.tuning.statistics import mean_intervals
from playground.ui.kit import session
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.result_state import ResultsState, set_shown
from playground.ui.tune_page.result_texts import show_texts
from playground.ui.tune_page.result_values import Values

_VIEWS = {
    "differences": "Differences",
    "front": "Two measures",
    "grid": "Grid",
    "slices": "By tag",
    "texts": "Texts",
}


def look_closer(evaluation: Values, findings: Findings, chosen: Sequence[int]) -> None:
    """One measure: differences, against another, on a grid, by tag, or the texts themselves."""
    shown = session.get(ResultsState)
    names = {measure.name: measure for measure in evaluation.measures}
    measure = names.get(shown.measure, evaluation.measures[0])
    tags = any(evaluation.plan.examples[number].tags for number in range(len(evaluation.plan.examples)))
    axes = _axes(evaluation.plan)
    views = [view for view in _VIEWS if (view != "slices" or tags) and (view != "grid" or axes is not None)]
    view = shown.view if shown.view in views else views[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "More closely",
            views,
            default=view,
            key="tune_results_view",
            format_func=_VIEWS.__getitem__,
            required=True,
            on_change=bind_widget("tune_results_view", view, set_shown("view")),
        )
        st.selectbox(
            "Measure",
            list(names),
            list(names).index(measure.name),
            key="tune_results_measure",
            width=200,
            on_change=bind_widget("tune_results_measure", measure.name, set_shown("measure")),
        )
        if view == "front":
            other = names.get(shown.other) or evaluation.measures[-1]
            st.selectbox(
                "Against",
                list(names),
                list(names).index(other.name),
                key="tune_results_other",
                width=200,
                on_change=bind_widget("tune_results_other", other.name, set_shown("other")),
            )
        if view == "texts":
            arm = _arm(evaluation.plan, shown.arm)
            st.selectbox(
                "Setting",
                evaluation.plan.arms,
                evaluation.plan.arms.index(arm),
                key="tune_results_arm",
                format_func=lambda name: arm_text(name, evaluation.plan.present),
                width=240,
                on_change=bind_widget("tune_results_arm", arm, set_shown("arm")),
            )
    if view == "differences":
        _differences(evaluation.plan, measure, findings)
    elif view == "front":
        _front(evaluation, names.get(shown.other) or evaluation.measures[-1], measure, findings)
    elif view == "grid" and axes is not None:
        _grid(evaluation.plan, measure, findings, axes)
    elif view == "slices":
        _slices(evaluation, measure)
    else:
        show_texts(evaluation, measure, _arm(evaluation.plan, shown.arm), chosen)


def _arm(plan: Plan, wanted: str) -> str:
    return wanted if wanted in plan.arms else plan.arms[1]


def _differences(plan: Plan, measure: Measure, findings: Findings) -> None:
    pairs = [each for each in findings.comparisons if each.measure == measure.name]
    if all(each.difference.difference is None for each in pairs):
        st.info("Nothing to compare: this measure has no value.")
        return
    data = DifferencesData(
        measure.name,
        measure.unit,
        measure.better,
        plan.present,
        tuple(each.a for each in pairs),
        tuple(each.difference for each in pairs),
    )
    show_figure(differences_figure(data), differences_description(data), key="tune_differences")
    st.caption(
        f"Paired by prompt, 95% bootstrap intervals (not corrected). Filled: it holds at 5% after Holm's correction for "
        f"{len(pairs)} comparisons, the control's (square) among them, by flipping signs."
    )
    if pairs[-1].difference.significant:
        st.warning(
            "The control differs from the present setting, which it is a second run of: these differences are chance. Take "
            "more prompts or samples.",
            icon=":material/casino:",
        )


def _front(evaluation: Values, x: Measure, y: Measure, findings: Findings) -> None:
    if x.name == y.name:
        st.info("Choose two different measures.")
        return
    data = front_of(x, y, findings, evaluation.plan.arms)
    if not data.arms:
        st.info("No setting has a value in both measures.")
        return
    show_figure(front_figure(data), front_description(data), key="tune_front")
    st.caption(
        "Violet and joined: no other setting is as good in both measures and better in one. Points whose intervals overlap may "
        "well change places."
    )


def _axes(plan: Plan) -> tuple[str, str] | None:
    """The grid's parameters, where the settings, or those beside the present one, differ in two."""
    beside = dict(list(plan.settings.items())[1:])
    for settings in (plan.settings, beside):
        axes = grid_axes(settings) if len(settings) >= 4 else None
        if axes is not None:
            return axes
    return None


def _grid(plan: Plan, measure: Measure, findings: Findings, axes: tuple[str, str]) -> None:
    x_name, y_name = axes
    beside = dict(list(plan.settings.items())[1:])
    own: Mapping[str, SamplerSettings] = plan.settings if grid_axes(plan.settings) == axes else beside
    xs, ys = (tuple(sorted({float(getattr(each, name)) for each in own.values()})) for name in axes)
    means = np.full((len(ys), len(xs)), np.nan)
    for arm, each in own.items():
        mean = findings.intervals[arm][measure.name].mean
        if mean is not None:
            means[ys.index(float(getattr(each, y_name))), xs.index(float(getattr(each, x_name)))] = mean
    if np.isnan(means).all():
        st.info("Nothing to draw: this measure has no value.")
        return
    present = plan.settings[plan.present]
    here = (
        (float(getattr(present, x_name)), float(getattr(present, y_name))) if own is plan.settings else (np.nan, np.nan)
    )
    data = GridData(measure.name, PARAMETERS[x_name].label, PARAMETERS[y_name].label, xs, ys, means, here)
    show_figure(grid_figure(data), grid_description(data), key="tune_grid_map")
    st.caption("Means; the frame is the present setting. Neighbouring cells differ by chance too: see Differences.")


def _slices(evaluation: Values, measure: Measure) -> None:
    slices = {}
    for tag in dict.fromkeys(tag for example in evaluation.plan.examples for tag in example.tags):
        rows = [number for number, example in enumerate(evaluation.plan.examples) if tag in example.tags]
        slices[tag] = (
            len(rows),
            mean_intervals(
                evaluation.values[measure.name][rows], seed=evaluation.plan.seed, shares=measure.unit == "share"
            ),
        )
    show_table(slices_table(measure, evaluation.plan.arms, slices), key="tune_slices")
    st.caption(
        "Looked at after the fact, the best slice of many is the luckiest too: what is seen here is to be tried again."
    )
