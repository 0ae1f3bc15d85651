"""Bradley-Terry with ties after Davidson, fitted by Newton's method to one set of counts or to many at once.

Davidson (1970, JASA 65, 317-328): with strengths a and b of two items and a tie parameter v, their odds are
``a : b : v sqrt(ab)`` for the first, the second and a tie. On the log scale, with d = ln a - ln b, that is
``exp(d/2) : exp(-d/2) : v``; without ties v is 0 and the model is Bradley and Terry's (1952). The log-likelihood is
concave in the log strengths and ln v. Many at once is what a bootstrap needs. Knows no votes and no names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, connected_components
from scipy.special import logsumexp

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MAX_STEPS = 100
TOLERANCE = 1e-12  # of the log-likelihood that a further step would gain


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Of B sets of counts: log strengths (B, K), each row with mean 0; ``log_tie`` (B,), -inf where nobody tied."""

    log_strengths: Floats
    log_tie: Floats


def fit(
    first: Places, second: Places, wins: Floats, items: int, precision: Floats, start: Estimate | None = None
) -> Estimate:
    """The most likely strengths. ``wins``: (B, P, 3) votes for a pair's first, its second, and neither.

    ``precision`` (B,): 1/variance of a normal prior with mean 0 on each log strength and on ln v; 0 for none, and
    then the counts must have a maximum (``has_maximum``). ``start``: a fit of one set of counts to begin all from.
    """
    model = _Model(first, second, wins, items, precision)
    point = np.zeros((len(wins), items + 1))  # K log strengths, then ln v
    if start is not None:
        point[:] = np.append(start.log_strengths[0], np.maximum(start.log_tie[0], -10))
    value = model.log_posterior(point)
    for _ in range(MAX_STEPS):
        gradient, information = model.derivatives(point)
        step = np.linalg.solve(information, gradient[..., None])[..., 0].astype(np.float64, copy=False)
        gain = (gradient * step).sum(axis=1)
        if gain.max(initial=0.0) < TOLERANCE:
            break
        point, value = _advance(model, point, value, step)
    strengths = point[:, :items]
    log_tie = np.where(model.tied, point[:, items], -np.inf)
    return Estimate(strengths - strengths.mean(axis=1, keepdims=True), log_tie)


def covariance(first: Places, second: Places, wins: Floats, precision: Floats, estimate: Estimate) -> Floats:
    """Of the log strengths (B, K, K) at ``estimate``, whose sum is held at 0.

    The inverse of the Fisher information; with a prior, of the posterior's curvature.
    """
    items = estimate.log_strengths.shape[1]
    model = _Model(first, second, wins, items, precision)
    log_tie = np.where(model.tied, estimate.log_tie, 0.0)
    _gradient, information = model.derivatives(np.column_stack([estimate.log_strengths, log_tie]))
    centring = np.eye(items) - 1 / items
    inverse: Floats = centring @ np.linalg.inv(information)[:, :items, :items] @ centring
    return inverse


def _advance(model: _Model, point: Floats, value: Floats, step: Floats) -> tuple[Floats, Floats]:
    """One step, halved for each set of counts until its log-posterior no longer falls."""
    scale = np.ones((len(point), 1))
    for _ in range(40):
        candidate = point + scale * step
        reached = model.log_posterior(candidate)
        worse = reached < value - 1e-9 * np.abs(value)
        if not worse.any():
            break
        scale[worse] /= 2
    return candidate, reached


