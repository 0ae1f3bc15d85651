"""Votes written by hand and drawn from Davidson's model with known strengths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from playground.preferences.votes import Outcome, Vote

WINS, LOSSES, TIES = 0, 1, 2
COLUMNS: tuple[Outcome, ...] = ("left", "right", "tie")


def votes_of(counts: Mapping[tuple[str, str], tuple[int, ...]]) -> list[Vote]:
    """{(left, right): (for the left, for the right, ties)} as votes."""
    return [
        Vote(left, right, outcome)
        for (left, right), numbers in counts.items()
        for outcome, number in zip(COLUMNS, numbers, strict=False)
        for _ in range(number)
    ]


def shares(difference: npt.ArrayLike, tie: float) -> npt.NDArray[np.float64]:
    """Davidson's probabilities of a win, a loss and a tie at a difference of log strengths, written out anew."""
    odds = np.exp(np.asarray(difference, dtype=float))
    total = odds + 1 + tie * np.sqrt(odds)
    return np.stack([odds / total, 1 / total, tie * np.sqrt(odds) / total], axis=-1)
