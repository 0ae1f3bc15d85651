"""Choosing harder by a reward, in two pictures: what the reward and a second judgement say against N, and against d = √KL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.preferences.overoptimisation import BestOfNFit, kl_of
from playground.testtime.curves import Curve

Y_TITLE = "standard deviations above one answer"


@dataclass(frozen=True, slots=True)
class OverData:
    """``reward`` and ``judged``: against the same N, each in standard deviations of a run. ``fit`` of ``judged``."""

    reward: Curve
    judged: Curve
    judge: str
    fit: BestOfNFit


def against_n(data: OverData) -> BandsData:
    """Both curves against N, with the fit's peak where it was reached."""
    return BandsData("N: candidates drawn from the run", Y_TITLE, _curves(data, kl=False), marks=_marks(data, kl=False))


def against_kl(data: OverData) -> BandsData:
    """The same against d, with the fitted parabola and the curve that the peak is read off."""
    d = np.linspace(0, data.fit.reached, 60)
    fitted = BandCurve("fit d(α − βd)", d, data.fit.at(d), kind="grey", style=1)
    d = np.linspace(0, data.fit.fitted, 60)
    bent = BandCurve("with a third term", d, data.fit.cubic_at(d), kind="grey", style=2)
    return BandsData(
        "d = √KL, KL = ln N − (N − 1)/N nats",
        Y_TITLE,
        (*_curves(data, kl=True), fitted, bent),
        log_x=False,
        marks=_marks(data, kl=True),
    )


def _curves(data: OverData, *, kl: bool) -> tuple[BandCurve, ...]:
    ns = data.reward.ns
    x = np.sqrt([kl_of(n) for n in ns]) if kl else np.array(ns, dtype=np.float64)
    named = (("the reward itself", data.reward, STRONG), (data.judge, data.judged, ""))
    return tuple(
        BandCurve(name, x, np.array(curve.mean), np.array(curve.low), np.array(curve.high), kind, style=place)
        for place, (name, curve, kind) in enumerate(named)
    )


def _marks(data: OverData, *, kl: bool) -> tuple[tuple[str, float], ...]:
    fit = data.fit
    if not fit.within or fit.peak_d is None or fit.peak_n is None:
        return ()
    label = f"peak, N ≈ {fit.peak_n:,.0f}"
    if fit.peak_ns is not None:
        label += f" ({fit.peak_ns[0]:,.0f} to {fit.peak_ns[1]:,.0f})"
    return ((label, fit.peak_d if kl else fit.peak_n),)
