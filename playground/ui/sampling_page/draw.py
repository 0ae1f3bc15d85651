"""Section "Why this token?": the random number u, where it falls, and what a thousand draws look like."""

from __future__ import annotations

import streamlit as st

from playground.charts.draw import (
    cumulative_data,
    cumulative_description,
    cumulative_figure,
    histogram_data,
    histogram_description,
    histogram_figure,
)
from playground.charts.numbers import percent
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.ui.kit.fragments import CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.view import SamplingView
from playground.ui.workspace.setup import change, setup

DRAWS = 1_000


def draw_section(view: SamplingView) -> None:
    """The cumulative bar with u, the sentence that explains it, redraw, and the histogram of many draws."""
    data = cumulative_data(view.next, view.codec)
    st.plotly_chart(
        cumulative_figure(data), key="cumulative", config={"displayModeBar": False}, alt=cumulative_description(data)
    )
    draw = view.next.draw
    token = glyphs(view.codec.piece(draw.id, view.ids[-CONTEXT_TAIL:]))
    st.markdown(
        f"With seed {view.setup.seed}, step {view.next.step + 1} has the random number **u = {draw.u:.6f}**. It lies between "
        f"{draw.low:.6f} and {draw.high:.6f}: the band of **{escape_markdown(token)}** (id {draw.id}, "
        f"{percent(draw.high - draw.low)} of the bar)."
    )
    with st.container(horizontal=True):
        redraw_button()
        many = st.toggle(f"Draw {DRAWS:,} times", key="draw_many", help="Shows the draws against the expected counts.")
    if many:
        histogram = histogram_data(view.next, view.codec, view.setup.seed, DRAWS)
        st.plotly_chart(
            histogram_figure(histogram),
            key="histogram",
            config={"displayModeBar": False},
            alt=histogram_description(histogram),
        )
    why_it_matters(
        "Drawing is the only random part (XTC, where it is on, tosses a coin of its own from the same seed): the same seed, "
        "model and settings give the same token. Two settings can be compared on common random numbers, because u does not "
        "depend on them.",
        "u",
        "Seed",
        "Probability, final",
    )


def redraw_button() -> None:
    """Take the next seed."""
    st.button(
        "Redraw",
        icon=":material/casino:",
        on_click=rerun_callback(next_seed, PICTURES, CONTROLS),
        shortcut="Alt+N",
        help="Take the next seed.",
    )


def next_seed() -> None:
    """The next seed: another random stream for this and all later steps."""
    change(seed=(setup().seed + 1) % 2**32)
