"""Scores from 1 to 7 for one answer at a time, beside the votes: to see for oneself why comparisons are used."""

from __future__ import annotations

import time

import streamlit as st

from playground.charts.preferences_tables import scores_table
from playground.preferences.ballots import HIGHEST_SCORE, LOWEST_SCORE, Rating, ranking_order
from playground.preferences.kept import KeptBallot
from playground.preferences.scores import compare_scores, scores_sentence
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.preferences_page.session import Voter, attempt, kept_id, note_shown, seconds_since_shown, store


def score_part(kept: KeptBallot) -> None:
    """The next answer that this voter has not scored, alone; then what the scores say beside the votes."""
    voter = session.get(Voter)
    scored = {each.answer for each in kept.ratings if each.voter == voter.name}
    waiting = [
        place
        for number in range(len(kept.ballot.questions))
        for place in ranking_order(kept.ballot, voter.name, number, seed=kept.name)
        if place not in scored
    ]
    if waiting:
        answer = kept.ballot.answers[waiting[0]]
        st.caption(f"{len(scored):,} scored by {escape_markdown(repr(voter.name))}; {len(waiting):,} to go.")
        st.markdown(f"**{escape_markdown(answer.prompt)}**")
        with st.container(border=True, height=170):
            st.text(answer.text or "(empty)")
        with st.container(horizontal=True, gap="small"):
            for score in range(LOWEST_SCORE, HIGHEST_SCORE + 1):
                st.button(
                    str(score),
                    key=f"preferences_score_{score}",
                    shortcut=str(score),
                    help={LOWEST_SCORE: "the worst", HIGHEST_SCORE: "the best"}.get(score),
                    on_click=attempt(_rate),
                    args=(waiting[0], score),
                )
    else:
        st.info(f"{escape_markdown(voter.name)} has scored every answer of this ballot.", icon=":material/done_all:")
    compared = compare_scores(kept.ballot, kept.verdicts, kept.ratings)
    st.markdown(escape_markdown(scores_sentence(compared)))
    if compared.voters:
        show_table(scores_table(compared), key="preferences_scores")
    why_it_matters(
        "A score needs a scale in one's head, and each head has its own: one voter's 5 is another's 7. Two answers side by side "
        "need none. InstructGPT's labelers gave scores from 1 to 7 too; only their rankings were used for training.",
        "Preference pair",
    )


def _rate(place: int, score: int) -> None:
    voter = session.get(Voter)
    store().rate(kept_id(), Rating(voter.name, place, score, seconds_since_shown(), time.time()))
    note_shown()
