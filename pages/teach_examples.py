"""The Examples page: from demonstrations to an adapter, and what it moved."""

from playground.engine.api import NextTokens, Stream, Weights
from playground.state.examples import ExamplesState
from playground.ui.examples_page.conversation import conversation_options, conversation_section, conversation_view
from playground.ui.examples_page.demonstrations import demonstrations_section
from playground.ui.examples_page.experiments import EXPERIMENTS
from playground.ui.examples_page.moved_section import moved_section, training_export
from playground.ui.examples_page.steps import CONVERSATION, DEMONSTRATIONS, MOVED, TRAIN
from playground.ui.examples_page.train import train_section
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="teach_examples",
    group="Teach",
    title="Examples",
    icon=":material/school:",
    about="Teach the model with a handful of demonstrations, and see what moved.",
    sentence="A model that continues text is taught to answer, by examples: what is added, what it costs, what moved.",
    needs=((NextTokens, Stream),),
    view=loaded_model,
    state=ExamplesState,
    experiments=EXPERIMENTS,
    sections={
        "conversation": Section(
            CONVERSATION,
            conversation_section,
            needs=(NextTokens,),
            view=conversation_view,
            options=conversation_options,
            beside=True,
        ),
        "demonstrations": Section(DEMONSTRATIONS, demonstrations_section),
        "train": Section(TRAIN, train_section, needs=(Weights,), export=training_export),
        "moved": Section(MOVED, moved_section, needs=(Weights,), export=training_export),
    },
)

if __name__ == "__main__":
    from pages import show_page

    show_page("teach_examples")
