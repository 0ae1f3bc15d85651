"""Section "Vote": two answers at a time, a ranking of several, or scores for one; and what the votes agree on and cost."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from playground.errors import PlaygroundError
from playground.preferences.ballots import Side, Verdict, Winner, next_pairs
from playground.preferences.kept import KeptBallot
from playground.ui.components.judge_pair import Pressed, ShownPair, judge_pair
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.messages import escape_markdown, problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.session import bind_widget
from playground.ui.preferences_page.agreement import agreement_part
from playground.ui.preferences_page.no_votes import ways_on
from playground.ui.preferences_page.rank import rank_part
from playground.ui.preferences_page.score import score_part
from playground.ui.preferences_page.session import Voter, cast, note_shown, opened, seconds_since_shown, store

AHEAD = 4  # pairs that the browser has before it needs them
_VIEWS = {"pairs": "Two answers", "rank": "Rank several", "score": "Scores 1 to 7", "said": "Agreement and cost"}


@dataclass(frozen=True, slots=True)
class VoteView:
    """What of the section is open."""

    open: str = "pairs"


@dataclass(eq=False)
class _VoteSession:
    """``asked``: pairs by the name under which this tab's browser knows them. ``refused``: of the last press."""

    asked: dict[str, tuple[int, int, Side]] = field(default_factory=dict)
    names: dict[tuple[str, int, int], str] = field(default_factory=dict)
    refused: str = ""


def vote_section(_view: object) -> None:
    """One way of voting at a time."""
    view, kept = session.get(VoteView).open, opened()
    st.segmented_control(
        "Way of voting",
        list(_VIEWS),
        default=view,
        format_func=_VIEWS.__getitem__,
        key="preferences_vote_view",
        required=True,
        label_visibility="collapsed",
        on_change=bind_widget("preferences_vote_view", view, _open),
    )
    if view == "pairs":
        st.fragment(_pairs, key="preferences_pairs")()
        why_it_matters(
            "Sides are shuffled and who wrote what is hidden. The same person calls an answer 5 today and 6 tomorrow, but says "
            "which of two is better with far less doubt: so reward models are trained on comparisons. Keys: 1, 2, 0 for a tie, "
            "B for both bad, U takes the last vote back.",
            "Preference pair",
        )
    elif view == "rank":
        rank_part(kept)
    elif view == "score":
        score_part(kept)
    else:
        agreement_part(kept)


def _open(view: object) -> tuple[str, ...]:
    session.put(VoteView(str(view)))
    note_shown()
    return (PICTURES,)


def _pairs() -> None:
    with problems_shown_here():
        _show_pairs()


def _show_pairs() -> None:
    own, voter, kept = session.get(_VoteSession), session.get(Voter), opened()
    if own.refused:
        show_problem(own.refused)
        own.refused = ""
    seed = kept.id or kept.name
    asked = next_pairs(kept.ballot, kept.verdicts, voter.name, seed=seed, count=AHEAD)
    judged = sum(each.voter == voter.name for each in kept.verdicts)
    shown = [_shown(own, kept, pair) for pair in asked]
    if shown:
        seconds_since_shown()
    judge_pair(
        shown,
        key=f"preferences_pair_{seed[:12]}_{voter.name}"[:60],
        empty=f"{voter.name} has judged every pair of this ballot: look at Strengths, or bring in more answers.",
        on_press=_pressed,
    )
    st.caption(
        escape_markdown(
            f"{judged:,} of {len(kept.ballot.pairs):,} pairs judged by {voter.name!r}; {len(kept.verdicts):,} votes in all."
        )
    )
    if not kept.verdicts:
        ways_on("vote")


def _shown(own: _VoteSession, kept: KeptBallot, pair: tuple[int, int, Side]) -> ShownPair:
    first, second, left = pair
    name = own.names.setdefault((kept.name, first, second), secrets.token_hex(6))
    own.asked[name] = pair
    one, other = (kept.ballot.answers[place] for place in (first, second))
    left_text, right_text = (one.text, other.text) if left == "first" else (other.text, one.text)
    return ShownPair(name, one.prompt, one.system, left_text, right_text)


def _pressed(events: Sequence[Pressed]) -> None:
    own, voter = session.get(_VoteSession), session.get(Voter)
    try:
        for event in events:
            pair = own.asked.get(event.id)
            if pair is None:
                continue  # another session's
            first, second, left = pair
            if event.what == "undo":
                ballot = opened().id
                if ballot:
                    store().undo(ballot, Verdict(voter.name, first, second, left, "tie"))
                continue
            seconds = seconds_since_shown() / len(events)
            winner = _winner(event.what, left)
            cast([Verdict(voter.name, first, second, left, winner, voter.group, seconds)])
    except PlaygroundError as error:
        own.refused = str(error)


def _winner(pressed: str, left: Side) -> Winner:
    if pressed in ("left", "right"):
        right: Side = "second" if left == "first" else "first"
        return left if pressed == "left" else right
    return "tie" if pressed == "tie" else "both_bad"
