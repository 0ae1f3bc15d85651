"""Ranking several answers to one prompt at once: one ranking, many comparisons, and the page shows which."""

from __future__ import annotations

import streamlit as st

from playground.preferences.ballots import Verdict, pairs_of_ranking, ranking_order, ranking_text
from playground.preferences.kept import KeptBallot
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.preferences_page.session import Voter, attempt, cast, note_shown, seconds_since_shown


def rank_part(kept: KeptBallot) -> None:
    """The next prompt that this voter has not judged whole, its answers lettered in a shuffled order."""
    voter = session.get(Voter)
    judged = {(each.first, each.second) for each in kept.verdicts if each.voter == voter.name}
    left = [
        number
        for number in range(len(kept.ballot.questions))
        if len(places := ranking_order(kept.ballot, voter.name, number, seed=kept.name)) > 1
        and any(pair not in judged for pair in _pairs(places))
    ]
    if not left:
        st.info(f"{escape_markdown(voter.name)} has judged every pair of this ballot.", icon=":material/done_all:")
        return
    places = ranking_order(kept.ballot, voter.name, left[0], seed=kept.name)
    st.caption(f"{len(left):,} prompts to rank. Equal ranks are ties.")
    st.markdown(f"**{escape_markdown(kept.ballot.answers[places[0]].prompt)}**")
    options = [str(rank) for rank in range(1, len(places) + 1)]
    chosen: list[int] = []
    for row in range(0, len(places), 2):
        for column, place in zip(st.columns(2), places[row : row + 2], strict=False):
            letter = chr(ord("A") + len(chosen))
            with column, st.container(border=True):
                st.markdown(f"**{letter}**")
                with st.container(height=150, border=False):
                    st.text(kept.ballot.answers[place].text or "(empty)")
                picked = st.segmented_control(
                    f"Rank of {letter}", options, key=f"preferences_rank_{kept.name}_{voter.name}_{place}"[:120]
                )
                chosen.append(int(picked) if picked else 0)
    ready = all(chosen)
    if ready:
        st.markdown(f":material/arrow_forward: **{ranking_text(chosen)}**")
    st.button(
        "Take this ranking",
        key="preferences_take_ranking",
        type="primary",
        disabled=not ready,
        help="1 is the best. Every two of the answers become one comparison.",
        on_click=attempt(_take),
        args=(tuple(zip(places, chosen, strict=True)),),
    )
    why_it_matters(
        "One look at K answers gives K(K − 1)/2 comparisons: three give three, six give fifteen. They are not independent (who "
        "misjudges A misjudges all its pairs), so InstructGPT trained on all pairs of one prompt in a single batch.",
        "Preference pair",
    )


def _pairs(places: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(one, other) for one, other, _winner in pairs_of_ranking([(place, 1) for place in places])]


def _take(ranks: tuple[tuple[int, int], ...]) -> None:
    voter, pairs = session.get(Voter), pairs_of_ranking(ranks)
    seconds = seconds_since_shown() / len(pairs)
    order = [place for place, _rank in ranks]
    cast(
        [
            Verdict(
                voter.name,
                one,
                other,
                "first" if order.index(one) < order.index(other) else "second",
                winner,
                voter.group,
                round(seconds, 1),
            )
            for one, other, winner in pairs
        ]
    )
    note_shown()
