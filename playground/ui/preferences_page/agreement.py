"""How far voters agree, what their votes took and cost, and the votes as files."""

from __future__ import annotations

import streamlit as st

from playground.charts.preferences_agreement import AgreementData, agreement_description, agreement_figure
from playground.charts.preferences_tables import kappa_table
from playground.preferences.agreement import measure_agreement
from playground.preferences.ballots import votes_on_answers
from playground.preferences.cost import COMPARISON_USD, cost_sentence, votes_cost
from playground.preferences.judges import measure_position_bias
from playground.preferences.kept import KeptBallot
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table


def agreement_part(kept: KeptBallot) -> None:
    """The share of agreeing pairs of voters with the chance-corrected forms; then time and money."""
    votes = votes_on_answers(kept.ballot, kept.verdicts)
    agreement = measure_agreement(votes)
    if agreement.share is None:
        voters = len({vote.voter for vote in votes})
        st.info(
            f"{voters} voter{'' if voters == 1 else 's'} so far, and no pair that two of them have judged: vote under another "
            "name above, upload others' votes, or let synthetic voters vote.",
            icon=":material/group:",
        )
    else:
        data = AgreementData(agreement.share)
        show_figure(agreement_figure(data), agreement_description(data), key="preferences_agreement")
        clauses = [f"{agreement.voters} voters, {agreement.units:,} pairs that two or more judged"]
        for name, value in (("Krippendorff's alpha", agreement.alpha), ("Fleiss's kappa", agreement.fleiss)):
            if value is not None:
                clauses.append(f"{name} {value:.2f}")
        st.markdown(escape_markdown("; ".join(clauses) + " (1 full agreement, 0 what chance would give)."))
        show_table(kappa_table(agreement), key="preferences_kappa")
    for bias in measure_position_bias(votes):
        if bias.note:
            st.warning(escape_markdown(bias.note))
    price = st.number_input(
        "US dollars a vote",
        min_value=0.0,
        max_value=1_000.0,
        value=COMPARISON_USD,
        step=0.5,
        key="preferences_price",
        help="Llama 2's comparisons were put at about $3.50 each, a written demonstration at about $25 (2023).",
    )
    st.markdown(escape_markdown(cost_sentence(votes_cost(kept.verdicts, price), price)))
    why_it_matters(
        "A reward model cannot agree with people more than they agree with each other: of labelers who say the same in 73% of "
        "cases, no model is right in 95%. What is counted here are words (the one, the other, a tie, both bad), not how sure "
        "anybody was.",
        "Inter-annotator agreement",
    )
