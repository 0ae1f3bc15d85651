"""Inside the model: each layer's own guess, what the model is made of, and what a forward pass costs here."""

import streamlit as st

from playground.engine.api import NextTokens
from playground.ui import state
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.inside_page.anatomy_section import anatomy_section
from playground.ui.inside_page.choice import ADDRESS, SECTION_KEY, adopt_options, change, options, page_query
from playground.ui.inside_page.experiments import EXPERIMENTS, start
from playground.ui.inside_page.lens_section import lens_section
from playground.ui.inside_page.options import SECTIONS
from playground.ui.inside_page.take_away import take_away
from playground.ui.inside_page.timing_section import timing_section
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.page import PageSpec
from playground.ui.workspace.prompt import prompt_controls

PAGE = PageSpec(
    name="inside",
    group="Look inside",
    title="Inside the model",
    icon=":material/layers:",
    about="Each layer's own guess, what the model is made of, and what reading and writing cost here.",
    sentence="",
    needs=(NextTokens,),
    sections={},
)

if __name__ == "__main__":
    CONTENTS = {"lens": lens_section, "anatomy": anatomy_section, "timing": timing_section}

    @st.fragment(key=state.CONTROLS)
    def controls() -> None:
        """The left third."""
        prompt_controls()
        st.caption("The text is what the lens looks at; the other two sections look at the model alone.")

    @st.fragment(key=state.PICTURES)
    def pictures() -> None:
        """The right two thirds."""
        state.show_problems()
        tabs = st.tabs(list(SECTIONS.values()), on_change="rerun", key=SECTION_KEY)
        change(section=options().section)
        for name, tab in zip(SECTIONS, tabs, strict=True):
            if tab.open:
                with tab, problems_shown_here():
                    CONTENTS[name]()

    @st.fragment(key=ADDRESS)
    def address() -> None:
        """The link to what is on screen, in the browser's own bar."""
        keep_address(page_query(state.setup(), options()), key="inside_address")

    adopt_options()
    corner = heading(
        "inside",
        "What each layer would answer if the model ended there, what the model is made of, and what reading and writing cost.",
        experiments=[(e.label, e.shows, start(name)) for name, e in EXPERIMENTS.items()],
    )
    with corner:
        take_away()
    experiment_note("inside", EXPERIMENTS)
    state.page_parts(state.PICTURES, ADDRESS, state.CONTROLS)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        controls()
    with right:
        pictures()
    address()
