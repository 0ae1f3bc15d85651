"""Section "Beams": beam search and diverse beam search beside the samples, as candidates of the same table."""

from __future__ import annotations

import streamlit as st

from playground.charts.candidates_table import candidate_table, groups_table
from playground.engine.serving.worker import Worker
from playground.ui.best_of_n_page.controls import WIDGETS
from playground.ui.best_of_n_page.session import ModelSession, request_action, scores_now
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_table


def beams_section(own: ModelSession, worker: Worker) -> None:
    """Its settings, and the beams beside the samples once they are there."""
    _settings()
    st.button(
        "Search beams" if own.run.candidates else "Generate and search beams",
        key="bon_beams",
        type="primary",
        icon=":material/account_tree:",
        on_click=request_action("beams"),
        disabled=own.busy,
        help="Adds the beams to the candidates. Candidates that are there for the same prompt and settings stay.",
    )
    watch(own, lambda: work_progress(own), key="bon_beams_live")
    if not own.busy:
        _beside(own)
    why_it_matters(
        "A beam search looks for the likeliest text and finds it: bland, short or repeating itself, because likely is what "
        "such text is. Samples are less likely and more like what people write (Holtzman et al. 2020). Diverse beams pay a "
        "penalty for a token that an earlier group has just taken (Vijayakumar et al. 2016). No sampler runs here."
    )


def _settings() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in ("beams", "beam_groups", "diversity_penalty", "length_penalty"):
            WIDGETS.number(name, width=150)


def _beside(own: ModelSession) -> None:
    beams = [one for one in own.run.ordered if one.beam_score is not None]
    samples = own.run.samples
    if not beams:
        st.info(
            "No beams have been searched for these candidates yet: **Search beams** puts the likeliest texts beside the samples."
        )
        return
    groups = [("beams", beams)] + ([("samples", samples)] if samples else [])
    show_table(groups_table(groups), key="bon_beside")
    best = max(samples, key=lambda one: one.sum_logprob, default=None)
    if best is not None:
        ahead = max(one.sum_logprob for one in beams) - best.sum_logprob
        who, other = ("beam", "sample") if ahead >= 0 else ("sample", "beam")
        st.markdown(f"The likeliest {who} is {abs(ahead):.3f} nats likelier as a whole than the likeliest {other}.")
    show_table(candidate_table(scores_now(own.run), beams_only=True), key="bon_beam_table")
