"""The curves of Best-of-N as data: what N buys, what it costs, how a vote grows, how a race goes. Knows no page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from playground.charts.candidates_agreement import AgreementData
from playground.charts.candidates_table import label_of
from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.testtime.cost import CostModel, predict
from playground.testtime.curves import Curve, CurveSet, best_score_curve, curve_points, kl_bound
from playground.testtime.race import FirstValid
from playground.testtime.ranking import compare_rankings
from playground.testtime.types import MOST_CANDIDATES, ScoredCandidates
from playground.testtime.voting import Agreement as VoteStep

N_TITLE = "N: candidates drawn from the run"
RACE_TITLE = "N: rows that race, or attempts allowed"
SHARE_TITLE = "share of draws that are right"
FloatArray = np.ndarray[Any, np.dtype[np.float64]]


def rule_names(scored: ScoredCandidates) -> dict[str, str]:
    """What a curve of each rule is called, by the rule's own name."""
    named = {column.label: label_of(column) for column in scored.columns}
    return named | {"first candidate": "one, taken blindly", "majority": "majority vote"}


def _band(curve: Curve, name: str, kind: str = "") -> BandCurve:
    low, high = np.array(curve.low), np.array(curve.high)
    return BandCurve(name, np.array(curve.ns, float), np.array(curve.mean), low, high, kind)


def accuracy_bands(curves: CurveSet, names: Mapping[str, str]) -> BandsData:
    """Coverage, and each rule's accuracy under it."""
    drawn = [_band(curves.coverage, "coverage: a right one is among them", STRONG)]
    drawn += [_band(curve, names.get(curve.name, curve.name)) for curve in curves.rules]
    return BandsData(N_TITLE, SHARE_TITLE, tuple(drawn), percent=True)


def gap_bands(curves: CurveSet, names: Mapping[str, str]) -> BandsData:
    """Coverage minus accuracy, in each rule's own colour."""
    x = np.array(curves.coverage.ns, float)
    drawn = tuple(
        BandCurve(names.get(rule.name, rule.name), x, np.round(curves.gap(rule.name), 12) + 0.0, style=place)
        for place, rule in enumerate(curves.rules, 1)
    )
    return BandsData(N_TITLE, "coverage minus accuracy", drawn, percent=True, whole=False)


def quality_bands(curves: CurveSet, names: Mapping[str, str], seconds: FloatArray | None) -> BandsData:
    """Coverage and the best rule against tokens, or against predicted seconds where a cost was measured.

    ``seconds``: (points,), one for each N of the curves.
    """
    x = np.array(curves.tokens) if seconds is None else seconds
    title = "tokens generated" if seconds is None else "seconds, as the cost measured here predicts them"
    best = max(curves.rules, key=lambda curve: curve.mean[-1])
    name, style = f"the best rule here: {names.get(best.name, best.name)}", 1 + curves.rules.index(best)
    drawn = (
        BandCurve("coverage", x, np.array(curves.coverage.mean), kind=STRONG),
        BandCurve(name, x, np.array(best.mean), style=style),
    )
    return BandsData(title, SHARE_TITLE, drawn, percent=True, log_x=False)


def best_score_bands(label: str, name: str, values: Sequence[float]) -> BandsData:
    """The mean of the best score among N."""
    return BandsData(N_TITLE, name, (_band(best_score_curve(label, values), "best of N", STRONG),))


def kl_bands(count: int) -> BandsData:
    """How far choosing the best of N moves the distribution at most, up to N = ``count``."""
    ns = curve_points(count)
    bound = np.array([kl_bound(n) for n in ns])
    return BandsData(
        N_TITLE, "KL at most, nats", (BandCurve("ln N − (N − 1) / N", np.array(ns, float), bound, kind="grey"),)
    )


def budget_bands(model: CostModel, prompt_tokens: int, alive: FloatArray, chosen: int | None) -> BandsData:
    """Predicted seconds against N, beside N times one answer. ``alive``: ``testtime.cost.survival``."""
    ns = curve_points(MOST_CANDIDATES)
    seconds = np.array([one.total_ms / 1000 for one in predict(model, ns, prompt_tokens, alive)])
    x = np.array(ns, float)
    drawn = (
        BandCurve("predicted", x, seconds, kind=STRONG),
        BandCurve("N times one answer", x, x * seconds[0], kind="grey"),
    )
    return BandsData("N", "seconds", drawn, marks=((f"N = {chosen}", float(chosen)),) if chosen else ())


def vote_bands(steps: Sequence[VoteStep]) -> BandsData:
    """The share of the leading answer as candidates come in."""
    x, share = np.array([step.n for step in steps], float), np.array([step.share for step in steps], float)
    title, name = "candidates, as they were made", "share of the leading answer"
    return BandsData(title, name, (BandCurve(name, x, share, kind=STRONG),), percent=True)


def race_steps_bands(drawn: Sequence[FirstValid]) -> BandsData:
    """Decode steps to the first valid one, racing and retrying."""
    curves = (_quantile_curve("race", drawn, "steps", STRONG), _quantile_curve("retry", drawn, "retry_steps"))
    return BandsData(RACE_TITLE, "decode steps to the first valid one", curves)


def race_tokens_bands(drawn: Sequence[FirstValid]) -> BandsData:
    """Tokens spent, racing and retrying."""
    curves = (_quantile_curve("race", drawn, "race_tokens", STRONG), _quantile_curve("retry", drawn, "retry_tokens"))
    return BandsData(RACE_TITLE, "tokens spent", curves)


def _quantile_curve(name: str, drawn: Sequence[FirstValid], field: str, kind: str = "") -> BandCurve:
    """Median and the middle 80% of the draws that found one."""
    low, middle, high = np.array([_quantiles(getattr(one, field)) for one in drawn]).T
    return BandCurve(name, np.array([float(one.n) for one in drawn]), middle, low, high, kind)


def _quantiles(values: FloatArray) -> FloatArray:
    finite = values[np.isfinite(values)]
    return np.percentile(finite, [10, 50, 90]) if finite.size else np.full(3, np.nan)


def rule_agreement(scored: ScoredCandidates) -> AgreementData:
    """Kendall's tau and the same winner, for every pair of rules."""
    names = [column.label for column in scored.columns]
    size = len(names)
    tau = np.full((size, size), np.nan, dtype=np.float32)
    same = np.zeros((size, size), dtype=bool)
    np.fill_diagonal(tau, 1.0)
    np.fill_diagonal(same, True)
    for pair in compare_rankings(scored):
        row, column = names.index(pair.left), names.index(pair.right)
        tau[row, column] = tau[column, row] = np.nan if pair.kendall is None else pair.kendall
        same[row, column] = same[column, row] = bool(pair.same_winner)
    return AgreementData(tuple(names), tau, same)
