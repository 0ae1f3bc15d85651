"""What is known of a final distribution: of a whole row everything, of a row told in part what lies between which bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class FinalDistribution:
    """``ids`` (k,): the tokens told, in a whole row all of them; ``low``, ``high`` (k,): bounds of their probabilities.

    ``kept`` (k,): can be drawn for certain; ``possible`` (k,): not removed for certain. ``rest``: bounds of what the tokens
    not told share; ``left``: how many tokens are left; ``entropy`` in nats. ``exact``: all bounds are equal.
    """

    ids: npt.NDArray[np.int64]
    low: npt.NDArray[np.floating]
    high: npt.NDArray[np.floating]
    kept: BoolArray
    possible: BoolArray
    rest: tuple[float, float]
    left: tuple[float, float]
    entropy: tuple[float, float]
    exact: bool

    @property
    def probs(self) -> npt.NDArray[np.float64]:
        """(k,) the numbers that exact bounds are."""
        return np.where(self.possible, (self.low.astype(np.float64) + self.high) / 2, 0.0)

    @property
    def rest_prob(self) -> float:
        """The number that exact bounds of the rest are."""
        return (self.rest[0] + self.rest[1]) / 2
