"""The Training data page: documents under the filters that web text is cleaned with."""

from playground.engine.api import NextTokens, Score, Stream
from playground.state.data_training import FilterState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.training_data_page.contamination_section import contamination_section
from playground.ui.training_data_page.controls import filter_controls
from playground.ui.training_data_page.experiments import EXPERIMENTS
from playground.ui.training_data_page.export import export_verdicts
from playground.ui.training_data_page.filters import filters_section
from playground.ui.training_data_page.model_section import model_section
from playground.ui.training_data_page.quality_section import quality_section
from playground.ui.training_data_page.rules_section import rules_section
from playground.ui.training_data_page.slices_section import slices_section
from playground.ui.training_data_page.view import DOCUMENT, SHARE, load_view

PAGE = PageSpec(
    name="data_training",
    group="Data",
    title="Training data",
    icon=":material/filter_alt:",
    about="Documents under the filters that web text is cleaned with: each rule, each dial, and what they get wrong.",
    sentence="What published filters of training data keep, what they remove, and why.",
    needs=((NextTokens, Stream),),
    view=load_view,
    state=FilterState,
    controls=filter_controls,
    sections={
        "filters": Section("Documents", filters_section),
        "rules": Section("Rules", rules_section),
        "model": Section("Against the model", model_section, needs=(Score,)),
        "slices": Section("Who is removed", slices_section),
        "quality": Section("Quality or quantity", quality_section),
        "contamination": Section("Contamination", contamination_section),
    },
    parts=(SHARE, DOCUMENT),
    experiments=EXPERIMENTS,
    export=export_verdicts,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("data_training")
