"""What one person said of two things, as frozen data, and the counts that the models of preference are fitted to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput

Outcome = Literal["left", "right", "tie", "both_bad"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

MAX_ITEMS = 500  # a fit holds a matrix of this many rows and columns


@dataclass(frozen=True, slots=True)
class Vote:
    """One comparison: what stood left, what right, and what the voter said.

    ``left`` and ``right`` name what is compared (an answer, a model, a setting). ``voter`` and ``group`` may be empty;
    ``subject`` says what the comparison was about where the names do not: with settings as names, the prompt.
    Raises BadInput for a thing compared with itself, a nameless one, or an unknown outcome.
    """

    left: str
    right: str
    outcome: Outcome
    voter: str = ""
    group: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        if not self.left or not self.right:
            raise BadInput("A vote needs a name on its left and on its right; one of them is empty.", "votes")
        if self.left == self.right:
            raise BadInput(f"A vote compares {self.left[:40]!r} with itself; name two things.", "votes")
        if self.outcome not in OUTCOMES:
            raise BadInput(f"A vote's outcome is one of {', '.join(OUTCOMES)}, not {self.outcome[:40]!r}.", "votes")

    @property
    def pair(self) -> tuple[str, str]:
        """The two names in alphabetical order: the same whichever stood left."""
        return (self.left, self.right) if self.left < self.right else (self.right, self.left)

    @property
    def winner(self) -> str | None:
        """The name preferred; None for a tie and for both bad."""
        return {"left": self.left, "right": self.right}.get(self.outcome)


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """Votes counted by pair: all that a Bradley-Terry model needs of them.

    ``items`` are the names in alphabetical order. Of P pairs that were compared, ``first`` and ``second`` (P,) are
    indices into ``items``, first < second; ``wins`` (P, 3) counts the votes for the first, for the second, and for
    neither (ties and both bad). ``cell`` (votes,) says where in the flattened ``wins`` each vote is counted, and
    ``voter`` (votes,) whose of ``voters`` it is.
    """

    items: tuple[str, ...]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    wins: npt.NDArray[np.float64]
    cell: npt.NDArray[np.intp]
    voters: tuple[str, ...]
    voter: npt.NDArray[np.intp]

    def of_items(self) -> npt.NDArray[np.int64]:
        """Wins, losses and ties of each item: (items, 3)."""
        totals = np.zeros((len(self.items), 3), dtype=np.int64)
        counts = self.wins.astype(np.int64)
        np.add.at(totals, self.first, counts)
        np.add.at(totals, self.second, counts[:, [1, 0, 2]])
        return totals

    def weighted(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """``wins`` again, with a weight on each voter (voters,)."""
        counted = np.bincount(self.cell, weights[self.voter], minlength=self.wins.size)
        return counted.astype(np.float64, copy=False).reshape(self.wins.shape)


def count_pairs(votes: Sequence[Vote], items: Iterable[str] = ()) -> PairCounts:
    """The counts of ``votes``; ``items`` adds names nobody has voted on yet. Raises BadInput for too many names."""
    names = tuple(sorted({name for vote in votes for name in (vote.left, vote.right)} | set(items)))
    if len(names) > MAX_ITEMS:
        raise BadInput(f"The votes name {len(names):,} things; at most {MAX_ITEMS} can be compared at once.", "votes")
    place = {name: index for index, name in enumerate(names)}
    pairs = {pair: index for index, pair in enumerate(sorted({vote.pair for vote in votes}))}
    voters = {voter: index for index, voter in enumerate(sorted({vote.voter for vote in votes}))}
    columns = (2 if vote.winner is None else vote.pair.index(vote.winner) for vote in votes)
    cell = np.array([3 * pairs[vote.pair] + c for vote, c in zip(votes, columns, strict=True)], dtype=np.intp)
    voter = np.array([voters[vote.voter] for vote in votes], dtype=np.intp)
    ends = np.array([[place[a], place[b]] for a, b in pairs], dtype=np.intp).reshape(-1, 2)
    wins = np.bincount(cell, minlength=3 * len(pairs)).astype(np.float64).reshape(-1, 3)
    return PairCounts(names, ends[:, 0], ends[:, 1], wins, cell, tuple(voters), voter)


def by_voter(votes: Iterable[Vote]) -> dict[str, tuple[Vote, ...]]:
    """The votes of each named voter, in the order given; those without a voter are left out."""
    return _grouped(votes, "voter")


def by_group(votes: Iterable[Vote]) -> dict[str, tuple[Vote, ...]]:
    """The votes of each named group, in the order given; those without a group are left out."""
    return _grouped(votes, "group")


def _grouped(votes: Iterable[Vote], field: Literal["voter", "group"]) -> dict[str, tuple[Vote, ...]]:
    grouped: dict[str, list[Vote]] = {}
    for vote in votes:
        name = vote.voter if field == "voter" else vote.group
        if name:
            grouped.setdefault(name, []).append(vote)
    return {name: tuple(grouped[name]) for name in sorted(grouped)}
