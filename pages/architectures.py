"""Architectures: what grows with the text, what fits through a bottleneck, how each remembers, and who comes of whom."""

from playground.engine.api import NextTokens, Stream
from playground.state.architectures import ArchitecturesState
from playground.ui.architectures_page.experiments import EXPERIMENTS
from playground.ui.architectures_page.export import export_growth, export_learning, export_note
from playground.ui.architectures_page.growth import growth_section
from playground.ui.architectures_page.learn import learn_section
from playground.ui.architectures_page.remember import remember_section
from playground.ui.architectures_page.tree import tree_section
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="architectures",
    group="Look inside",
    title="Architectures",
    icon=":material/account_tree:",
    about="Recurrence, attention and state spaces: the same tasks, measured here.",
    sentence="What came before the transformer and what may come after: the same tasks, measured on this machine.",
    needs=((NextTokens, Stream),),
    view=loaded_model,
    state=ArchitecturesState,
    sections={
        "growth": Section("What grows with the text", growth_section, export=export_growth),
        "learn": Section("What fits through a bottleneck", learn_section, export=export_learning),
        "remember": Section("How each one remembers", remember_section, export=export_note),
        "tree": Section("Family tree", tree_section, export=export_note),
    },
    experiments=EXPERIMENTS,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("architectures")
