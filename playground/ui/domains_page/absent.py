"""Section "What is not there": what can and what cannot be inferred of a model's data, and models made for one domain."""

from __future__ import annotations

import streamlit as st

from playground.corpus.special_models import SPECIAL_MODELS, TRADE_OFF
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters


def absent_section(_: object) -> None:
    """Ours alone: no model is asked."""
    left, right = st.columns(2)
    with left:
        st.markdown("**What the figures say**")
        st.markdown(
            "- Which of two texts the model predicts better, to the bit.\n"
            "- Which of two models predicts the same text better, whatever their vocabularies.\n"
            "- At which words it was surprised."
        )
    with right:
        st.markdown("**What they cannot say**")
        st.markdown(
            "- Which documents it was trained on: the nearest training domain of a sentence is unknown.\n"
            "- Whether a text was learnt by heart or is merely regular (code and lists are).\n"
            "- What is missing: an analysis of a crawl names what is there, never what is not. Private, costly and regulated "
            "data (sequences, scans, records) are hardly on the web.\n"
            "- Whether it is right: a fluent wrong answer costs few bits."
        )
    st.markdown("**Models made for one domain**")
    st.table(  # three columns: more do not fit a phone
        [
            {
                "Model": f"**{escape_markdown(each.name)}** {escape_markdown(each.domain)}",
                "Learnt from": escape_markdown(each.data),
                "What it does": escape_markdown(f"{each.result}. Source: {each.source}."),
            }
            for each in SPECIAL_MODELS
        ]
    )
    st.markdown("**General or specialised**")
    st.table([{"": name, "General": general, "Specialised": special} for name, general, special in TRADE_OFF])
    why_it_matters(escape_markdown("Facts with their sources: none of these models is run here."))
