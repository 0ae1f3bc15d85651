"""Section "Voting": answers found, made alike, counted; majority, weighted votes, ties, and the vote as N grows."""

from __future__ import annotations

import textwrap

import numpy as np
import streamlit as st

from playground.charts.candidates_curves import vote_bands
from playground.charts.candidates_table import answers_table, label_of
from playground.charts.candidates_votes import VotesData, votes_description, votes_figure
from playground.charts.numbers import percent
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.answers import normalise
from playground.testtime.types import ScoredCandidates
from playground.testtime.voting import Vote, WeightKind, count_votes, self_consistency, vote_weights
from playground.ui.best_of_n_page.pictures import show_bands
from playground.ui.best_of_n_page.rankings import needs_candidates
from playground.ui.best_of_n_page.session import ModelSession, scores_now, scoring_request
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table

EQUAL = "one text, one vote"
WEIGHTS = {
    "probability": "exp(score − best): for log-probabilities",
    "as-is": "the score itself: for scores of 0 or more",
    "borda": "by rank (Borda): for any score",
}
SHOWN, SHOWN_TIED, LONGEST_ANSWER = 12, 4, 60


def voting_section(own: ModelSession, worker: Worker) -> None:
    """No model runs here."""
    if needs_candidates(own):
        return
    request = scoring_request(own.run)
    scored = scores_now(own.run)
    if not scored.answers:
        st.info("Choose on the left how the answer is found in a text.")
        return
    try:
        vote = _vote(scored)
    except PlaygroundError as error:
        show_problem(error)
        return
    if not vote.tallies:
        st.info("No text has an answer by this pattern: choose another one on the left.")
        return
    right = {normalise(part) for part in request.reference.split("|") if part.strip()}
    _outcome(vote, right, len(scored.candidates))
    data = VotesData(
        tuple(tally.answer for tally in vote.tallies[:SHOWN]),
        np.array([tally.share for tally in vote.tallies[:SHOWN]], dtype=np.float32),
        tuple(tally.count for tally in vote.tallies[:SHOWN]),
        max(1, len(vote.tied)),
        next((tally.answer for tally in vote.tallies if tally.answer in right), ""),
    )
    show_figure(votes_figure(data), votes_description(data), key="bon_votes")
    if len(vote.tallies) > SHOWN:
        st.caption(f"{len(vote.tallies) - SHOWN} rarer answers are not drawn.")
    _growth(scored, right)
    _extracted_answers(scored, request.answer_pattern)
    why_it_matters(
        "Self-consistency: wrong ways to an answer differ from each other, right ones meet (Wang et al. 2023). It needs answers "
        "that can be counted, and it makes a common mistake surer."
    )


def _vote(scored: ScoredCandidates) -> Vote:
    columns = {column.label: column for column in scored.columns if not column.problem}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Votes weigh",
            [EQUAL, *columns],
            key="bon_vote_by",
            format_func=lambda name: label_of(columns[name]) if name in columns else name,
        )
        how = "probability"
        if by in columns:
            how = st.selectbox(
                "A score becomes a weight by", list(WEIGHTS), format_func=WEIGHTS.__getitem__, key="bon_vote_how"
            )
    if by not in columns:
        return count_votes(scored.answers)
    kind: WeightKind = "borda" if how == "borda" else "as-is" if how == "as-is" else "probability"
    return count_votes(scored.answers, vote_weights(columns[str(by)].values, kind))


def _outcome(vote: Vote, right: set[str], count: int) -> None:
    if len(vote.tied) > 1:
        more = f" and {len(vote.tied) - SHOWN_TIED} more" if len(vote.tied) > SHOWN_TIED else ""
        st.markdown(
            f"**A tie** between {', '.join(map(_quoted, vote.tied[:SHOWN_TIED]))}{more}; the one given first, "
            f"{_quoted(vote.majority)}, is taken."
        )
    elif vote.majority is not None:
        share = vote.tallies[0].share
        verdict = "" if not right else " It is right." if vote.majority in right else " It is not the reference."
        st.markdown(f"**{_quoted(vote.majority)}** wins with {percent(share)} of the weight.{verdict}")
    if vote.abstained:
        st.caption(f"{vote.abstained} of {count} texts have no answer by this pattern; they do not vote.")


def _quoted(answer: str | None) -> str:
    """An answer in a sentence; a whole text would hide the sentence."""
    return f"“{escape_markdown(textwrap.shorten(answer or 'nobody', LONGEST_ANSWER, placeholder='…'))}”"


def _growth(scored: ScoredCandidates, right: set[str]) -> None:
    """The majority among the first n, as n grows."""
    steps = self_consistency(scored.answers)
    st.markdown("##### As N grows")
    show_bands(vote_bands(steps), key="bon_growth")
    changes = [
        (step.n, step.majority)
        for before, step in zip([None, *steps], steps, strict=False)
        if before is None or before.majority != step.majority
    ]
    said = "; ".join(f"from {n} on {_quoted(answer)}" for n, answer in changes[:8])
    st.caption(f"Leading: {said}.")


def _extracted_answers(scored: ScoredCandidates, pattern: str) -> None:
    with st.expander("Every text's answer", on_change="rerun", key="bon_answers") as box:
        if box.open:
            show_table(answers_table(scored, pattern), key="bon_found")