class _Model:
    """The log-posterior of B sets of counts and its derivatives."""

    def __init__(self, first: Places, second: Places, wins: Floats, items: int, precision: Floats) -> None:
        self.first, self.second, self.wins, self.items = first, second, wins, items
        self.totals = wins.sum(axis=2)  # (B, P)
        ends, signs = np.concatenate([first, second]), np.repeat([1.0, -1.0], len(first))
        self.pairs = csr_array((signs, (np.tile(np.arange(len(first)), 2), ends)), shape=(len(first), items))  # (P, K)
        self.tied = wins[..., 2].sum(axis=1) > 0  # (B,)
        self.precision = np.concatenate(
            [np.repeat(precision[:, None], items, axis=1), (precision * self.tied)[:, None]], axis=1
        )  # (B, K + 1)

    def log_probabilities(self, point: Floats) -> Floats:
        """ln of the odds' shares: (B, P, 3)."""
        half = (point[:, self.first] - point[:, self.second]) / 2  # (B, P)
        log_tie = np.where(self.tied, point[:, self.items], -np.inf)[:, None]
        odds = np.stack([half, -half, np.broadcast_to(log_tie, half.shape)], axis=2)
        shares: Floats = odds - logsumexp(odds, axis=2, keepdims=True)
        return shares

    def log_posterior(self, point: Floats) -> Floats:
        shares = self.log_probabilities(point)
        won_shares = np.where(self.wins > 0, shares, 0.0)  # 0 times -inf is 0 here
        likelihood: Floats = (self.wins * won_shares).sum(axis=(1, 2)) - (self.precision * point**2).sum(axis=1) / 2
        return likelihood

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """The gradient (B, K + 1) and minus the second derivatives (B, K + 1, K + 1).

        The strengths' sum is not determined by the counts; 1/K on every entry holds it at 0 and moves nothing else.
        """
        shares = np.exp(self.log_probabilities(point))
        lead, tie = shares[..., 0] - shares[..., 1], shares[..., 2]
        slope = (self.wins[..., 0] - self.wins[..., 1] - self.totals * lead) / 2  # (B, P), by d
        own_tie = (self.wins[..., 2] - self.totals * tie).sum(axis=1)
        gradient = np.column_stack([slope @ self.pairs, own_tie])
        gradient -= self.precision * point

        curve = self.totals * (1 - tie - lead**2) / 4  # (B, P), by d twice
        cross = -self.totals * lead * tie / 2  # by d and ln v
        k = self.items
        information = np.zeros((len(point), k + 1, k + 1))
        information[:, self.first, self.second] = information[:, self.second, self.first] = -curve
        information[:, np.arange(k), np.arange(k)] = curve @ abs(self.pairs)
        information[:, k, :k] = information[:, :k, k] = cross @ self.pairs
        information[:, k, k] = (self.totals * tie * (1 - tie)).sum(axis=1) + ~self.tied
        information[:, :k, :k] += 1 / k
        diagonal = np.arange(k + 1)
        information[:, diagonal, diagonal] += self.precision
        return gradient, information


def has_maximum(first: Places, second: Places, wins: Floats, items: int) -> bool:
    """Whether the likelihood of one set of counts (P, 3) has a maximum at finite strengths.

    It has none where moving the strengths by some x and ln v by some c never makes an observed vote less likely: a win
    of i over j asks x_i - x_j >= 2c, a tie |x_i - x_j| <= 2c. With c = 0 there is such an x unless every item reaches
    every other along wins and ties (Ford 1957). With c > 0 these are difference constraints, which contradict each other
    exactly where a cycle has more wins than ties.
    """
    wins_from = np.concatenate([first[wins[:, 0] > 0], second[wins[:, 1] > 0]])
    wins_to = np.concatenate([second[wins[:, 0] > 0], first[wins[:, 1] > 0]])
    tied = wins[:, 2] > 0
    ties_from, ties_to = np.concatenate([first[tied], second[tied]]), np.concatenate([second[tied], first[tied]])
    ends = (np.concatenate([wins_from, ties_from]), np.concatenate([wins_to, ties_to]))
    reached = csr_array((np.ones(len(ends[0])), ends), shape=(items, items))
    if connected_components(reached, directed=True, connection="strong", return_labels=False) > 1:
        return False
    if not tied.any():
        return True
    # of a pair with a win and a tie the win is the shorter edge: a matrix holds one of them
    lengths = np.full((items, items), np.inf)
    lengths[ties_from, ties_to] = 1.0
    lengths[wins_from, wins_to] = -1.0
    return _has_negative_cycle(lengths)


def _has_negative_cycle(lengths: Floats) -> bool:
    """``lengths`` (K, K), inf where there is no edge; every node reaches every other."""
    from_to = np.nonzero(np.isfinite(lengths))
    try:
        bellman_ford(csr_array((lengths[from_to], from_to), shape=lengths.shape), indices=0)
    except NegativeCycleError:
        return True
    return False
