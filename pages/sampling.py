"""The Sampling page: one prompt, the next token's whole distribution, and what the samplers make of it."""

from playground.engine.api import NextTokens
from playground.state.sampling import SamplingState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.sampling_page.compare import compare_section
from playground.ui.sampling_page.draw import draw_section
from playground.ui.sampling_page.experiments import EXPERIMENTS
from playground.ui.sampling_page.export import export_settings
from playground.ui.sampling_page.lookup import lookup_section
from playground.ui.sampling_page.marks import sampler_marks
from playground.ui.sampling_page.pipeline import pipeline_section
from playground.ui.sampling_page.proof import proof_section
from playground.ui.sampling_page.steps import steps_section
from playground.ui.sampling_page.view import bars_options, bars_reading, bars_section, load_view, with_marks
from playground.ui.workspace.prompt import prompt_controls
from playground.ui.workspace.samplers import sampler_controls


def controls() -> None:
    """The left third."""
    prompt_controls()
    sampler_controls(sampler_marks())


PAGE = PageSpec(
    name="sampling",
    group="Choose a word",
    title="Sampling",
    icon=":material/bar_chart:",
    about="The next token's whole distribution, live, and what each sampler does to it.",
    sentence="What the model would say next, how likely each token is, and what each sampler leaves of it.",
    needs=(NextTokens,),
    view=load_view,
    state=SamplingState,
    controls=controls,
    text=steps_section,
    sections={
        "bars": Section("Bars", with_marks(bars_section), options=bars_options, reading=bars_reading),
        "pipeline": Section("Pipeline", with_marks(pipeline_section)),
        "compare": Section("Compare", with_marks(compare_section)),
        "draw": Section("Why this token?", with_marks(draw_section)),
        "word": Section("Any word", with_marks(lookup_section)),
        "proof": Section("Proof", with_marks(proof_section)),
    },
    experiments=EXPERIMENTS,
    export=export_settings,
    default=True,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("sampling")
