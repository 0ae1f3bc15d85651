"""Inside the model: each layer's own guess, what the model is made of, and what a forward pass costs here."""

import streamlit as st

from playground.engine.api import Hidden, Rows, Weights
from playground.state.inside import InsideState
from playground.ui.inside_page.anatomy_section import anatomy_section
from playground.ui.inside_page.experiments import EXPERIMENTS
from playground.ui.inside_page.export import export_anatomy, export_lens, export_note, export_timing
from playground.ui.inside_page.lens_section import lens_section
from playground.ui.inside_page.timing_section import timing_section
from playground.ui.inside_page.view import adopt_cell, load_lens
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.prompt import prompt_controls


def controls() -> None:
    """The left third."""
    prompt_controls()
    st.caption("The text is what the lens looks at; the other two sections look at the model alone.")


PAGE = PageSpec(
    name="inside",
    group="Look inside",
    title="Inside the model",
    icon=":material/layers:",
    about="Each layer's own guess, what the model is made of, and what reading and writing cost here.",
    sentence="What each layer would answer if the model ended there, what the model is made of, and what it costs to run.",
    needs=(Weights,),
    state=InsideState,
    controls=controls,
    sections={
        "lens": Section("Logit lens", lens_section, view=load_lens, needs=(Hidden,), export=export_lens),
        "anatomy": Section("Anatomy", anatomy_section, export=export_anatomy),
        "timing": Section("Prefill and decode", timing_section, needs=(Rows,), export=export_timing),
    },
    experiments=EXPERIMENTS,
    on_open=adopt_cell,
    export=export_note,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("inside")
