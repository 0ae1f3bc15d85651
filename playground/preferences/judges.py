"""Whether a voter's choice follows the side on which an answer stands: each voter's position bias.

Sides are shuffled, so an answer's merit cannot favour one of them; what remains is the voter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from playground.preferences.votes import Vote, by_voter

MARKED_BELOW = 0.001  # one of a thousand unbiased voters is marked


@dataclass(frozen=True, slots=True)
class PositionBias:
    """One voter's decided votes by side. ``share``: those for the left, with its Clopper-Pearson 95% interval.

    ``p``: how often a voter without bias would be at least this one-sided (exact binomial test, two-sided). All three
    are None without a decided vote.
    """

    voter: str
    left: int
    right: int
    undecided: int
    share: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def biased(self) -> bool:
        """Whether so one-sided a record is not chance."""
        return self.p is not None and self.p < MARKED_BELOW

    @property
    def note(self) -> str | None:
        """A sentence on a biased voter, None for any other."""
        if not self.biased:
            return None
        side, count = ("left", self.left) if self.left > self.right else ("right", self.right)
        often = "always" if count == self.left + self.right else f"in {count} of {self.left + self.right} votes"
        return (
            f"{self.voter or 'The voter'} preferred the {side} side {often}; sides were shuffled, so these votes say more "
            "of the voter than of the answers."
        )


def measure_position_bias(votes: Sequence[Vote]) -> tuple[PositionBias, ...]:
    """Each voter's, by name; votes without a voter's name count as one voter's with the name "".

    Only meaningful where the sides were shuffled.
    """
    named = by_voter(votes)
    unnamed = tuple(vote for vote in votes if not vote.voter)
    return tuple(_bias(name, own) for name, own in ([("", unnamed)] if unnamed else []) + list(named.items()))


def _bias(voter: str, votes: Sequence[Vote]) -> PositionBias:
    left = sum(vote.outcome == "left" for vote in votes)
    right = sum(vote.outcome == "right" for vote in votes)
    undecided = len(votes) - left - right
    if left + right == 0:
        return PositionBias(voter, 0, 0, undecided, None, None, None, None)
    test = binomtest(left, left + right)
    bounds = test.proportion_ci(0.95, "exact")
    share, p = float(test.statistic), float(test.pvalue)
    return PositionBias(voter, left, right, undecided, share, float(bounds.low), float(bounds.high), p)
