"""The terms, with a search that filters as one types."""

from __future__ import annotations

import streamlit as st

from playground.glossary import GLOSSARY


def glossary_section(_view: None) -> None:
    """Every term that matches, in the order of the alphabet."""
    wanted = st.text_input(
        "Find a term", key="glossary_search", type="search", live=True, placeholder="for example: entropy"
    )
    matches = {
        term: text for term, text in GLOSSARY.items() if not wanted or wanted.lower() in f"{term} {text}".lower()
    }
    if not matches:
        st.info("No term matches. Clear the search to see all of them.")
    for term in sorted(matches, key=str.lower):
        st.markdown(f"**{term}**  \n{matches[term]}")
