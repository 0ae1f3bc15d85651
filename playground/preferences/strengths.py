"""Strengths of what was voted on, with intervals: what the votes say, and in sentences what they cannot say.

The model is Davidson's (``davidson.py``): Bradley-Terry with ties; a vote that both are bad counts as a tie. Where the
counts alone have no finite answer, a stated normal prior is used and the result says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm

from playground.errors import BadInput
from playground.preferences.davidson import Estimate, covariance, fit, has_maximum
from playground.preferences.settling import any_time_reach
from playground.preferences.votes import PairCounts, Vote, by_group, count_pairs

PRIOR_DEVIATION = 2.0  # of a log strength: two of three items lie within odds of 7.4 to 1 of the mean
BOOTSTRAP_VOTERS = 10  # fewer voters say too little of how voters differ
BOOTSTRAP_REPEATS = 500
ANY_TIME = "confidence sequence, normal mixture (Robbins 1970)"
_NUMBERS_AT_ONCE = 1_000_000  # in one array of the bootstrap's


@dataclass(frozen=True, slots=True)
class Strength:
    """One item. ``strength`` is the natural log, all items' mean is 0; ``low`` and ``high`` bound it at the fit's level.

    ``ties`` counts both-bad votes too.
    """

    name: str
    strength: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True, eq=False)
class Strengths:
    """A fit. ``items`` in alphabetical order; ``covariance`` (items, items) of their log strengths.

    ``tie`` is Davidson's v: between equals, v : 1 is how often a tie comes for each win of the one; 0 where nobody tied.
    ``interval`` names the method of ``low`` and ``high``, ``level`` how often such an interval holds the true value.
    ``prior`` is the standard deviation of the normal prior, None where the votes alone decide. ``notes``: sentences on
    what the votes cannot say. ``any_time``: whether intervals, ``difference``'s too, hold at all times at once.
    """

    items: tuple[Strength, ...]
    tie: float
    covariance: npt.NDArray[np.float64]
    votes: int
    interval: str
    level: float
    prior: float | None
    notes: tuple[str, ...]
    any_time: bool = False

    def difference(self, first: str, second: str) -> tuple[float, float, float]:
        """How much stronger the first is than the second, in natural log, with its interval by the covariance.

        Raises BadInput.
        """
        a, b = self._place(first), self._place(second)
        estimate = self.items[a].strength - self.items[b].strength
        variance = self.covariance[a, a] + self.covariance[b, b] - 2 * self.covariance[a, b]
        reach = float(_reach(np.array(variance), self.level, self.any_time))
        return estimate, estimate - reach, estimate + reach

    def probabilities(self, first: str, second: str) -> tuple[float, float, float]:
        """That a vote goes to the first, to neither, to the second. Raises BadInput."""
        half = (self.items[self._place(first)].strength - self.items[self._place(second)].strength) / 2
        odds = np.array([math.exp(half), self.tie, math.exp(-half)])
        wins, ties, losses = odds / odds.sum()
        return float(wins), float(ties), float(losses)

    def _place(self, name: str) -> int:
        for index, item in enumerate(self.items):
            if item.name == name:
                return index
        raise BadInput(f"There are no votes on {name[:40]!r}; name one of the things that were voted on.", "votes")


def fit_strengths(
    votes: Sequence[Vote],
    *,
    items: Iterable[str] = (),
    level: float = 0.95,
    over_voters: bool = False,
    any_time: bool = False,
    seed: int = 0,
) -> Strengths:
    """Fit the votes. ``items`` adds names nobody has voted on yet. Raises BadInput where there is no vote.

    The intervals are Wald's, as if every vote were given alone. ``over_voters``: where ten voters or more are named, the
    percentile bootstrap over them instead, drawn with ``seed``, which holds when one person's votes resemble each other.
    ``any_time``: intervals that hold at all times at once (``settling.any_time_reach``), for who looks while votes come in.
    """
    if not votes:
        raise BadInput("There are no votes yet; at least one is needed for a strength.", "votes")
    counts = count_pairs(votes, items)
    prior = None if _has_maximum(counts, counts.wins) else PRIOR_DEVIATION
    precision = np.array([0.0 if prior is None else prior**-2])
    estimate = fit(counts.first, counts.second, counts.wins[None], len(counts.items), precision)
    errors = covariance(counts.first, counts.second, counts.wins[None], precision, estimate)[0]
    if over_voters and not any_time and all(counts.voters) and len(counts.voters) >= BOOTSTRAP_VOTERS:
        interval = f"percentile bootstrap over {len(counts.voters)} voters"
        low, high = _bootstrap(counts, estimate, level, seed)
    else:
        interval = ANY_TIME if any_time else "Wald"
        reach = _reach(np.diagonal(errors), level, any_time)
        low, high = estimate.log_strengths[0] - reach, estimate.log_strengths[0] + reach
    strengths = tuple(
        Strength(name, float(estimate.log_strengths[0, i]), float(low[i]), float(high[i]), *map(int, totals))
        for i, (name, totals) in enumerate(zip(counts.items, counts.of_items(), strict=True))
    )
    tie = float(np.exp(estimate.log_tie[0]))
    notes = tuple(_notes(counts, prior))
    return Strengths(strengths, tie, errors, len(votes), interval, level, prior, notes, any_time)


def _reach(variance: npt.NDArray[np.float64], level: float, any_time: bool) -> npt.NDArray[np.float64]:
    """How far an interval goes to either side of an estimate with this variance."""
    variance = variance.clip(min=0)
    if any_time:
        return any_time_reach(variance, alpha=1 - level)
    reach: npt.NDArray[np.float64] = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    return reach


def components(counts: PairCounts) -> tuple[tuple[str, ...], ...]:
    """Sets of items that votes connect; between two of them nothing was ever compared."""
    ones = np.ones(len(counts.first))
    graph = csr_array((ones, (counts.first, counts.second)), shape=(len(counts.items),) * 2)
    number, labels = connected_components(graph, directed=False)
    return tuple(
        tuple(name for name, label in zip(counts.items, labels, strict=True) if label == component)
        for component in range(number)
    )


def strengths_by_group(votes: Sequence[Vote], *, level: float = 0.95) -> dict[str, Strengths]:
    """A fit for each named group over the items of all, so that groups stand side by side."""
    items = count_pairs(votes).items
    return {group: fit_strengths(own, items=items, level=level) for group, own in by_group(votes).items()}


def _has_maximum(counts: PairCounts, wins: npt.NDArray[np.float64]) -> bool:
    return has_maximum(counts.first, counts.second, wins, len(counts.items))


def _bootstrap(
    counts: PairCounts, whole: Estimate, level: float, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Voters drawn with replacement, refitted; a draw whose counts have no finite answer gets the prior."""
    rng, voters, items = np.random.default_rng(seed), len(counts.voters), len(counts.items)
    drawn = np.empty((BOOTSTRAP_REPEATS, items))
    part = max(1, _NUMBERS_AT_ONCE // max(items**2, counts.wins.size))
    for first in range(0, BOOTSTRAP_REPEATS, part):
        repeats = min(part, BOOTSTRAP_REPEATS - first)
        times = rng.multinomial(voters, np.full(voters, 1 / voters), size=repeats)  # (repeats, voters)
        wins = np.stack([counts.weighted(weights) for weights in times.astype(np.float64)])  # (repeats, P, 3)
        finite = _all_both_ways(counts, wins)
        finite[~finite] = [_has_maximum(counts, row) for row in wins[~finite]]
        precision = np.where(finite, 0.0, PRIOR_DEVIATION**-2)
        estimate = fit(counts.first, counts.second, wins, items, precision, whole)
        drawn[first : first + repeats] = estimate.log_strengths
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _all_both_ways(counts: PairCounts, wins: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Of each of B counts: whether pairs won both ways connect all items, which is enough for a finite answer.

    One graph of B parts, since asking for each part costs more than the fit.
    """
    repeats, k = len(wins), len(counts.items)
    part, pair = np.nonzero((wins[..., 0] > 0) & (wins[..., 1] > 0))
    ends = (part * k + counts.first[pair], part * k + counts.second[pair])
    graph = csr_array((np.ones(len(part)), ends), shape=(repeats * k, repeats * k))
    _number, labels = connected_components(graph, directed=False)
    parts = labels.reshape(repeats, k)
    together: npt.NDArray[np.bool_] = (parts == parts[:, :1]).all(axis=1)
    return together


def _notes(counts: PairCounts, prior: float | None) -> Iterable[str]:
    if prior is None:
        return
    held = f"a normal prior on the log scale (mean 0, standard deviation {prior:g}) holds the strengths"
    apart = components(counts)
    if len(apart) > 1:
        sets = " | ".join(_some(part) for part in apart[:4]) + (" | …" if len(apart) > 4 else "")
        yield (
            f"The votes fall into {len(apart)} sets that were never compared with each other ({sets}): {held}, and "
            "nothing else says how one set stands to another; vote on pairs across them."
        )
    totals = counts.of_items()
    voted = list(zip(counts.items, totals[:, 0], totals[:, 1], strict=True))
    unbeaten = [name for name, wins, losses in voted if wins and not losses]
    winless = [name for name, wins, losses in voted if losses and not wins]
    if not totals[:, :2].any():
        yield f"All votes are ties: they say that people did not decide, and {held}."
    elif unbeaten or winless:
        said = [f"{_some(names)} never {word}" for names, word in ((unbeaten, "lost"), (winless, "won")) if names]
        yield f"{' and '.join(said)}: the votes alone would put them infinitely far from the rest, so {held}."
    elif len(apart) == 1:
        yield f"Votes between some of the items all went one way: alone they would part them infinitely far, so {held}."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
