"""The Generate page: a text, every token of which can be questioned, branched from and compared."""

import streamlit as st

from playground.engine.api import NextTokens
from playground.ui import state
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.generate_page.compare import compare_section
from playground.ui.generate_page.controls import ending_controls
from playground.ui.generate_page.desk import COMPARE, WRITE, options
from playground.ui.generate_page.experiments import EXPERIMENTS, start
from playground.ui.generate_page.link import adopt_options, page_query
from playground.ui.generate_page.take_away import take_away
from playground.ui.generate_page.token_panel import leave_if_asked
from playground.ui.generate_page.write import write_section
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.page import PageSpec
from playground.ui.runtime import wait_for_model
from playground.ui.workspace.model import chosen_model
from playground.ui.workspace.prompt import prompt_controls
from playground.ui.workspace.samplers import sampler_controls

PAGE = PageSpec(
    name="generate",
    group="Choose a word",
    title="Generate",
    icon=":material/edit_note:",
    about="A whole text with every step recorded: question it, branch from it, compare settings.",
    sentence="",
    needs=(NextTokens,),
    sections={},
)

if __name__ == "__main__":
    SECTIONS = {WRITE: write_section, COMPARE: compare_section}

    @st.fragment(key=state.CONTROLS)
    def controls() -> None:
        """The left third."""
        prompt_controls()
        ending_controls()
        sampler_controls()

    @st.fragment(key=state.PICTURES)
    def pictures() -> None:
        """The right two thirds."""
        leave_if_asked()
        state.show_problems()
        with problems_shown_here():
            worker = wait_for_model(chosen_model())
            tabs = st.tabs(list(SECTIONS), on_change="rerun", key="generate_section")
            for tab, section in zip(tabs, SECTIONS.values(), strict=True):
                if tab.open:
                    with tab, problems_shown_here():
                        section(worker)
        keep_address(page_query(state.setup(), options()), key="generate_address")

    adopt_options()
    corner = heading(
        "generate",
        "The model writes, one token after the other; question any of them, branch from it, or compare settings.",
        experiments=[(e.label, e.shows, start(name)) for name, e in EXPERIMENTS.items()],
    )
    with corner:
        take_away()
    experiment_note("generate", EXPERIMENTS)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        controls()
    with right:
        pictures()
