"""A share of independent draws with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``; the share's Clopper-Pearson 95% interval, None of nothing."""

    count: int
    total: int
    share: float | None
    low: float | None
    high: float | None


def share_of(count: int, total: int) -> Share:
    """A share with its interval, as if each of the total were one independent draw."""
    if not total:
        return Share(count, total, None, None, None)
    bounds = binomtest(count, total).proportion_ci(0.95, "exact")
    return Share(count, total, count / total, float(bounds.low), float(bounds.high))
