"""Section "Candidates": all answers in one table, as they come; one of them opened; how varied they are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.charts.candidate_strip import STRIP_SCALES, candidate_tokens
from playground.charts.candidates_table import candidate_table
from playground.charts.numbers import percent
from playground.charts.token_colours import SCALES, legend_html
from playground.engine.serving.worker import Worker
from playground.generation.tree import REASONS
from playground.testtime.clusters import cluster_texts, pooled_distinct_n
from playground.testtime.types import Candidate
from playground.ui.best_of_n_page.pictures import show_unusable
from playground.ui.best_of_n_page.session import ModelSession, request_action, scores_now, scoring_request
from playground.ui.best_of_n_page.stored_section import recorded_section
from playground.ui.best_of_n_page.watching import progress
from playground.ui.components.token_strip import token_strip
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.workspace.setup import setup


def candidates_section(own: ModelSession, worker: Worker) -> None:
    """The table is filled while the model works; a row that is chosen opens below it."""
    watch(own, lambda: _being_written(own), key="bon_live")
    if not own.busy and own.run.candidates:
        _outdated(own)
        _heavy_rules(own)
        _opened(own, worker)
        _diversity(own)
    recorded_section(own, worker)
    why_it_matters(
        "One prefill serves all candidates; each has its own random stream. Log-probability says how expected an answer was "
        "under the model, not whether it is true."
    )


def _being_written(own: ModelSession) -> None:
    progress(own)
    if own.run.candidates:
        _table(own)
    elif not own.busy and not own.problem:
        st.info("Press **Generate** to answer the prompt N times.")


# -- the table -----------------------------------------------------------------------------------------------------


def _table(own: ModelSession) -> None:
    scored = scores_now(own.run)

    def choose() -> None:
        rows = st.session_state["bon_table"].selection.rows
        own.opened = scored.candidates[rows[0]].index if rows and rows[0] < len(scored.candidates) else own.opened
        redraw(PICTURES)

    extra: dict[str, Any] = {} if own.busy else {"on_select": choose, "selection_mode": "single-row"}
    show_table(candidate_table(scored), key="bon_live_table" if own.busy else "bon_table", **extra)
    show_unusable(scored)


def _outdated(own: ModelSession) -> None:
    """Say when the controls have moved away from the present candidates."""
    shown, request = setup(), own.run.request
    if request is None:
        return
    now = (shown.prompt, shown.chat, shown.system, shown.settings, shown.seed)
    if now != (request.prompt, request.chat, request.system, request.settings, request.seed):
        st.caption(":material/history: These candidates were made with another prompt, other settings or another seed.")
    if len(own.run.candidates) < own.run.wanted:
        st.button(
            f"Go on: {own.run.wanted - len(own.run.candidates)} are missing",
            key="bon_resume",
            icon=":material/play_arrow:",
            on_click=request_action("resume"),
            help="The finished ones are not made again; the random streams are the same.",
        )


def _heavy_rules(own: ModelSession) -> None:
    missing = own.run.missing_heavy(scoring_request(own.run))
    if missing:
        names = ", ".join(spec.label for spec in missing)
        st.button(
            f"Ask the model: {names}",
            key="bon_score",
            icon=":material/gavel:",
            on_click=request_action("score"),
            help="These rules run a model over every candidate; the scores are kept with the run.",
        )


# -- one candidate --------------------------------------------------------------------------------------------------


def _opened(own: ModelSession, worker: Worker) -> None:
    """Any candidate as its tokens. The box serves the keyboard; a row of the table opens too."""
    indices = [candidate.index for candidate in own.run.ordered]
    if own.opened not in indices:
        own.opened = indices[0]

    def open_one() -> None:
        own.opened = st.session_state["w_bon_open"]
        redraw(PICTURES)

    st.session_state["w_bon_open"] = own.opened
    scale = st.session_state.get("bon_scale", STRIP_SCALES[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Open candidate",
            indices,
            key="w_bon_open",
            on_change=open_one,
            width=180,
            format_func=lambda index: f"{index + 1}",
        )
        st.segmented_control(
            "Colour by",
            STRIP_SCALES,
            default=scale,
            key="bon_scale",
            required=True,
            format_func=lambda name: SCALES[name].label,
        )
    candidate = own.run.candidates[own.opened]
    token_strip(
        candidate_tokens(candidate, worker.engine.codec, scale),
        key="bon_strip",
        label=f"Candidate {candidate.index + 1}, one button for each token; hover or focus one for its figures",
        on_pick=lambda _place: None,
        height="14rem",
    )
    st.html(legend_html(scale))
    _ending(candidate)


def _ending(candidate: Candidate) -> None:
    reason = REASONS.get(candidate.finish_reason, candidate.finish_reason)
    setting = f", {candidate.setting}" if candidate.setting else ""
    source: str = candidate.origin
    if source == "sampling":
        source = f"seed {candidate.seed}, random stream {candidate.random_stream}"
    st.caption(escape_markdown(f"Ended: {reason}. Made by {source}{setting}."))


def _diversity(own: ModelSession) -> None:
    """Distinct-n over all candidates and groups of near-equal texts."""
    candidates = own.run.ordered
    texts = [candidate.keys for candidate in candidates]
    shares = [(n, pooled_distinct_n(texts, n)) for n in (1, 2, 3)]
    clusters = cluster_texts([candidate.text for candidate in candidates])
    said = ", ".join(f"distinct-{n} {percent(share)}" for n, share in shares if share is not None)
    st.markdown(
        f"**Diversity:** {said}; {len(clusters)} different answer{'s' if len(clusters) != 1 else ''} among "
        f"{len(candidates)} (texts whose letters are nearly the same count as one)."
    )
    groups = [cluster for cluster in clusters if len(cluster.members) > 1]
    if groups:
        with st.expander(f"{len(groups)} group{'s' if len(groups) != 1 else ''} of near-equal answers"):
            for cluster in groups:
                numbers = ", ".join(str(candidates[place].index + 1) for place in cluster.members)
                first = candidates[cluster.members[0]].text.strip()[:120]
                how = "the same" if cluster.exact else "nearly the same"
                st.markdown(f"{len(cluster.members)} × “{escape_markdown(first)}” ({how}: {numbers})")
