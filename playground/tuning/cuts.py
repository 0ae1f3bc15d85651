"""What temperature and truncation leave of sorted rows: one boundary a row, moved by each sampler.

The registry ``CUTS`` says of each sampler how it moves the boundary and whether the reference's token stays. Every
comparison is made with a margin for what float32 may round otherwise in the chain; where it falls within the margin, or
parts equal logits, the token is doubtful and whoever asks must ask the chain. Knows sorted rows, and no text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import TOP_H_CANDIDATES
from playground.tuning.sorted_rows import Floats, SortedRows

Flags = npt.NDArray[np.bool_]

_ROUNDING = 2e-6  # relative, of a sum of float32 probabilities
_LOGIT_ROUNDING = 1.2e-7  # relative, of a float32 logit that was divided: two units in the last place
_NOTICEABLE = 1e-3  # of a row's mass: a token at the cut that weighs less may be counted wrongly
_BY_MASS = frozenset(
    {"dynatemp", "top_p", "epsilon_cutoff", "eta_cutoff", "top_n_sigma", "top_h"}
)  # or by the count alive


@dataclass(frozen=True, slots=True, eq=False)
class Leftover:
    """Of P reference tokens: which are ``alive``, the index of the sampler that removed the others (-1), the natural
    log-probability of those alive, the effective ``choices`` left, and which are ``doubtful``: for whether they are
    ``undecided`` themselves, or because a token at the cut that may be wrongly counted weighs noticeably."""

    alive: Flags
    by: npt.NDArray[np.int16]
    logprobs: Floats
    choices: Floats
    doubtful: Flags
    undecided: Flags


def apply_cuts(rows: SortedRows, settings: SamplerSettings, names: Sequence[str]) -> Leftover:
    """Run the samplers ``names``, all of them in ``CUTS``, in this order."""
    state = _State(rows)
    for index, name in enumerate(names):
        state.index = index
        if name in _BY_MASS:  # what may be wrongly counted may decide here
            state.undecided |= state.doubtful & state.alive
        CUTS[name](state, settings)
    entropy, total = state.entropy()
    logprobs = state.beta_each() * rows.logit - np.log(total)
    return Leftover(state.alive, state.by, logprobs, np.exp(entropy.clip(min=0)), state.doubtful, state.undecided)


class _State:
    """Where each row is cut off (``end``, a boundary with its fraction), and the inverse temperature so far."""

    def __init__(self, rows: SortedRows) -> None:
        self.rows, self.index = rows, 0
        self.beta: float | Floats = 1.0  # or (P, 1)
        self._sums: tuple[Floats, Floats] | None = None
        self._sums_beta: float | Floats | None = None
        self.end = np.full(len(rows), float(rows.count.shape[1]))
        self.alive = rows.equals > 0
        self.by = np.full(len(rows), -1, dtype=np.int16)
        self.doubtful, self.undecided = rows.wild.copy(), rows.wild.copy()

    def beta_each(self) -> float | Floats:
        return self.beta if isinstance(self.beta, float) else self.beta[:, 0]

    def sums(self) -> tuple[Floats, Floats]:
        """At the present inverse temperatures; those of each row its own are not remembered by the rows."""
        if self._sums is None or self._sums_beta is not self.beta:
            self._sums, self._sums_beta = self.rows.cumulative(self.beta), self.beta
        return self._sums

    def at(self, cumulative: Floats, end: Floats) -> Floats:
        """A cumulative (P, n + 1) at a boundary of each row, between two in proportion."""
        segments = cumulative.shape[1] - 1
        below = np.minimum(end.astype(np.int64), segments - 1)
        place = self.rows.number * (segments + 1) + below
        low, high = cumulative.ravel()[place], cumulative.ravel()[place + 1]
        interpolated: Floats = low + (end - below) * (high - low)
        return interpolated

    def total_and_weighted(self) -> tuple[Floats, Floats]:
        """Of what is left: the sums of exp(b z) and of z exp(b z)."""
        if not isinstance(self.beta, float) and self._sums_beta is not self.beta:
            return self.rows.sums_until(self.beta, self.end)
        mass, weighted = self.sums()
        return self.at(mass, self.end), self.at(weighted, self.end)

    def total(self) -> Floats:
        return self.total_and_weighted()[0]

    def entropy(self) -> tuple[Floats, Floats]:
        """Of what is left, in nats; and the sum of exp(b z)."""
        total, weighted = self.total_and_weighted()
        return np.log(total) - self.beta_each() * weighted / total, total

    def rounding(self) -> Floats:
        """How far, relatively, a float32 sum of probabilities may lie from the one here."""
        slack = _ROUNDING + _LOGIT_ROUNDING * (self.beta_each() * np.abs(self.rows.top) + 20)
        return (slack if isinstance(self.beta, float) else 10 * slack) + self.unsure_share(self.sums()[0])

    def unsure_share(self, cumulative: Floats) -> Floats:
        """Where a row was cut inside of a segment: which share of what is left that place may be wrong by."""
        segments = self.rows.count.shape[1]
        inside = np.minimum(self.end.astype(np.int64), segments - 1)
        size = self.rows.count.ravel()[self.rows.number * segments + inside]
        place = self.rows.number * (segments + 1) + inside
        held = cumulative.ravel()[place + 1] - cumulative.ravel()[place]
        unsure = (self.end > inside) & (self.end < inside + 1) & (size > 1)
        share: Floats = np.where(unsure, held * (0.02 + 1.5 / np.maximum(size, 1)) / self.at(cumulative, self.end), 0.0)
        return share

    def decide(self, kept: Flags, gone: Flags) -> None:
        """What certainly stays and what certainly goes; what is neither is doubtful."""
        unknown = self.alive & ~kept & ~gone
        self.doubtful |= unknown
        self.undecided |= unknown
        lost = self.alive & ~kept
        self.by[lost] = self.index
        self.alive &= kept

    def cut(self, end: Floats) -> None:
        np.minimum(self.end, end, out=self.end)

    def cut_below(self, limit: Floats, margin: Floats) -> None:
        """Remove logits below ``limit`` (at most 0, less the top), which float32 may place by ``margin`` elsewhere."""
        rows = self.rows
        top = rows.larger == 0
        self.decide(top | (rows.logit > limit + margin), ~top & (rows.logit < limit - margin))
        end, before, behind = rows.boundary_at(limit)
        near = ((before - limit < margin) & (before < 0)) | (limit - behind < margin)
        weighs = np.exp(self.beta_each() * limit) > _NOTICEABLE * self.total()
        self.doubtful |= near & weighs
        self.cut(end)


def _temperature(state: _State, settings: SamplerSettings) -> None:
    if settings.temperature == 0:
        _greedy(state, np.ones(len(state.rows), dtype=np.bool_))
    else:
        state.beta = state.beta / settings.temperature


def _greedy(state: _State, where: Flags) -> None:
    stays = ~where | state.rows.likeliest
    state.decide(stays, ~stays)
    state.cut(np.where(where, 1.0, np.inf))


def _dynatemp(state: _State, settings: SamplerSettings) -> None:
    """T = low + (high - low) (H / ln n)^exponent: another temperature for each row."""
    low = max(0.0, settings.temperature - settings.dynatemp_range)
    high = max(0.0, settings.temperature + settings.dynatemp_range)
    entropy, _total = state.entropy()
    count = state.at(state.rows.counts, state.end)
    relative = (entropy / np.log(count).clip(min=1e-9)).clip(0, 1)
    effective = np.where(count > 1, low + (high - low) * relative**settings.dynatemp_exponent, 1.0)
    _greedy(state, effective <= 0)
    state.beta = (state.beta_each() / np.where(effective > 0, effective, 1.0))[:, None]


def _top_k(state: _State, settings: SamplerSettings) -> None:
    rows, k = state.rows, int(settings.top_k)
    state.decide(rows.larger < k, rows.larger >= k)
    if k <= rows.ordered.shape[1]:
        state.cut(rows.boundary_of_top(k))
    else:
        after = (rows.counts < k).sum(axis=1)  # the first boundary with so many before it, in proportion below
        place = rows.number * rows.counts.shape[1] + np.minimum(after, rows.count.shape[1])
        reached, before = rows.counts.ravel()[place], rows.counts.ravel()[place - 1]
        share = np.where(reached > before, (k - before) / np.where(reached > before, reached - before, 1), 1.0)
        state.cut(after - 1 + share.clip(max=1.0))


def _top_p(state: _State, settings: SamplerSettings) -> None:
    """The token at which the mass reaches p stays: what stands before a token must not have reached it."""
    rows, (mass, _weighted) = state.rows, state.sums()
    total = state.at(mass, state.end)
    target, margin = settings.top_p * total, state.rounding() * total
    flat, width = mass.ravel(), mass.shape[1]
    before = flat[rows.number * width + rows.before]
    last = before + (rows.equals - 1).clip(min=0) * np.exp(state.beta_each() * rows.logit)  # before the last equal
    alone = (rows.larger == 0) & (rows.equals == 1)
    state.decide(alone | (last < target - margin), ~alone & (rows.larger > 0) & (before >= target + margin))
    after = np.maximum(rows.boundaries_reaching(state.beta, target, mass), 1)
    place = rows.number * width + after
    reached, passed = flat[place], flat[place - 1]
    size = rows.count.ravel()[rows.number * (width - 1) + after - 1]
    single = size <= 1
    share = ((target - passed) / np.maximum(reached - passed, 1e-300)).clip(0, 1)
    share = np.where(single, 1.0, np.ceil(share * size) / np.maximum(size, 1))  # the token that crosses stays whole
    near = (reached - target < margin) | ((target - passed < margin) & (after > 1))
    state.doubtful |= near & single & (reached - passed > _NOTICEABLE * total)
    state.cut(after - 1 + share)


def _min_p(state: _State, settings: SamplerSettings) -> None:
    limit = math.log(settings.min_p) / state.beta_each() * np.ones(len(state.rows))
    state.cut_below(limit, _margin(state, limit, 0.0))  # a ratio of two probabilities, whatever their sum


def _epsilon(state: _State, settings: SamplerSettings) -> None:
    limit = ((math.log(settings.epsilon_cutoff) + np.log(state.total())) / state.beta_each()).clip(max=0.0)
    state.cut_below(limit, _margin(state, limit, state.rounding()))


def _eta(state: _State, settings: SamplerSettings) -> None:
    entropy, total = state.entropy()
    log_epsilon = math.log(settings.eta_cutoff)
    smallest = np.minimum(log_epsilon, log_epsilon / 2 - entropy)
    limit = ((smallest + np.log(total)) / state.beta_each()).clip(max=0.0)
    state.cut_below(limit, _margin(state, limit, 10 * state.rounding()))


def _top_n_sigma(state: _State, settings: SamplerSettings) -> None:
    """The deviation of the logits still alive; a temperature divides both sides."""
    rows = state.rows
    count = state.at(rows.counts, state.end)
    mean = state.at(rows.sums, state.end) / count
    variance = (state.at(rows.squares, state.end) / count - mean**2).clip(min=0)
    limit = -settings.top_n_sigma * np.sqrt(variance)
    margin = _margin(state, limit, 0.0) + 20 * np.abs(limit) * state.unsure_share(rows.counts)
    state.cut_below(limit, margin)


def _margin(state: _State, limit: Floats, slack: float | Floats) -> Floats:
    """In logits: what rounding a logit, a probability and (relatively, by ``slack``) their sum may move."""
    logit = _LOGIT_ROUNDING * (np.abs(state.rows.top) + np.abs(limit) + 1)
    return (logit + (_ROUNDING + slack) / state.beta_each()) * (1 if isinstance(state.beta, float) else 10)


def _top_h(state: _State, settings: SamplerSettings) -> None:
    """Within the likeliest hundred, the prefix whose entropy is within h of theirs."""
    rows = state.rows
    most = min(TOP_H_CANDIDATES, rows.head)
    mass, weighted = (sums[:, : most + 1] for sums in state.sums())  # the head's tokens are a segment each
    alive = np.minimum(np.floor(state.end), most).astype(np.int64)
    total = mass[rows.number, alive][:, None]
    shares = np.diff(mass, axis=1) / total  # (P, most)
    shares[np.arange(most) >= alive[:, None]] = 0
    spent = (np.log(total) * mass - state.beta * weighted) / total  # the entropy of each prefix: -sum p ln p
    spent = spent[:, 1:]
    np.copyto(spent, spent[rows.number, alive - 1][:, None], where=np.arange(most) >= alive[:, None])
    ceiling = settings.top_h * spent[:, -1]
    margin = 5 * state.rounding() * (ceiling + 0.1)
    kept = np.maximum(((spent <= ceiling[:, None]) & (shares > 0)).sum(axis=1), 1)
    flat = spent.ravel()
    at_first = flat[rows.number * most + np.minimum(rows.larger, most - 1)]
    at_last = flat[rows.number * most + np.clip(rows.larger + rows.equals - 1, 0, most - 1)]
    alone = (rows.larger == 0) & (rows.equals == 1)
    inside = (rows.larger + rows.equals <= most) & (at_last < ceiling - margin)
    outside = (rows.larger >= most) | (at_first > ceiling + margin)
    state.decide(alone | inside, ~alone & (rows.larger > 0) & outside)
    for step in (kept - 1, np.minimum(kept, most - 1)):
        near = np.abs(flat[rows.number * most + step] - ceiling) < margin
        state.doubtful |= near & (step > 0) & (shares.ravel()[rows.number * most + step] > _NOTICEABLE)
    state.cut(kept.astype(np.float64))


CUTS: Mapping[str, Callable[[_State, SamplerSettings], None]] = {
    "temperature": _temperature,
    "dynatemp": _dynatemp,
    "top_k": _top_k,
    "top_p": _top_p,
    "min_p": _min_p,
    "epsilon_cutoff": _epsilon,
    "eta_cutoff": _eta,
    "top_n_sigma": _top_n_sigma,
    "top_h": _top_h,
}
