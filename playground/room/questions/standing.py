"""How the answers stand that a room compared: strengths, agreement, and whether votes follow the side.

What is counted and fitted is the business of ``playground.preferences``; this hands it a room's votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.preferences.agreement import Agreement, measure_agreement
from playground.preferences.judges import PositionBias, measure_position_bias
from playground.preferences.strengths import Strengths, fit_strengths
from playground.preferences.votes import Vote
from playground.room.questions.better import answer_name, votes_of
from playground.room.questions.types import Better, Round


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """``side``: the room's decided votes by side, as if they were one voter's."""

    strengths: Strengths
    agreement: Agreement
    side: PositionBias


def votes_to_fit(rounds: Sequence[Round]) -> list[Vote]:
    """The votes of a series as names."""
    return [Vote(vote.left, vote.right, vote.outcome, vote.voter, vote.group, vote.prompt) for vote in votes_of(rounds)]


def standing_of(rounds: Sequence[Round]) -> Standing | None:
    """Of all rounds of a series; None while nobody has voted."""
    votes = votes_to_fit(rounds)
    if not votes:
        return None
    about = rounds[0].question.about
    items = [answer_name(place) for place in range(len(about.answers))] if isinstance(about, Better) else []
    (side,) = measure_position_bias([replace(vote, voter="the room") for vote in votes])
    return Standing(fit_strengths(votes, items=items), measure_agreement(votes), side)
