"""A training on pairs as curves: implicit rewards and their margin, and what became of both log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.training.steps import PreferenceNumbers, TrainStep

Numbers = list[tuple[int, PreferenceNumbers]]


def measured(steps: Sequence[TrainStep]) -> tuple[Numbers, bool]:
    """(step, numbers) of the held-out pairs, and True; of each step's own pairs, and False, where none are held out."""
    held = [(step.step, step.heldout_preference) for step in steps if step.heldout_preference is not None]
    if held:
        return held, True
    return [(step.step, step.preference) for step in steps if step.preference is not None], False


def rewards_bands(numbers: Numbers) -> BandsData:
    """Rewards of winners and losers, and the margin between them."""
    return BandsData(
        "step",
        "reward",
        (
            _curve("margin: winner less loser", numbers, lambda each: each.margin, kind=STRONG),
            _curve("winners", numbers, lambda each: each.rewards_chosen, style=2),
            _curve("losers", numbers, lambda each: each.rewards_rejected, style=3),
        ),
        log_x=False,
    )


def logps_bands(numbers: Numbers) -> BandsData | None:
    """How far the log-probability of winners and of losers has moved from the start; None of a reward model."""
    with_logps = [
        (step, each) for step, each in numbers if each.logps_chosen is not None and each.logps_rejected is not None
    ]
    if not with_logps:
        return None
    first = with_logps[0][1]
    return BandsData(
        "step",
        "log-probability less the start's, nats",
        (
            _curve(
                "winners", with_logps, lambda each: (each.logps_chosen or 0.0) - (first.logps_chosen or 0.0), style=2
            ),
            _curve(
                "losers", with_logps, lambda each: (each.logps_rejected or 0.0) - (first.logps_rejected or 0.0), style=3
            ),
        ),
        log_x=False,
    )


def accuracy_bands(numbers: Numbers) -> BandsData:
    """In which share of pairs the winner has the higher reward; a coin has half. Where none has one yet, nothing."""
    numbers = [each for each in numbers if each[1].rewards_chosen or each[1].rewards_rejected] or numbers
    x = np.array([numbers[0][0], numbers[-1][0]], dtype=np.float64)
    coin = BandCurve("a coin", x, np.full(2, 0.5), kind="grey", style=1)
    own = _curve("the winner is ahead", numbers, lambda each: each.accuracy, kind=STRONG)
    return BandsData("step", "share of pairs", (own, coin), percent=True, log_x=False)


def loss_bands(steps: Sequence[TrainStep]) -> BandsData | None:
    """The loss of what is taught, step by step, and of what is held out; None before there is one."""
    curves = []
    for name, kind, value in (("taught", "grey", "loss"), ("held out", STRONG, "heldout")):
        points = [(step.step, getattr(step, value)) for step in steps if getattr(step, value) is not None]
        if points:
            x, y = np.array(points, dtype=np.float64).T
            curves.append(BandCurve(name, x, y, kind=kind, style=0))
    return BandsData("step", "loss, nats a pair", tuple(curves), log_x=False) if curves else None


def _curve(
    name: str,
    numbers: Numbers,
    value: Callable[[PreferenceNumbers], float],
    *,
    kind: str = "",
    style: int | None = None,
) -> BandCurve:
    x = np.array([step for step, _each in numbers], dtype=np.float64)
    return BandCurve(
        name, x, np.array([value(each) for _step, each in numbers], dtype=np.float64), kind=kind, style=style
    )
