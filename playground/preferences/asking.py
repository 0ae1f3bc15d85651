"""Which pair to ask about next on the way to the best item, when to stop, and how many votes that may take.

Of a fit of all votes so far the strongest item that no settled pair has beaten leads; it is asked about against the others
that may still be better, the one first whose upper bound is highest (as LUCB of Kalyanakrishnan, Tewari, Auer and Stone 2012
does for the best arm). What is settled is asked about no more. Which pair is asked about depends on earlier votes
alone, so the confidence sequences of ``settling.py`` keep their promise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from playground.preferences.settling import MARGIN, Verdict, verdict_of, votes_to_settle, votes_until_settled
from playground.preferences.strengths import Strengths, fit_strengths
from playground.preferences.votes import Vote

Pair = tuple[str, str]
LIKELY_SHARE = 0.75  # of decided votes: a difference that a reader of two texts notices


@dataclass(frozen=True, slots=True)
class OpenPair:
    """The leading item against another that may be better. ``more``: votes, ties included, until their pair is settled.

    None where that would take more than 100,000.
    """

    leader: str
    other: str
    more: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Where the votes stand. ``leader``: the strongest that is unbeaten, None where votes go in a circle or there is no item.

    ``open``: what is still to be asked about, the least certain first; () where nothing could change which item is best.
    ``verdicts``: of every pair, in the order of ``items``. ``fitted``: None before the first vote.
    """

    leader: str | None
    open: tuple[OpenPair, ...]
    verdicts: dict[Pair, Verdict]
    fitted: Strengths | None

    @property
    def more(self) -> int | None:
        """Votes until the best item is settled, if all goes on as it has begun; None where more than 100,000."""
        each = [pair.more for pair in self.open]
        return None if None in each else sum(more or 0 for more in each)


def look_ahead(
    votes: Sequence[Vote],
    items: Sequence[str],
    *,
    same: Collection[Pair] = (),
    alpha: float = 0.05,
    margin: float = MARGIN,
) -> Outlook:
    """What to ask about next. ``same``: pairs (in the order of ``items``) that are level without asking.

    ``alpha`` is shared out over all pairs of ``items``. Votes on other items count in the fit alone.
    """
    each = alpha / max(math.comb(len(items), 2), 1)
    counts: dict[Pair, list[int]] = {pair: [0, 0, 0] for pair in combinations(items, 2)}
    for vote in votes:
        pair = (vote.left, vote.right) if (vote.left, vote.right) in counts else (vote.right, vote.left)
        if pair in counts:
            counts[pair][2 if vote.winner is None else pair.index(vote.winner)] += 1
    verdicts: dict[Pair, Verdict] = {
        pair: "level" if pair in same else verdict_of(wins, losses, alpha=each, margin=margin)
        for pair, (wins, losses, _ties) in counts.items()
    }
    beaten = {pair[verdict == "first"] for pair, verdict in verdicts.items() if verdict in ("first", "second")}
    unbeaten = [item for item in items if item not in beaten]
    fitted = fit_strengths(votes, items=items, any_time=True) if votes else None
    if not unbeaten:
        return Outlook(None, (), verdicts, fitted)
    strength = {item.name: item.strength for item in fitted.items} if fitted else dict.fromkeys(items, 0.0)
    leader = max(unbeaten, key=lambda item: strength[item])
    order = {item: place for place, item in enumerate(items)}

    def pair_of(other: str) -> Pair:
        return (leader, other) if order[leader] < order[other] else (other, leader)

    def uncertainty(other: str) -> tuple[float, int]:
        bound = fitted.difference(other, leader)[2] if fitted else 0.0
        return -bound, sum(counts[pair_of(other)])

    others = [item for item in unbeaten if item != leader and verdicts[pair_of(item)] == "open"]
    open_pairs = [
        OpenPair(leader, other, _votes_to_go(counts[pair_of(other)], each, margin))
        for other in sorted(others, key=uncertainty)
    ]
    return Outlook(leader, tuple(open_pairs), verdicts, fitted)


def votes_promised(items: int, *, share: float = LIKELY_SHARE, power: float = 0.9, alpha: float = 0.05) -> int:
    """Decided votes within which the best of so many is found as often as ``power``, if it wins this share against each."""
    pairs = math.comb(items, 2)
    return (items - 1) * votes_until_settled(share, power=power, alpha=alpha / pairs) if pairs else 0


def _votes_to_go(counts: Sequence[int], alpha: float, margin: float) -> int | None:
    wins, losses, ties = counts
    if wins + losses == 0:  # nothing seen yet: what a difference takes that one notices
        return _until_settled(alpha)
    decided = votes_to_settle(wins, losses, alpha=alpha, margin=margin)
    return None if decided is None else math.ceil(decided * (wins + losses + ties) / (wins + losses))


@functools.lru_cache(maxsize=64)
def _until_settled(alpha: float) -> int:
    return votes_until_settled(LIKELY_SHARE, alpha=alpha)
