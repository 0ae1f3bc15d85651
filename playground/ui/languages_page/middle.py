"""Section "Translation in the middle": what is lost on the way through English, on the notes' example. No model is asked."""

from __future__ import annotations

import math

import streamlit as st

from playground.charts.language_middle import middle_description, middle_svg
from playground.corpus.pronouns import ADDRESSES, ENGLISH, bits_lost
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters


def middle_section(_: object) -> None:
    """Vietnamese pronouns through English, in words and figures."""
    st.image(middle_svg(), width="stretch", alt=middle_description())
    st.markdown(
        "To serve a language that a model knows little of, one can translate the question into English and the answer back. "
        "The notes' example of what that costs: Vietnamese has no plain *I* and *you*. Who speaks names himself and the "
        "other by what they are to each other."
    )
    count = len(ADDRESSES)
    st.markdown(
        f"**{count} sentences become 1.** If each were as likely, English would keep none of the {bits_lost():.2f} bits "
        f"(log₂ {count}) that say who speaks to whom. The way back must choose one, and is right in 1 of {count} cases "
        f"({100 / count:.3g}%) unless something else in the text tells."
    )
    st.markdown(
        f"Of errors: where each of two translations keeps a share $s$ of the meaning, both keep about $s^2$: of 95% on "
        f"each way {0.95**2:.0%} are left, of 80% {0.8**2:.0%}. And the translator learnt from as little text as the model."
    )
    st.table(  # also what a phone can read
        [
            {
                "Who speaks to whom": escape_markdown(each.who),
                "Vietnamese": escape_markdown(each.vietnamese),
                "I · you": f"{each.own} · {each.other}",
                "In English": ENGLISH,
            }
            for each in ADDRESSES
        ]
    )
    why_it_matters(
        "What is lost here is not in the tokens: no tokenizer brings it back. The bundled model cannot translate Vietnamese, "
        "so that no translation is shown; the sentences are dictionary forms, and the figures are arithmetic on them. "
        f"In speech some of these are far commoner than others, so that less than {math.ceil(bits_lost())} bits are lost."
    )
