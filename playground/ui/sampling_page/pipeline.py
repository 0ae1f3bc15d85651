"""Section "Pipeline": from the logits to the final distribution, stage by stage, each formula with its values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    import pandas

from playground.charts.numbers import choices, percent
from playground.charts.pipeline import PipelineData, pipeline_description, pipeline_figure
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.numerics import top_ids
from playground.sampling.chain import RowTrace
from playground.sampling.registry import SAMPLERS
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.view import SamplingView

BANDS = 8
COLUMNS = {"stage": 122, "values": 66, "kept": 68, "removed": 76, "H, nats": 68, "H, bits": 68, "exp H": 64}  # pixels


def pipeline_section(view: SamplingView) -> None:
    """The picture, the numbers of each stage, and one stage's formula at a time."""
    trace = view.next.trace
    if not trace.stages:
        st.info(
            "Every sampler is off, so the final distribution is the raw one. Move a slider to see its stage appear."
        )
    data = pipeline_data(view)
    st.plotly_chart(
        pipeline_figure(data), key="pipeline", config={"displayModeBar": False}, alt=pipeline_description(data)
    )
    st.dataframe(
        stage_table(trace),
        hide_index=True,
        key="pipeline_table",
        column_config={name: st.column_config.TextColumn(width=width) for name, width in COLUMNS.items()},
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


def pipeline_data(view: SamplingView) -> PipelineData:
    """The likeliest tokens by raw probability, followed through every stage."""
    trace = view.next.trace
    ids = top_ids(trace.raw_logits, BANDS)
    rows = [trace.raw_logits, *(stage.logits for stage in trace.stages)]
    columns = np.stack([_probabilities_of(row, ids) for row in rows], axis=1)  # (tokens, columns)
    return PipelineData(
        columns=("Raw", *(stage.label for stage in trace.stages)),
        tokens=tuple(glyphs(view.codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in ids),
        probabilities=columns,
        others=np.clip(1.0 - columns.sum(axis=0), 0.0, 1.0),
        kept=(int(np.isfinite(trace.raw_logits).sum()), *(stage.kept for stage in trace.stages)),
    )


def _probabilities_of(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Softmax of ``logits`` (vocab,) at ``ids`` only."""
    top = logits.max()
    return np.asarray(np.exp(logits[ids] - top) / np.exp(logits - top).sum(dtype=np.float64), dtype=np.float32)


def stage_table(trace: RowTrace) -> pandas.DataFrame:
    """One row a stage, the raw distribution first."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    rows = [("Raw", "", int(trace.raw_probs.size), "–", trace.raw_entropy)]
    rows += [
        (stage.label, _params(stage.params), stage.kept, percent(stage.removed_mass), stage.entropy)
        for stage in trace.stages
    ]
    return pd.DataFrame(
        [
            (name, params, f"{kept:,}", mass, f"{nats:.3f}", f"{nats / math.log(2):.3f}", choices(nats))
            for name, params, kept, mass, nats in rows
        ],
        columns=list(COLUMNS),
    )


def _params(params: object) -> str:
    """A stage's values; a lone one is named by its stage already."""
    items = dict(params).items() if hasattr(params, "keys") else ()  # type: ignore[call-overload]
    told = [(name, f"{value:g}" if isinstance(value, float) else str(value)) for name, value in items]
    return told[0][1] if len(told) == 1 else ", ".join(f"{name} = {value}" for name, value in told)


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
