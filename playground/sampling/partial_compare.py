"""Two final distributions over the same listed tokens: what is certain of their difference."""

from __future__ import annotations

import numpy as np

from playground.sampling.partial_chain import PartialTrace
from playground.sampling.partial_row import EXACT_WITHIN


def certain_difference(p: PartialTrace, q: PartialTrace) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Listed tokens that can be drawn under q and for certain not under p, and the other way round."""
    if p.final is None or q.final is None:
        return (), ()
    gained, lost = q.final.kept & ~p.final.possible, p.final.kept & ~q.final.possible
    return tuple(p.raw.ids[gained].tolist()), tuple(p.raw.ids[lost].tolist())


def kl_divergence(p: PartialTrace, q: PartialTrace) -> float | None:
    """KL(p || q) in nats where both are exact, else None.

    The rest counts as one outcome: where both are exact, it is left whole or gone, and whole it is scaled by one factor.
    """
    if p.verdict != "exact" or q.verdict != "exact":
        return None
    first, second = (np.append(_middle(trace), np.mean(trace.final_rest())) for trace in (p, q))
    possible = first > EXACT_WITHIN
    if (second[possible] <= 0).any():
        return float("inf")
    return max(0.0, float((first[possible] * np.log(first[possible] / second[possible])).sum()))


def _middle(trace: PartialTrace) -> np.ndarray:
    low, high = trace.final_probs()
    return np.asarray((low + high) / 2)
