"""Section "Pipeline": from the logits to the final distribution, stage by stage, each formula with its values."""

from __future__ import annotations

import streamlit as st

from playground.charts.pipeline import pipeline_data, pipeline_description, pipeline_figure, stage_table
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext
from playground.sampling.registry import SAMPLERS
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.sampling_page.marks import badge, show_verdict
from playground.ui.sampling_page.view import SamplingView

WIDTHS = {"stage": 122, "values": 66, "kept": 68, "removed": 76, "H, nats": 68, "H, bits": 68, "exp H": 64}  # pixels

_IN_BOUNDS = (
    " A column shows what is certain: each token's least probability, that of the tokens not told, and dotted what lies open "
    "between the bounds."
)


def pipeline_section(view: SamplingView) -> None:
    """The picture, the numbers of each stage, and one stage's formula at a time."""
    trace, whole = view.next.trace, isinstance(view.next, NextToken)
    if not trace.stages:
        st.info(
            "Every sampler is off, so the final distribution is the raw one. Move a slider to see its stage appear."
        )
    data = pipeline_data(view.next, view.codec)
    show_figure(pipeline_figure(data), pipeline_description(data), key="pipeline")
    show_verdict(view.next)
    widths = {name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()}
    st.dataframe(stage_table(trace), hide_index=True, key="pipeline_table", column_config=widths if whole else None)
    if isinstance(view.next, NextToken) and view.next.trace.note:
        st.warning(escape_markdown(view.next.trace.note), icon=":material/info:")
    if trace.stages:
        _formula(view.next)
    in_bounds = "" if whole else _IN_BOUNDS
    why_it_matters(
        "Removing a token gives its probability to the others in proportion. Effective choices, exp(H), say how many "
        f"equally likely tokens would be as uncertain as this distribution (H is its entropy).{in_bounds}",
        "Sampler",
        "Entropy",
        "Nat",
        "Effective choices",
        "Logit",
        *(() if whole else ("Exact", "Bounded")),
    )


def _formula(next_token: NextToken | PartialNext) -> None:
    names = [stage.name for stage in next_token.trace.stages]
    if st.session_state.get("formula_stage") not in names:
        st.session_state["formula_stage"] = names[-1]
    chosen = st.pills(
        "The formula of", names, format_func=lambda name: SAMPLERS[name].label, key="formula_stage", required=True
    )
    place = names.index(chosen) if chosen in names else -1
    sampler = SAMPLERS[names[place]]
    if isinstance(next_token, PartialNext):
        stage = next_token.trace.stages[place]
        st.markdown(f"{sampler.explain} {badge(stage.verdict)} {stage.why}")
        st.latex(sampler.formula)
        st.caption(f"Source: {sampler.source}. The tests hold the bounds against the chain on whole rows.")
        return
    st.markdown(sampler.explain)
    st.latex(sampler.formula)
    filled = sampler.filled_formula(next_token.settings, next_token.trace.stages[place].diagnostics)
    if filled != sampler.formula:
        st.latex(filled)
    st.caption(f"Source: {sampler.source}. The tests compare with: {sampler.reference}.")
