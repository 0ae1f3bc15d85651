"""Section "Strengths": Bradley-Terry of answers or of who wrote them, with Elo in several orders beside it."""

from __future__ import annotations

import streamlit as st

from playground.charts.preferences_strengths import (
    EloBeside,
    elo_as_strengths,
    strengths_with_elo_description,
    strengths_with_elo_figure,
)
from playground.charts.room_strengths import strengths_data
from playground.preferences.ballots import votes_on_answers, votes_on_names
from playground.preferences.elo import elo_orders
from playground.preferences.kept import KeptBallot
from playground.preferences.strengths import Strengths, fit_strengths
from playground.preferences.votes import Vote, count_pairs
from playground.state.preferences import PreferencesState
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.widgets import Bound
from playground.ui.preferences_page.no_votes import no_votes_yet
from playground.ui.preferences_page.session import opened

ELO_ORDERS = 20


def strengths_section(_view: object) -> None:
    """What the votes say of what was voted on, and what they cannot say."""
    kept = opened()
    if not kept.verdicts:
        no_votes_yet(
            "Nobody has voted on this ballot yet. Here the answers, or who wrote them, will stand in the order in which they "
            "win, with how sure that is.",
            "strengths",
        )
        return
    votes = chosen_votes(kept)
    if not votes:
        st.info("There are no votes on these; choose others above.")
        return
    fitted = fit_strengths(votes)
    data = strengths_data(fitted)
    items = count_pairs(votes).items
    beside = EloBeside(data, elo_as_strengths(elo_orders(votes, ELO_ORDERS), items, data.names))
    show_figure(
        strengths_with_elo_figure(beside), strengths_with_elo_description(beside), key="preferences_strengths_figure"
    )
    st.markdown(escape_markdown(_spread_sentence(beside, fitted)))
    for note in fitted.notes:
        st.caption(escape_markdown(note))
    why_it_matters(
        "Bradley and Terry's model: A beats B with probability σ(a − b), ties after Davidson; all votes are fitted at once, so "
        "their order is nothing. Elo goes through them one by one and forgets the early ones: the circles are the same votes "
        "shuffled. The strengths say what these voters preferred among these answers, not which answer is true.",
        "Bradley-Terry",
        "Elo",
    )


def chosen_votes(kept: KeptBallot) -> list[Vote]:
    """The votes that the controls above choose: on who wrote the answers, or on one prompt's answers."""
    bound = Bound(PreferencesState)
    chosen = session.get(PreferencesState)
    named = votes_on_names(kept.ballot, kept.verdicts)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if named:
            bound.segmented("strength_of")
        if named and chosen.strength_of == "names":
            return named
        count = len(kept.ballot.questions)
        question = min(chosen.question, count)
        prompts = {
            number: f"{number}. {kept.ballot.answers[places[0]].prompt[:70]}"
            for number, places in enumerate(kept.ballot.questions, 1)
        }
        if count > 1:
            bound.choose("question", choices=prompts)
    return votes_on_answers(kept.ballot, kept.verdicts, question - 1)


def _spread_sentence(beside: EloBeside, fitted: Strengths) -> str:
    spread = beside.elo.max(axis=0) - beside.elo.min(axis=0)
    widest = int(spread.argmax())
    firsts = {beside.strengths.names[int(place)] for place in beside.elo.argmax(axis=1)}
    return (
        f"{fitted.votes:,} votes. In {len(beside.elo)} orders of them Elo puts {beside.strengths.names[widest]} anywhere within "
        f"{spread[widest]:.2f}, and {len(firsts)} of {len(beside.strengths.names)} come out first in some order; Bradley–Terry's "
        "answer is the same in all."
    )
