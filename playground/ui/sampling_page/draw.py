"""Section "Why this token?": the random number u, where it falls, and what a thousand draws look like."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.draw import (
    CumulativeData,
    HistogramData,
    cumulative_description,
    cumulative_figure,
    histogram_description,
    histogram_figure,
)
from playground.charts.numbers import percent
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.draw import UniformStream, cumulative_distribution, draw_many
from playground.ui.kit.fragments import CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.view import SamplingView
from playground.ui.workspace.setup import change, setup

BANDS = 24
DRAWS = 1_000


def draw_section(view: SamplingView) -> None:
    """The cumulative bar with u, the sentence that explains it, redraw, and the histogram of many draws."""
    data = cumulative_data(view)
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
        st.button(
            "Redraw",
            icon=":material/casino:",
            on_click=rerun_callback(next_seed, PICTURES, CONTROLS),
            shortcut="Alt+N",
            help="Take the next seed.",
        )
        many = st.toggle(f"Draw {DRAWS:,} times", key="draw_many", help="Shows the draws against the expected counts.")
    if many:
        histogram = histogram_data(view)
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


def next_seed() -> None:
    """The next seed: another random stream for this and all later steps."""
    change(seed=(setup().seed + 1) % 2**32)


def _labels(view: SamplingView, ids: np.ndarray) -> tuple[str, ...]:
    return tuple(glyphs(view.codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in ids)


def cumulative_data(view: SamplingView) -> CumulativeData:
    """The final distribution as bands, likeliest first."""
    distribution = cumulative_distribution(view.next.trace.final_probs)
    widths = np.diff(distribution.ends, prepend=0.0)
    shown = min(BANDS, len(distribution.ids))
    rank = view.next.draw.rank
    return CumulativeData(
        labels=_labels(view, distribution.ids[:shown]),
        probabilities=widths[:shown],
        rest=float(widths[shown:].sum()),
        u=view.next.draw.u,
        chosen=min(rank, shown),
    )


def histogram_data(view: SamplingView, draws: int = DRAWS) -> HistogramData:
    """``draws`` draws at this step, each with a random number of its own (rows 1, 2, … of the seed's streams)."""
    seed, step = view.setup.seed, view.next.step
    us = [UniformStream(seed, row).at(step) for row in range(1, draws + 1)]
    drawn = draw_many(view.next.trace.final_probs, us)
    distribution = cumulative_distribution(view.next.trace.final_probs)
    shown = distribution.ids[:20]
    widths = np.diff(distribution.ends, prepend=0.0)[: len(shown)]
    observed = np.array([int((drawn == token).sum()) for token in shown], dtype=np.int64)
    labels = _labels(view, shown)
    if len(distribution.ids) > len(shown):
        labels += ("others",)
        observed = np.append(observed, draws - observed.sum())
        widths = np.append(widths, max(0.0, 1.0 - widths.sum()))
    return HistogramData(labels, observed, widths * draws, draws)
