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
from playground.charts.draw_bands import bands_data, bands_description, bands_figure
from playground.charts.numbers import percent
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.inspection.partial import verdict_sentence
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext
from playground.ui.kit.fragments import CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.sampling_page.marks import show_open_draw
from playground.ui.sampling_page.view import SamplingView
from playground.ui.workspace.setup import change, setup

DRAWS = 1_000
_IN_BOUNDS = (
    " Where only bounds are known, a band may begin and end within an interval: solid is where it lies in any case, hatched "
    "where it may lie."
)


def draw_section(view: SamplingView) -> None:
    """The picture with u, the sentence that explains it, redraw, and the histogram of many draws."""
    whole = isinstance(view.next, NextToken)
    _picture(view)
    show_open_draw(view.next, view.codec)
    with st.container(horizontal=True):
        redraw_button()
        many = st.toggle(f"Draw {DRAWS:,} times", key="draw_many", help="Shows the draws against the expected counts.")
    distribution = view.next.trace.distribution() if many else None
    if distribution is not None and distribution.exact:
        histogram = histogram_data(view.next, view.codec, view.setup.seed, DRAWS)
        show_figure(histogram_figure(histogram), histogram_description(histogram), key="histogram")
    elif many and isinstance(view.next, PartialNext):
        st.info(f"Many draws need an exact final distribution. {escape_markdown(verdict_sentence(view.next))}")
    why_it_matters(
        "Drawing is the only random part (XTC, where it is on, tosses a coin of its own from the same seed): the same seed, "
        "model and settings give the same token. Two settings can be compared on common random numbers, because u does not "
        f"depend on them.{'' if whole else _IN_BOUNDS}",
        "u",
        "Seed",
        "Probability, final",
        *(() if whole else ("Bounded",)),
    )


def _picture(view: SamplingView) -> None:
    """The bands of the tokens between 0 and 1, and in words whose u falls into."""
    next_token, codec = view.next, view.codec
    lead = f"With seed {view.setup.seed}, step {next_token.step + 1} has the random number **u = {next_token.draw.u:.6f}**."
    token = "" if next_token.draw.id is None else glyphs(codec.piece(next_token.draw.id, view.ids[-CONTEXT_TAIL:]))
    named = f"**{escape_markdown(token)}** (id {next_token.draw.id}"
    if isinstance(next_token, NextToken):
        data, low, high = cumulative_data(next_token, codec), next_token.draw.low, next_token.draw.high
        show_figure(cumulative_figure(data), cumulative_description(data), key="cumulative")
        within = f"It lies between {low:.6f} and {high:.6f}: the band of {named}, {percent(high - low)} of the bar)."
        st.markdown(f"{lead} {within}")
        return
    bands = bands_data(next_token, codec)
    if bands is None:
        st.info(escape_markdown(verdict_sentence(next_token)))
        return
    show_figure(bands_figure(bands), bands_description(bands), key="bands")
    if token:
        st.markdown(f"{lead} Wherever the bounds are, it lies in the band of {named}).")
    if bands.hidden:
        st.caption(f"{bands.hidden} less likely tokens told are not drawn here.")


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
