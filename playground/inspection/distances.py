"""How far the next-token distributions of two models are apart, as exactly as the engines tell.

Kullback and Leibler's divergence where the vocabularies are the same; total variation and Jensen–Shannon's divergence over
the texts of tokens in any case. Of a row that is told in part every figure is a pair of bounds. In nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.types import NextLogits, NextRow
from playground.inspection.alignment import Outcomes

ROUNDING = 1e-12  # what sums of a vocabulary's probabilities differ by although they are the same

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A figure that lies between ``low`` and ``high``; None: no upper bound can be told. Equal where it is exact."""

    low: float
    high: float | None

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeRow:
    """A next-token distribution over outcomes: ``probs`` (outcomes,), with 0 where ``shown`` is False.

    What is not told shares ``rest``.
    """

    probs: Probabilities
    shown: npt.NDArray[np.bool_]
    rest: float


@dataclass(frozen=True, slots=True)
class Mover:
    """An outcome that is as likely as ``p`` in one model and as ``q`` in the other."""

    outcome: int
    p: float
    q: float


@dataclass(frozen=True, slots=True)
class Distances:
    """How far q is from p. ``kl_pq``, ``kl_qp``: None where the vocabularies differ, for which it is not defined.

    ``only_p`` and ``only_q``: the probability that each gives to texts for which the other model has no token.
    """

    kl_pq: Bounds | None
    kl_qp: Bounds | None
    total_variation: Bounds
    jensen_shannon: Bounds
    only_p: float
    only_q: float


def outcome_row(row: NextRow, outcomes: Outcomes, model: int) -> OutcomeRow:
    """A model's row over ``outcomes``, before any sampler. An outcome is told once all of its tokens are."""
    place = outcomes.places[model]
    if isinstance(row, NextLogits):
        wide = row.logits.astype(np.float64)  # so that an unlikely token is not an impossible one
        weights = np.exp(wide - wide.max())
        probs = outcomes.project(weights / weights.sum(), model)
        return OutcomeRow(probs, np.ones(outcomes.size, dtype=bool), 0.0)
    top_probs = np.exp(row.logprobs.astype(np.float64))
    probs = np.asarray(np.bincount(place[row.top_ids], weights=top_probs, minlength=outcomes.size), dtype=np.float64)
    tokens = np.bincount(place, minlength=outcomes.size)  # of each outcome; 0 for one that this model has no token for
    complete = np.bincount(place[row.top_ids], minlength=outcomes.size) == tokens
    probs[~complete] = 0.0
    return OutcomeRow(probs, complete, max(0.0, 1.0 - float(probs.sum())))


def distances(p: OutcomeRow, q: OutcomeRow, outcomes: Outcomes, models: tuple[int, int] = (0, 1)) -> Distances:
    """From p to q. ``models``: their numbers among ``outcomes``.

    Bounds of rows told in part: seeing several outcomes as one never adds to a divergence (data processing), so all that
    is not told by both counts as one outcome below; above, it is as far apart as can be. KL has no upper bound then.
    """
    both = p.shown & q.shown
    a, b = p.probs[both], q.probs[both]
    whole = bool(both.all())
    rest_a, rest_b = (0.0, 0.0) if whole else (max(0.0, 1 - float(a.sum())), max(0.0, 1 - float(b.sum())))
    has_p, has_q = (outcomes.in_vocabulary(model) for model in models)
    variation = float(np.abs(a - b).sum())
    shannon = float(_jensen_shannon_terms(a, b).sum())
    rests = np.array([rest_a]), np.array([rest_b])
    return Distances(
        kl_pq=_kl_bounds(a, b, rests, whole) if outcomes.same else None,
        kl_qp=_kl_bounds(b, a, rests[::-1], whole) if outcomes.same else None,
        total_variation=_bounds(
            (variation + abs(rest_a - rest_b)) / 2, (variation + rest_a + rest_b) / 2, whole, most=1.0
        ),
        jensen_shannon=_bounds(
            shannon + float(_jensen_shannon_terms(*rests).sum()),
            shannon + (rest_a + rest_b) / 2 * math.log(2),
            whole,
            most=math.log(2),
        ),
        only_p=float(p.probs[~has_q].sum()),
        only_q=float(q.probs[~has_p].sum()),
    )


def movers(p: OutcomeRow, q: OutcomeRow, count: int) -> tuple[Mover, ...]:
    """The outcomes whose probability differs most, of those that both tell."""
    change = np.where(p.shown & q.shown, np.abs(p.probs - q.probs), 0.0)
    order = np.argsort(-change, kind="stable")[:count]
    return tuple(Mover(int(o), float(p.probs[o]), float(q.probs[o])) for o in order if change[o] > ROUNDING)


def _bounds(low: float, high: float, whole: bool, most: float) -> Bounds:
    low = 0.0 if low < ROUNDING else min(low, most)
    return Bounds(low, low if whole else min(max(low, high), most))


def _kl_bounds(p: Probabilities, q: Probabilities, rests: tuple[Probabilities, ...], whole: bool) -> Bounds:
    low = _kl_sum(p, q) + _kl_sum(*rests)
    low = 0.0 if low < ROUNDING else low
    return Bounds(low, low if whole else None)


def _kl_sum(p: Probabilities, q: Probabilities) -> float:
    """Sum p ln(p / q); infinite where q excludes what p allows."""
    possible = p > 0
    with np.errstate(divide="ignore"):
        return float((p[possible] * (np.log(p[possible]) - np.log(q[possible]))).sum())


def _jensen_shannon_terms(p: Probabilities, q: Probabilities) -> Probabilities:
    """Of each outcome: (p ln(p / m) + q ln(q / m)) / 2 with m = (p + q) / 2 (Lin 1991, with equal weights)."""
    mean = (p + q) / 2
    terms = np.zeros_like(mean)
    for one in (p, q):
        some = one > 0
        terms[some] += one[some] * (np.log(one[some]) - np.log(mean[some])) / 2
    return terms
