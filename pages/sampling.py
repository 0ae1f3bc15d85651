"""The Sampling page: one prompt, the next token's whole distribution, and what the samplers make of it."""

from playground.engine.api import NextTokens
from playground.state.sampling import SamplingState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.sampling_page import partial, partial_compare
from playground.ui.sampling_page.compare import compare_section
from playground.ui.sampling_page.draw import draw_section
from playground.ui.sampling_page.experiments import EXPERIMENTS
from playground.ui.sampling_page.export import export_settings
from playground.ui.sampling_page.lookup import lookup_section
from playground.ui.sampling_page.partial_marks import sampler_marks
from playground.ui.sampling_page.pipeline import pipeline_section
from playground.ui.sampling_page.proof import proof_section
from playground.ui.sampling_page.steps import steps_section
from playground.ui.sampling_page.view import bars_options, bars_reading, bars_section, by_row, load_view
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
    sentence="What the model would say next, over its whole vocabulary, and what each sampler leaves of it.",
    needs=(NextTokens,),
    view=load_view,
    state=SamplingState,
    controls=controls,
    text=steps_section,
    sections={
        "bars": Section("Bars", by_row(bars_section, partial.bars_section), options=bars_options, reading=bars_reading),
        "pipeline": Section("Pipeline", by_row(pipeline_section, partial.pipeline_section)),
        "compare": Section("Compare", by_row(compare_section, partial_compare.compare_section)),
        "draw": Section("Why this token?", by_row(draw_section, partial.draw_section)),
        "word": Section("Any word", by_row(lookup_section, partial_compare.lookup_section)),
        "proof": Section("Proof", by_row(proof_section, partial.proof_section)),
    },
    experiments=EXPERIMENTS,
    export=export_settings,
    default=True,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("sampling")
