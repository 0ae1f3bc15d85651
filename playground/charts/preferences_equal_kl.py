"""A taught policy and best-of-N by one reward against KL: the curve of best-of-N, and the policy where its KL puts it."""

from __future__ import annotations

import numpy as np

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.testtime.curves import kl_bound
from playground.testtime.equal_kl import EqualKl


def equal_kl_bands(found: EqualKl) -> BandsData:
    """Best-of-N's band, and DPO's point with its interval."""
    x = np.array([kl_bound(n) for n in found.ns])
    curve, low, high = (np.array(values) for values in (found.curve, found.low, found.high))
    own, at = found.policy, np.array([found.kl.mean])
    best = BandCurve("best-of-N of the start", x, curve, low, high, style=5)
    policy = BandCurve("DPO", at, np.array([own.mean]), np.array([own.low]), np.array([own.high]), kind=STRONG, style=0)
    return BandsData(
        "KL to the start, nats an answer",
        "reward, standard deviations above one answer",
        (best, policy),
        log_x=False,
        marks=((f"N ≈ {found.n:.1f}", found.kl.mean),),
    )
