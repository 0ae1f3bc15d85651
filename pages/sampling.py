"""The Sampling page: one prompt, the next token's whole distribution, and what the samplers make of it."""

import streamlit as st

from playground.state.setup import setup_query
from playground.ui import state
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.kit.messages import problems_shown_here
from playground.ui.sampling_page.bars import bars_options, bars_reading, bars_section
from playground.ui.sampling_page.compare import compare_section
from playground.ui.sampling_page.controls import prompt_controls, sampler_controls
from playground.ui.sampling_page.draw import draw_section
from playground.ui.sampling_page.experiments import EXPERIMENTS, start
from playground.ui.sampling_page.lookup import lookup_section
from playground.ui.sampling_page.pipeline import pipeline_section
from playground.ui.sampling_page.proof import proof_section
from playground.ui.sampling_page.steps import steps_section
from playground.ui.sampling_page.take_away import take_away
from playground.ui.sampling_page.view import load_view_or_nothing

SECTIONS = {
    "Bars": bars_section,
    "Pipeline": pipeline_section,
    "Compare": compare_section,
    "Why this token?": draw_section,
    "Any word": lookup_section,
    "Proof": proof_section,
}


@st.fragment(key=state.CONTROLS)
def controls() -> None:
    """The left third."""
    prompt_controls()
    sampler_controls()


@st.fragment(key=state.TEXT)
def text() -> None:
    """The text so far and the buttons to step through it."""
    with problems_shown_here():
        steps_section()


@st.fragment(key=state.PICTURES)
def pictures(section: str) -> None:
    """The open section: all that a moved slider changes."""
    state.show_problems()
    view = load_view_or_nothing()
    if view is not None:
        with problems_shown_here():
            SECTIONS[section](view)
    keep_address(setup_query(state.setup()), key="address")


corner = heading(
    "sampling",
    "What the model would say next, over its whole vocabulary, and what each sampler leaves of it.",
    experiments=[(e.label, e.shows, start(name)) for name, e in EXPERIMENTS.items()],
)
with corner:
    take_away()
experiment_note("sampling", EXPERIMENTS)
state.page_parts(state.TEXT, state.PICTURES, state.CONTROLS)
left, right = st.columns([1, 2], gap="medium")
with left:
    controls()
with right:
    text()
    for name, tab in zip(SECTIONS, st.tabs(list(SECTIONS), on_change="rerun", key="sampling_section"), strict=True):
        if tab.open:
            with tab:
                if name == "Bars":
                    bars_options()
                pictures(name)
                if name == "Bars":
                    bars_reading()
