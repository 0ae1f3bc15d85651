"""The Best-of-N page: one question, N answers from one prefill, every way of choosing among them side by side."""

import streamlit as st

from playground.engine.api import NextTokens
from playground.ui import state
from playground.ui.best_of_n_page.bench import options
from playground.ui.best_of_n_page.controls import run_controls
from playground.ui.best_of_n_page.experiments import EXPERIMENTS, start
from playground.ui.best_of_n_page.link import adopt_options, page_query
from playground.ui.best_of_n_page.sections import draw_sections
from playground.ui.best_of_n_page.take_away import take_away
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.page import PageSpec
from playground.ui.runtime import wait_for_model
from playground.ui.workspace.model import chosen_model
from playground.ui.workspace.prompt import prompt_controls
from playground.ui.workspace.samplers import sampler_controls

PAGE = PageSpec(
    name="best_of_n",
    group="Spend compute",
    title="Best-of-N",
    icon=":material/dynamic_feed:",
    about="N answers to one question, and every way of choosing among them side by side.",
    sentence="",
    needs=(NextTokens,),
    sections={},
)

if __name__ == "__main__":

    @st.fragment(key=state.CONTROLS)
    def controls() -> None:
        """The left third."""
        prompt_controls()
        run_controls()
        sampler_controls()

    @st.fragment(key=state.PICTURES)
    def pictures() -> None:
        """The right two thirds."""
        state.show_problems()
        with problems_shown_here():
            draw_sections(wait_for_model(chosen_model()))
        keep_address(page_query(state.setup(), options()), key="best_of_n_address")

    adopt_options()
    corner = heading(
        "best_of_n",
        "The model answers N times; every way of choosing among the answers is laid side by side, with what it buys and costs.",
        experiments=[(e.label, e.shows, start(name)) for name, e in EXPERIMENTS.items()],
    )
    with corner:
        take_away()
    experiment_note("best_of_n", EXPERIMENTS)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        controls()
    with right:
        pictures()
