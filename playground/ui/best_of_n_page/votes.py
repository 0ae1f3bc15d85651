"""Section "Voting": answers found, made alike, counted; majority, weighted votes, ties, and the vote as N grows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts.candidates_votes import VotesData, votes_description, votes_figure
from playground.charts.curves_bands import STRONG, BandCurve, BandsData, bands_description, bands_figure
from playground.charts.numbers import percent
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.answers import extract_answers, normalise
from playground.testtime.types import ScoredCandidates
from playground.testtime.voting import Vote, WeightKind, count_votes, self_consistency, vote_weights
from playground.ui.best_of_n_page.explain import label_of
from playground.ui.best_of_n_page.rankings import needs_candidates
from playground.ui.best_of_n_page.session import Bench, judging, scores_now
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters

EQUAL = "one text, one vote"
WEIGHTS = {
    "probability": "exp(score − best): for log-probabilities",
    "as-is": "the score itself: for scores of 0 or more",
    "borda": "by rank (Borda): for any score",
}
SHOWN = 12


def voting_section(mine: Bench, worker: Worker) -> None:
    """No model runs here."""
    if needs_candidates(mine):
        return
    asking = judging(mine.run)
    scored = scores_now(mine.run)
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
    right = {normalise(part) for part in asking.reference.split("|") if part.strip()}
    _outcome(vote, right, len(scored.candidates))
    data = VotesData(
        tuple(tally.answer for tally in vote.tallies[:SHOWN]),
        np.array([tally.share for tally in vote.tallies[:SHOWN]], dtype=np.float32),
        tuple(tally.count for tally in vote.tallies[:SHOWN]),
        max(1, len(vote.tied)),
        next((tally.answer for tally in vote.tallies if tally.answer in right), ""),
    )
    st.plotly_chart(votes_figure(data), key="bon_votes", config={"displayModeBar": False}, alt=votes_description(data))
    if len(vote.tallies) > SHOWN:
        st.caption(f"{len(vote.tallies) - SHOWN} rarer answers are not drawn.")
    _growth(scored, right)
    _found(mine, scored, asking.answer_pattern)
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
        st.markdown(
            f"**A tie** between {', '.join(f'“{escape_markdown(answer)}”' for answer in vote.tied)}; the one given first, "
            f"“{escape_markdown(vote.majority or '')}”, is taken."
        )
    elif vote.majority is not None:
        share = vote.tallies[0].share
        verdict = "" if not right else " It is right." if vote.majority in right else " It is not the reference."
        st.markdown(f"**“{escape_markdown(vote.majority)}”** wins with {percent(share)} of the weight.{verdict}")
    if vote.abstained:
        st.caption(f"{vote.abstained} of {count} texts have no answer by this pattern; they do not vote.")


def _growth(scored: ScoredCandidates, right: set[str]) -> None:
    """The majority among the first n, as n grows."""
    steps = self_consistency(scored.answers)
    x = np.array([step.n for step in steps], dtype=np.float64)
    share = np.array([step.share for step in steps], dtype=np.float64)
    data = BandsData(
        "candidates, in the order in which they were made",
        "share of the leading answer",
        (BandCurve("share of the leading answer", x, share, kind=STRONG),),
        percent=True,
    )
    st.markdown("##### As N grows")
    st.plotly_chart(bands_figure(data), key="bon_growth", config={"displayModeBar": False}, alt=bands_description(data))
    changes = [
        (step.n, step.majority)
        for before, step in zip([None, *steps], steps, strict=False)
        if before is None or before.majority != step.majority
    ]
    said = "; ".join(f"from {n} on “{escape_markdown(answer or 'nobody')}”" for n, answer in changes[:8])
    st.caption(f"Leading: {said}.")


def _found(mine: Bench, scored: ScoredCandidates, pattern: str) -> None:
    with st.expander("Every text's answer", on_change="rerun", key="bon_answers") as box:
        if box.open:
            found = extract_answers([candidate.text for candidate in scored.candidates], pattern)
            st.dataframe(
                pd.DataFrame(
                    {
                        "#": [candidate.index + 1 for candidate in scored.candidates],
                        "as it stands": [answer.shown or "" for answer in found],
                        "counted as": [answer.key or "" for answer in found],
                        "note": [answer.note for answer in found],
                    }
                ),
                hide_index=True,
                key="bon_found",
            )
