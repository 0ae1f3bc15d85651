"""What votes take and cost, beside published figures.

Sources: Chatbot Arena's authors, 3 to 5 minutes a comparison where answers are checked; Llama 2's preference data at about
$3.50 a comparison (Surge's price as reported); a written demonstration at about $25, or $10 at the low end. US dollars, 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from playground.preferences.ballots import Verdict

COMPARISON_USD, DEMONSTRATION_USD = 3.50, 25.0
CHECKED_VOTE_S = (180.0, 300.0)


@dataclass(frozen=True, slots=True)
class VotesCost:
    """``timed``: votes whose time is known; ``median_s`` and ``total_s`` of these. ``usd``: all votes at the price asked."""

    votes: int
    timed: int
    median_s: float | None
    total_s: float
    usd: float
    demonstrations: float


def votes_cost(verdicts: Sequence[Verdict], usd: float = COMPARISON_USD) -> VotesCost:
    """``demonstrations``: how many written answers the same money buys."""
    seconds = [verdict.seconds for verdict in verdicts if verdict.seconds > 0]
    price = len(verdicts) * usd
    return VotesCost(
        len(verdicts),
        len(seconds),
        median(seconds) if seconds else None,
        sum(seconds),
        price,
        price / DEMONSTRATION_USD,
    )


def cost_sentence(cost: VotesCost, usd: float) -> str:
    """The figures as words."""
    if not cost.votes:
        return "No vote yet."
    low, high = (seconds / 60 for seconds in CHECKED_VOTE_S)
    bought = f"{cost.demonstrations:,.1f} demonstrations at ${DEMONSTRATION_USD:g}"
    said = f"{cost.votes:,} votes at ${usd:,.2f} are ${cost.usd:,.0f}, the price of {bought}."
    if cost.median_s is not None:
        said += (
            f" Of {cost.timed:,} the time is known: half took less than {cost.median_s:,.1f} s, all together "
            f"{cost.total_s / 60:,.1f} minutes; "
            f"where answers are checked before the vote it was {low:.0f} to {high:.0f} minutes each (Chatbot Arena)."
        )
    return said
