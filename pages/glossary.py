"""The Glossary page: every term of the house, in one plain sentence each."""

import streamlit as st

from playground.glossary import GLOSSARY
from playground.ui.frame import heading
from playground.ui.kit.page import PageSpec

PAGE = PageSpec(
    name="glossary",
    group="Reference",
    title="Glossary",
    icon=":material/menu_book:",
    about="Every term used here, in one plain sentence each.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    heading(
        "glossary", "Every term used here, in one plain sentence each. On the other pages, hover over a term's mark."
    )
    wanted = st.text_input(
        "Find a term", key="glossary_search", type="search", live=True, placeholder="for example: entropy"
    )
    found = {term: text for term, text in GLOSSARY.items() if not wanted or wanted.lower() in f"{term} {text}".lower()}
    if not found:
        st.info("No term matches. Clear the search to see all of them.")
    for term in sorted(found, key=str.lower):
        st.markdown(f"**{term}**  \n{found[term]}")
