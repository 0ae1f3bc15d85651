"""The Attention page: where every head of every layer looks, on the reader's own text."""

from playground.engine.api import Attention
from playground.state.attention import AttentionState
from playground.ui.attention_page.controls import attention_controls
from playground.ui.attention_page.experiments import EXPERIMENTS
from playground.ui.attention_page.export import export_attention
from playground.ui.attention_page.heads import heads_reading, heads_section, overview
from playground.ui.attention_page.rollout_section import rollout_section
from playground.ui.attention_page.scores import scores_section
from playground.ui.attention_page.view import OVERVIEW, load_view
from playground.ui.attention_page.weight_section import weight_section
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.prompt import prompt_controls


def controls() -> None:
    """The left third: the choices below the prompt are known once the model has read the text."""
    prompt_controls()
    attention_controls()


PAGE = PageSpec(
    name="attention",
    group="Look inside",
    title="Attention",
    icon=":material/grid_on:",
    about="Every attention weight of every head on your text: as a map, on the text, and taken apart.",
    sentence="Where each head looks: for every token, how it shares its attention over the tokens before it.",
    needs=(Attention,),
    view=load_view,
    state=AttentionState,
    controls=controls,
    parts=(OVERVIEW,),
    sections={
        "heads": Section("Heads", heads_section, options=overview, reading=heads_reading),
        "doing": Section("What heads do", scores_section),
        "rollout": Section("Rollout", rollout_section),
        "weight": Section("One weight", weight_section),
    },
    experiments=EXPERIMENTS,
    export=export_attention,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("attention")
