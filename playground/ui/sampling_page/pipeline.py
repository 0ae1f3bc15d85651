"""Section "Pipeline": from the logits to the final distribution, stage by stage, each formula with its values."""

from __future__ import annotations

import streamlit as st

from playground.charts.pipeline import STAGE_COLUMNS, pipeline_data, pipeline_description, pipeline_figure, stage_table
from playground.sampling.registry import SAMPLERS
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.view import SamplingView

WIDTHS = dict(zip(STAGE_COLUMNS, (122, 66, 68, 76, 68, 68, 64), strict=True))  # pixels


def pipeline_section(view: SamplingView) -> None:
    """The picture, the numbers of each stage, and one stage's formula at a time."""
    trace = view.next.trace
    if not trace.stages:
        st.info(
            "Every sampler is off, so the final distribution is the raw one. Move a slider to see its stage appear."
        )
    data = pipeline_data(view.next, view.codec)
    st.plotly_chart(
        pipeline_figure(data), key="pipeline", config={"displayModeBar": False}, alt=pipeline_description(data)
    )
    st.dataframe(
        stage_table(trace),
        hide_index=True,
        key="pipeline_table",
        column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
    )
    if trace.note:
        st.warning(escape_markdown(trace.note), icon=":material/info:")
    if trace.stages:
        _formula(view)
    why_it_matters(
        "Removing a token gives its probability to the others in proportion. Effective choices, exp(H), say how many "
        "equally likely tokens would be as uncertain as this distribution (H is its entropy).",
        "Sampler",
        "Entropy",
        "Nat",
        "Effective choices",
        "Logit",
    )


def _formula(view: SamplingView) -> None:
    stages = view.next.trace.stages
    names = [stage.name for stage in stages]
    if st.session_state.get("formula_stage") not in names:
        st.session_state["formula_stage"] = names[-1]
    chosen = st.pills(
        "The formula of", names, format_func=lambda name: SAMPLERS[name].label, key="formula_stage", required=True
    )
    stage = next((stage for stage in stages if stage.name == chosen), stages[-1])
    sampler = SAMPLERS[stage.name]
    st.markdown(sampler.explain)
    st.latex(sampler.formula)
    filled = sampler.filled_formula(view.next.settings, stage.diagnostics)
    if filled != sampler.formula:
        st.latex(filled)
    st.caption(f"Source: {sampler.source}. The tests compare with: {sampler.reference}.")
