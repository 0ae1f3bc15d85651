"""The Generate page: a text, every token of which can be questioned, branched from and compared."""

from playground.engine.api import Rows, Stream
from playground.state.generate import GenerateState
from playground.ui.generate_page.compare import compare_section
from playground.ui.generate_page.controls import ending_controls
from playground.ui.generate_page.experiments import EXPERIMENTS
from playground.ui.generate_page.export import export_generation
from playground.ui.generate_page.following import follow_text, tell_text
from playground.ui.generate_page.session import COMPARE, WRITE
from playground.ui.generate_page.view import load_view
from playground.ui.generate_page.write import write_section
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.prompt import prompt_controls
from playground.ui.workspace.samplers import sampler_controls


def controls() -> None:
    """The left third."""
    prompt_controls()
    ending_controls()
    sampler_controls()


PAGE = PageSpec(
    name="generate",
    group="Choose a word",
    title="Generate",
    icon=":material/edit_note:",
    about="A whole text with every step recorded: question it, branch from it, compare settings.",
    sentence="The model writes, one token after the other; question any of them, branch from it, or compare settings.",
    needs=((Rows, Stream),),
    view=load_view,
    state=GenerateState,
    controls=controls,
    sections={"write": Section(WRITE, write_section), "compare": Section(COMPARE, compare_section)},
    experiments=EXPERIMENTS,
    export=export_generation,
    tell=tell_text,
    follow=follow_text,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("generate")
