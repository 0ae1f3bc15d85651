"""When each rule fails, and the published figures behind the page, each with its source."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.testtime.registry import SCORERS, kind_of
from playground.testtime.types import ScoreColumn
from playground.ui.messages import plain

FIGURES: tuple[tuple[str, str], ...] = (
    (
        "A verifier on a small model was worth about as much as a model thirty times its size (on grade-school maths).",
        "Cobbe et al. 2021, “Training Verifiers to Solve Math Word Problems”, arXiv 2110.14168",
    ),
    (
        "In the same study more samples helped up to about 400; beyond that the verifier was found ever more often by "
        "answers that please it and are wrong.",
        "Cobbe et al. 2021, arXiv 2110.14168, section 4.2",
    ),
    (
        "The share of problems that some sample solves grew about log-linearly from 1 to 10,000 samples: coverage goes on "
        "growing where choosing does not keep up.",
        "Brown et al. 2024, “Large Language Monkeys”, arXiv 2407.21787",
    ),
    (
        "Spending compute on answers can beat spending it on parameters, above all on questions that are hard but not out of "
        "reach.",
        "Snell et al. 2024, arXiv 2408.03314",
    ),
    (
        "Gemini's MMLU figure came from 32 samples a question and a vote among them.",
        "Gemini Team 2023, arXiv 2312.11805",
    ),
    (
        "A model that reads a picture right half of the time reads it right at least once in three tries seven times in "
        "eight, if its tries are independent: 1 − 0.5³ = 87.5%.",
        "arithmetic",
    ),
)
"""What is cited, in our own words, with where it stands."""


def failures(columns: Sequence[ScoreColumn]) -> None:
    """Each rule in use: what it is for, and when it misleads."""
    with st.expander("When each rule fails", on_change="rerun", key="bon_failures", icon=":material/report:") as box:
        if not box.open:
            return
        for name in dict.fromkeys(column.spec.name for column in columns):
            kind = SCORERS[name]
            st.markdown(f"**{kind.label}.** {plain(kind.purpose)} *It fails:* {plain(kind.fails)}")
            st.caption(plain(f"{kind.formula} · {kind.source}"))
        st.markdown(
            "**Voting.** The commonest answer wins. *It fails* where the model's commonest answer is wrong: more votes then make "
            "the mistake surer; and where answers cannot be counted because no two are the same."
        )
        st.markdown(
            "**Any score, searched hard enough.** The best of very many is the one on which the score errs most in its favour. "
            "A verifier can be over-searched; a checker that knows the answer cannot."
        )


def published_figures() -> None:
    """What others measured."""
    with st.expander("What others measured", on_change="rerun", key="bon_figures", icon=":material/menu_book:") as box:
        if box.open:
            for sentence, source in FIGURES:
                st.markdown(plain(sentence))
                st.caption(plain(source))


def label_of(column: ScoreColumn) -> str:
    """The rule's name for people, with its argument."""
    kind = kind_of(column.spec)
    return f"{kind.label} ({column.spec.argument})" if column.spec.argument else kind.label
