"""Two final distributions side by side: what one setting allows that another does not, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.sampling.distribution import BoolArray, FinalDistribution

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Comparison:
    """From distribution p to distribution q over the same tokens told.

    ``gained`` can be drawn under q and for certain not under p, ``lost`` the other way round; both likeliest first.
    ``kl_qp`` = KL(q || p) in nats, infinite where q allows a token that p excludes; None where one of the two is known in
    bounds only, or not at all.
    """

    gained: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    kl_qp: float | None = None


def compare(p: FinalDistribution | None, q: FinalDistribution | None) -> Comparison:
    """Compare two final distributions; None: nothing is known of one. Raises BadInput if their tokens differ.

    All tokens that are not told count as one: where both are exact, they are left whole or gone, and whole they are scaled
    by one factor.
    """
    if p is None or q is None:
        return Comparison()
    if not np.array_equal(p.ids, q.ids):
        raise BadInput("Two distributions can only be compared over one vocabulary; choose the same model for both.")
    gained, lost = q.kept & ~p.possible, p.kept & ~q.possible
    exact = p.exact and q.exact
    divergence = kl_divergence(np.append(q.probs, q.rest_prob), np.append(p.probs, p.rest_prob)) if exact else None
    return Comparison(_likeliest_first(q, gained), _likeliest_first(p, lost), divergence)


def kl_divergence(p: FloatArray, q: FloatArray) -> float:
    """KL(p || q) = sum p ln(p / q) in nats; infinite when q excludes a token that p allows."""
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    possible = first > 0
    if (second[possible] == 0).any():
        return float("inf")
    return max(0.0, float((first[possible] * np.log(first[possible] / second[possible])).sum()))


def _likeliest_first(of: FinalDistribution, some: BoolArray) -> tuple[int, ...]:
    places = np.flatnonzero(some)
    return tuple(of.ids[places[np.argsort(-of.high[places], kind="stable")]].tolist())
