"""The Glossary page: every term of the house, in one plain sentence each."""

from playground.ui.glossary_section import glossary_section
from playground.ui.kit.page import PageSpec, Section

PAGE = PageSpec(
    name="glossary",
    group="Reference",
    title="Glossary",
    icon=":material/menu_book:",
    about="Every term used here, in one plain sentence each.",
    sentence="Every term used here, in one plain sentence each. On the other pages, hover over a term's mark.",
    sections={"terms": Section("Terms", glossary_section)},
)

if __name__ == "__main__":
    from pages import show_page

    show_page("glossary")
