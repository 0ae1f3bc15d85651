"""The Sampling page's sections where the engine tells the likeliest tokens of a row only: numbers where they are known, else
bounds, and the reason in one sentence."""

from __future__ import annotations

import streamlit as st

from playground.charts.draw import histogram_description, histogram_figure
from playground.charts.partial_bars import partial_bars, partial_bars_payload, partial_bars_table
from playground.charts.partial_draw import bands_data, bands_description, bands_figure, partial_histogram
from playground.charts.partial_pipeline import WORDS, partial_pipeline_data, partial_stage_table
from playground.charts.pipeline import pipeline_description, pipeline_figure
from playground.engine.text.display import glyphs
from playground.glossary import define
from playground.inspection.next_token import CONTEXT_TAIL
from playground.inspection.partial import (
    WHAT_THE_WORDS_MEAN,
    draw_sentence,
    partial_csv,
    verdict_sentence,
)
from playground.sampling.partial_chain import PartialNext
from playground.sampling.registry import SAMPLERS
from playground.state.sampling import SamplingState
from playground.ui.components.bars import PROBABILITY_BARS, on_picked
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.draw import DRAWS, redraw_button
from playground.ui.sampling_page.partial_marks import COLOURS, with_marks
from playground.ui.sampling_page.partial_view import PartialView
from playground.ui.workspace.setup import accept


def _verdict(view: PartialNext) -> None:
    """The chain with a mark at each sampler, and the sentence about its end."""
    steps = " → ".join(
        f"{SAMPLERS[stage.name].label} :{COLOURS[stage.verdict]}-badge[{WORDS[stage.verdict]}]"
        for stage in view.trace.stages
    )
    st.markdown(steps or "No sampler is on :green-badge[exact]", help=f"{define('Exact')}\n\n{define('Bounded')}")
    st.caption(f"{escape_markdown(verdict_sentence(view))}\n\n{WHAT_THE_WORDS_MEAN}")


# -- sections ----------------------------------------------------------------------------------------------------------


@with_marks
def bars_section(view: PartialView) -> None:
    """Raw and final probability of the listed tokens, one bar for all others, and what is known of them."""
    chosen, position = session.get(SamplingState), len(view.ids)
    data = partial_bars(view.next, view.codec, chosen.rows, log=chosen.scale == "log")
    if chosen.shape == "table":
        st.dataframe(partial_bars_table(data), hide_index=True, height=min(36 * (len(data.rows) + 2), 640))
    else:
        pick = rerun_callback(lambda token: accept(token, position=view.setup.position))
        PROBABILITY_BARS(
            data={**partial_bars_payload(data), "position": position},
            key="bars",
            on_picked_change=on_picked("bars", position, [row.token.id for row in data.rows], pick),
        )
    _verdict(view.next)
    _open_draw(view)
    if view.next.draw.id in view.codec.eos_token_ids:
        st.caption("The drawn token ▶ ends the text: a generator would stop here. You may still accept it and go on.")
    file_button(
        f"CSV of the {view.row.top_ids.size:,} tokens told, and the rest",
        "next-token.csv",
        lambda: partial_csv(view.next, view.codec),
        quiet=True,
    )


@with_marks
def pipeline_section(view: PartialView) -> None:
    """The picture, the numbers of each stage, and one stage's formula at a time."""
    data, trace = partial_pipeline_data(view.next, view.codec), view.next.trace
    st.plotly_chart(
        pipeline_figure(data), key="pipeline", config={"displayModeBar": False}, alt=pipeline_description(data)
    )
    _verdict(view.next)
    st.dataframe(partial_stage_table(trace), hide_index=True, key="partial_pipeline_table")
    if trace.stages:
        names = [stage.name for stage in trace.stages]
        if st.session_state.get("formula_stage") not in names:
            st.session_state["formula_stage"] = names[-1]
        chosen = st.pills(
            "The formula of", names, format_func=lambda name: SAMPLERS[name].label, key="formula_stage", required=True
        )
        sampler, stage = next((SAMPLERS[each.name], each) for each in trace.stages if each.name == chosen)
        st.markdown(f"{sampler.explain} :{COLOURS[stage.verdict]}-badge[{WORDS[stage.verdict]}] {stage.why}")
        st.latex(sampler.formula)
        st.caption(f"Source: {sampler.source}. The tests hold the bounds against the chain on whole rows.")
    why_it_matters(
        "A column shows what is certain: each token's least probability, that of the tokens not told, and dotted what lies open "
        "between the bounds.",
        "Exact",
        "Bounded",
        "Entropy",
        "Effective choices",
    )


@with_marks
def draw_section(view: PartialView) -> None:
    """Where each token's band may lie, what u says then, redraw, and many draws where the distribution is exact."""
    data, draw = bands_data(view.next, view.codec), view.next.draw
    if data is None:
        st.info(escape_markdown(verdict_sentence(view.next)))
    else:
        st.plotly_chart(bands_figure(data), key="bands", config={"displayModeBar": False}, alt=bands_description(data))
        if draw.id is not None:
            token = escape_markdown(glyphs(view.codec.piece(draw.id, view.ids[-CONTEXT_TAIL:])))
            st.markdown(
                f"With seed {view.setup.seed}, step {view.next.step + 1} has the random number **u = {draw.u:.6f}**. Wherever "
                f"the bounds are, it lies in the band of **{token}** (id {draw.id})."
            )
        if data.hidden:
            st.caption(f"{data.hidden} less likely tokens told are not drawn here.")
    _open_draw(view)
    with st.container(horizontal=True):
        redraw_button()
        many = st.toggle(f"Draw {DRAWS:,} times", key="draw_many", help="Shows the draws against the expected counts.")
    if many and view.next.trace.verdict != "exact":
        st.info(f"Many draws need an exact final distribution. {escape_markdown(verdict_sentence(view.next))}")
    elif many:
        histogram = partial_histogram(view.next, view.codec, view.setup.seed, DRAWS)
        st.plotly_chart(
            histogram_figure(histogram),
            key="histogram",
            config={"displayModeBar": False},
            alt=histogram_description(histogram),
        )
    why_it_matters(
        "A token is drawn where u falls into its band. Where only bounds are known, a band may begin and end within an interval: "
        "solid is where it lies in any case, hatched where it may lie.",
        "u",
        "Seed",
        "Bounded",
    )


@with_marks
def proof_section(view: PartialView) -> None:
    """What the proof would need."""
    st.info(
        f"The proof runs transformers' processors over a whole row, and this engine tells {view.row.top_ids.size:,} of "
        f"{view.row.vocab_size:,} tokens. The bounds shown here are held in this project's tests against the chain on whole "
        "rows; for the proof itself choose a model that runs in this process."
    )


def _open_draw(view: PartialView) -> None:
    """The sentence about a draw that is open."""
    sentence = draw_sentence(view.next, listed_names(view))
    if sentence:
        st.caption(f":material/casino: {escape_markdown(sentence)}")


def listed_names(view: PartialView) -> dict[int, str]:
    """What each listed token adds, by id."""
    before = view.ids[-CONTEXT_TAIL:]
    return {token: glyphs(view.codec.piece(token, before)) for token in view.row.top_ids.tolist()}
