"""Two distributions side by side: what one setting allows that another does not, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.numerics import entropy_of_weights
from playground.sampling.chain import RowTrace

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Comparison:
    """From distribution p to distribution q over the same vocabulary.

    ``gained`` can be drawn under q only, ``lost`` under p only; both likeliest first. ``kl_pq`` = KL(p || q) and
    ``kl_qp`` in nats; infinite where a token possible under the first is impossible under the second, and
    ``undefined`` then says in a sentence which. ``total_variation`` in [0, 1] is the least chance, over all ways of
    drawing from both together, that the two tokens differ. ``choices_*`` = exp(entropy), the number of equally likely
    tokens that would be as uncertain.
    """

    gained: tuple[int, ...]
    lost: tuple[int, ...]
    kl_pq: float
    kl_qp: float
    total_variation: float
    choices_p: float
    choices_q: float
    undefined: str | None


def compare(p: RowTrace | FloatArray, q: RowTrace | FloatArray) -> Comparison:
    """Compare two final distributions, traces or (vocab,) probabilities. Raises BadInput if sizes differ."""
    first, second = _final_probs(p), _final_probs(q)
    if first.shape != second.shape or first.ndim != 1:
        raise BadInput("Two distributions can only be compared over one vocabulary; choose the same model for both.")
    gained = np.flatnonzero((second > 0) & (first == 0))
    lost = np.flatnonzero((first > 0) & (second == 0))
    return Comparison(
        gained=_likeliest_first(gained, second),
        lost=_likeliest_first(lost, first),
        kl_pq=kl_divergence(first, second),
        kl_qp=kl_divergence(second, first),
        total_variation=min(1.0, float(np.abs(first - second).sum() / 2)),
        choices_p=effective_choices(first),
        choices_q=effective_choices(second),
        undefined=_why_infinite(len(lost), len(gained)),
    )


def kl_divergence(p: FloatArray, q: FloatArray) -> float:
    """KL(p || q) = sum p ln(p / q) in nats; infinite when q excludes a token that p allows."""
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    possible = first > 0
    if (second[possible] == 0).any():
        return float("inf")
    return max(0.0, float((first[possible] * np.log(first[possible] / second[possible])).sum()))


def effective_choices(probs: FloatArray) -> float:
    """exp(H): 1 for a certain token, n for n equally likely ones."""
    return float(np.exp(entropy_of_weights(np.asarray(probs, dtype=np.float64))))


def _final_probs(source: RowTrace | FloatArray) -> npt.NDArray[np.float64]:
    probs = source.final_probs if isinstance(source, RowTrace) else source
    return np.asarray(probs, dtype=np.float64)


def _likeliest_first(ids: npt.NDArray[np.intp], probs: npt.NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(ids[np.argsort(-probs[ids], kind="stable")].tolist())


def _why_infinite(lost: int, gained: int) -> str | None:
    reasons = []
    if lost:
        reasons.append(f"KL(p‖q) is infinite: {lost} token{'s' * (lost > 1)} possible under p cannot be drawn under q.")
    if gained:
        reasons.append(f"KL(q‖p) is infinite: {gained} token{'s' * (gained > 1)} possible under q cannot under p.")
    return " ".join(reasons) or None
