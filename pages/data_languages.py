"""The page Languages: what each costs in tokens, and what the model knows of it."""

from playground.engine.api import NextTokens, Score, Stream
from playground.state.languages import LanguagesState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.languages_page.costs import costs_section
from playground.ui.languages_page.experiments import EXPERIMENTS
from playground.ui.languages_page.export import export_premiums, export_strips
from playground.ui.languages_page.knowledge import knowledge_section
from playground.ui.languages_page.middle import middle_section
from playground.ui.languages_page.premiums import premiums_section
from playground.ui.languages_page.strips import strips_section
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="data_languages",
    group="Data",
    title="Languages",
    icon=":material/language:",
    about="One text in 78 languages under a dozen tokenizers.",
    sentence="What the same text costs in each language, under each vocabulary, and what the model knows of it.",
    needs=((NextTokens, Stream),),
    state=LanguagesState,
    experiments=EXPERIMENTS,
    sections={
        "strips": Section("One sentence, every tokenizer", strips_section, export=export_strips),
        "premiums": Section("The same text in many languages", premiums_section, export=export_premiums),
        "costs": Section("What it costs", costs_section, view=loaded_model, export=export_premiums),
        "knows": Section("What the model knows", knowledge_section, needs=(Score, NextTokens), view=loaded_model),
        "middle": Section("Translation in the middle", middle_section),
    },
)

if __name__ == "__main__":
    from pages import show_page

    show_page("data_languages")
