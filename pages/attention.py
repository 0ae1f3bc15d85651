"""The Attention page: where every head of every layer looks, on the reader's own text."""

import streamlit as st

from playground.engine.api import NextTokens
from playground.ui import state
from playground.ui.attention_page.choice import (
    ADDRESS,
    CHOICE,
    OVERVIEW,
    SECTION_KEY,
    adopt_options,
    change,
    options,
    page_query,
)
from playground.ui.attention_page.controls import attention_controls
from playground.ui.attention_page.experiments import EXPERIMENTS, start
from playground.ui.attention_page.heads import heads_section, overview_section
from playground.ui.attention_page.options import SECTIONS
from playground.ui.attention_page.rollout_section import rollout_section
from playground.ui.attention_page.scores import leave_if_asked, scores_section
from playground.ui.attention_page.take_away import take_away
from playground.ui.attention_page.view import load_view, load_view_or_nothing
from playground.ui.attention_page.weight_section import weight_section
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.page import PageSpec
from playground.ui.workspace.prompt import prompt_controls

PAGE = PageSpec(
    name="attention",
    group="Look inside",
    title="Attention",
    icon=":material/grid_on:",
    about="Every attention weight of every head on your text: as a map, on the text, and taken apart.",
    sentence="",
    needs=(NextTokens,),
    sections={},
)

if __name__ == "__main__":
    DRAW = {"heads": heads_section, "doing": scores_section, "rollout": rollout_section, "weight": weight_section}

    @st.fragment(key=state.CONTROLS)
    def prompt() -> None:
        """The top of the left third."""
        prompt_controls()

    @st.fragment(key=CHOICE)
    def choice() -> None:
        """Below it: which heads, which colours, which window."""
        attention_controls()

    @st.fragment(key=OVERVIEW)
    def overview() -> None:
        """All heads at once."""
        view = load_view_or_nothing()
        if view is not None:
            overview_section(view)

    @st.fragment(key=state.PICTURES)
    def pictures(section: str) -> None:
        """The open section: all that another head changes."""
        leave_if_asked()
        state.show_problems()
        with problems_shown_here():
            DRAW[section](load_view())

    @st.fragment(key=ADDRESS)
    def address() -> None:
        """The link to what is on screen, in the browser's own bar."""
        keep_address(page_query(state.setup(), options()), key="attention_address")

    adopt_options()
    corner = heading(
        "attention",
        "Where each head looks: for every token, how it shares its attention over the tokens before it.",
        experiments=[(e.label, e.shows, start(name)) for name, e in EXPERIMENTS.items()],
    )
    with corner:
        take_away()
    with st.container():  # there with and without a note, so that what stands below keeps its place
        experiment_note("attention", EXPERIMENTS)
    state.page_parts(state.PICTURES, OVERVIEW, CHOICE, ADDRESS, state.CONTROLS)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        prompt()
    with right:
        tabs = st.tabs(list(SECTIONS.values()), on_change="rerun", key=SECTION_KEY)
        for name, tab in zip(SECTIONS, tabs, strict=True):
            if tab.open:
                change(section=name)
                with tab:
                    if name == "heads":
                        overview()
                    pictures(name)
    with (
        left
    ):  # last: the choices are known once the model has read the text, and the wait for that is shown at the right
        choice()
    address()
