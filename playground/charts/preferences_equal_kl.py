"""A taught policy and best-of-N by one reward against KL: the curve of best-of-N, and the policy where its KL puts it."""

from __future__ import annotations

import numpy as np

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.testtime.curves import kl_bound
from playground.testtime.equal_kl import EqualKl


def equal_kl_bands(found: EqualKl) -> BandsData:
    """Best-of-N's band, and DPO's point with its interval."""
    x = np.array([kl_bound(n) for n in found.ns])
    best = BandCurve("best-of-N of the start", x, *map(np.array, (found.curve, found.low, found.high)), style=5)
    point = [np.array([value]) for value in (found.kl.mean, found.policy.mean, found.policy.low, found.policy.high)]
    return BandsData(
        "KL to the start, nats an answer",
        "reward, standard deviations above one answer",
        (best, BandCurve("DPO", *point, kind=STRONG, style=0)),
        log_x=False,
        marks=((f"N ≈ {found.n:.1f}", found.kl.mean),),
    )
