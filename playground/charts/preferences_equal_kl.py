"""A taught policy and best-of-N by one reward against KL: the curve of best-of-N, and the policy where its KL puts it."""

from __future__ import annotations

import numpy as np

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.testtime.curves import kl_bound
from playground.testtime.equal_kl import EqualKl


def equal_kl_bands(comparison: EqualKl) -> BandsData:
    """Best-of-N's band, and DPO's point with its interval."""
    x = np.array([kl_bound(n) for n in comparison.ns])
    curve, low, high = (np.array(values) for values in (comparison.curve, comparison.low, comparison.high))
    own, at = comparison.policy, np.array([comparison.kl.mean])
    best = BandCurve("best-of-N of the start", x, curve, low, high, style=5)
    policy = BandCurve("DPO", at, np.array([own.mean]), np.array([own.low]), np.array([own.high]), kind=STRONG, style=0)
    return BandsData(
        "KL to the start, nats an answer",
        "reward, standard deviations above one answer",
        (best, policy),
        log_x=False,
        marks=((f"N ≈ {comparison.n:.1f}", comparison.kl.mean),),
    )
