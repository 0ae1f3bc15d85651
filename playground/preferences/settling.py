"""When votes on a pair have settled it, looked at as often as one likes, and how many more that would take.

Decided votes for the first item are coin tosses with an unknown share p. The confidence sequence is Robbins's mixture of
likelihood ratios (1970, Annals of Mathematical Statistics 41, 1397-1409) with a uniform mixture: for the true p,

    M_n = B(wins + 1, losses + 1) / (p^wins (1 - p)^losses)

is a martingale that starts at 1, so by Ville's inequality it ever reaches 1/alpha with probability alpha at most. The
shares at which it stays below are therefore right at every n at once, and stopping on sight of them is allowed; this is
the mixture sequential probability ratio test. Ties say nothing of p and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy
from scipy.stats import binom, norm

from playground.errors import BadInput
from playground.preferences.votes import Vote, count_pairs

Verdict = Literal["first", "second", "level", "open"]
METHOD = "confidence sequence, uniform mixture (Robbins 1970)"
MARGIN = 0.1  # a share within 40% and 60% is called level: 194 votes would hardly show more
MOST_VOTES = 100_000


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """What decided votes say of one pair. ``share`` of them went to ``first``; ``low`` and ``high`` hold at all times.

    ``verdict``: the first or the second is preferred, the two are level within the margin, or it is open. ``more``:
    how many further decided votes would settle it if their share stayed the same; 0 where it is settled, None where
    more than 100,000.
    """

    first: str
    second: str
    wins: int
    losses: int
    ties: int
    share: float | None
    low: float
    high: float
    verdict: Verdict
    more: int | None


def votes_needed(share: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Decided votes that show a true share other than 1/2, if their number is fixed before (two-sided, normal).

    >>> [votes_needed(share) for share in (0.60, 0.65, 0.70, 0.75, 0.80)]
    [194, 85, 47, 29, 20]
    """
    if not 0 < share < 1 or share == 0.5:
        raise BadInput("A true share between 0 and 1 other than 0.5 is needed: equals cannot be told apart.", "share")
    spread = float(norm.ppf(1 - alpha / 2)) / 2 + float(norm.ppf(power)) * math.sqrt(share * (1 - share))
    return math.ceil((spread / (share - 0.5)) ** 2)


def log_evidence(wins: npt.ArrayLike, losses: npt.ArrayLike, share: float = 0.5) -> npt.NDArray[np.float64]:
    """ln of the martingale against ``share``; at ln(1/alpha) and above the share is refuted, whenever one looks."""
    wins, losses = np.asarray(wins), np.asarray(losses)
    ratio: npt.NDArray[np.float64] = betaln(wins + 1.0, losses + 1.0) - xlogy(wins, share) - xlog1py(losses, -share)
    return ratio


def confidence_sequence(wins: float, losses: float, *, alpha: float = 0.05) -> tuple[float, float]:
    """The shares that are not refuted: an interval that holds the true one at all times at once, but for ``alpha``."""
    bound = -math.log(alpha)

    def excess(share: float) -> float:
        return float(log_evidence(wins, losses, share)) - bound

    total = wins + losses
    if total == 0:
        return 0.0, 1.0
    middle = wins / total
    low = brentq(excess, 1e-12, middle) if wins and excess(1e-12) > 0 else 0.0
    high = brentq(excess, middle, 1 - 1e-12) if losses and excess(1 - 1e-12) > 0 else 1.0
    return float(low), float(high)


def verdict_of(wins: float, losses: float, *, alpha: float = 0.05, margin: float = MARGIN) -> Verdict:
    """What a pair's decided votes say: which share is refuted at the ends of the margin and at one half."""
    bound = -math.log(alpha)
    if log_evidence(wins, losses) >= bound:
        return "first" if wins > losses else "second"
    level = abs(wins / max(wins + losses, 1) - 0.5) < margin
    ends = log_evidence(wins, losses, 0.5 - margin), log_evidence(wins, losses, 0.5 + margin)
    return "level" if level and min(ends) >= bound else "open"


def votes_to_settle(wins: int, losses: int, *, alpha: float = 0.05, margin: float = MARGIN) -> int | None:
    """Further decided votes until the pair is settled, if they keep the share seen so far (without any: 1/2).

    None beyond 100,000. By halving: with a share held fixed, in fractions of a vote, more votes only narrow the sequence.
    """
    share = wins / (wins + losses) if wins + losses else 0.5

    def settled(more: int) -> bool:
        gained = share * more
        return verdict_of(wins + gained, losses + more - gained, alpha=alpha, margin=margin) != "open"

    if settled(0):
        return 0
    high = 1
    while not settled(high):
        high *= 2
        if high > MOST_VOTES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high


def votes_until_settled(share: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Decided votes after which a true ``share`` is seen to be no half with this probability, looking at every vote.

    Exact at the last look, so that looking before can only settle it sooner. Raises BadInput for a share of one half.
    """
    if not 0 < share < 1 or share == 0.5:
        raise BadInput("A true share between 0 and 1 other than 0.5 is needed: equals cannot be told apart.", "share")
    likely = max(share, 1 - share)

    def enough(n: int) -> bool:
        wins = np.arange(n // 2 + 1, n + 1)
        refuting = wins[log_evidence(wins, n - wins) >= -math.log(alpha)]
        return bool(len(refuting) and binom.sf(refuting[0] - 1, n, likely) >= power)

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def any_time_reach(variance: npt.NDArray[np.float64], *, alpha: float = 0.05) -> npt.NDArray[np.float64]:
    """How far to either side of an estimate a confidence sequence goes, by the estimate's present variance.

    Robbins's normal mixture (1970), ``|estimate - truth| <= sqrt((I + 1) ln((I + 1) / alpha^2)) / I`` at all times at once
    with I = 1/variance, a mixture of variance 1; for an estimate of a fitted model, whose score is a sum of many votes' parts,
    by the central limit (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory and
    asymptotic confidence sequences"). About 1.6 times Wald's at an error of 0.2.
    """
    reach: npt.NDArray[np.float64] = np.sqrt(
        variance * (1 + variance) * (np.log1p(1 / np.maximum(variance, 1e-300)) - 2 * math.log(alpha))
    )
    return reach


def judge_pairs(votes: Sequence[Vote], *, alpha: float = 0.05, margin: float = MARGIN) -> tuple[PairVerdict, ...]:
    """Every pair that was voted on, by its own votes alone.

    ``alpha`` is shared out evenly over all pairs that the items form (Bonferroni), so that with probability 1 - alpha no
    pair is ever called wrongly, at whatever time one looks, as long as no item joins.
    """
    counts = count_pairs(votes)
    each = alpha / max(math.comb(len(counts.items), 2), 1)
    return tuple(
        _verdict((counts.items[first], counts.items[second]), [int(count) for count in own], each, margin)
        for first, second, own in zip(counts.first, counts.second, counts.wins, strict=True)
    )


def _verdict(pair: tuple[str, str], counts: Sequence[int], alpha: float, margin: float) -> PairVerdict:
    wins, losses, ties = counts
    verdict = verdict_of(wins, losses, alpha=alpha, margin=margin)
    low, high = confidence_sequence(wins, losses, alpha=alpha)
    more = 0 if verdict != "open" else votes_to_settle(wins, losses, alpha=alpha, margin=margin)
    share = wins / (wins + losses) if wins + losses else None
    return PairVerdict(*pair, wins, losses, ties, share, low, high, verdict, more)
