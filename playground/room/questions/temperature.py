"""Set the temperature: the spread of a room's settings, and at which of them the model is to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.room.questions.types import Answer, Moved


@dataclass(frozen=True, slots=True)
class Spread:
    """Settings in order with their quartiles (linear between neighbours, NumPy's and Excel's rule)."""

    settings: tuple[float, ...]
    low: float
    lower_quartile: float
    median: float
    upper_quartile: float
    high: float


def spread(answers: Sequence[Answer]) -> Spread | None:
    """None while nobody has answered."""
    settings = sorted(answer.given.temperature for answer in answers if isinstance(answer.given, Moved))
    if not settings:
        return None
    quartiles = (round(float(value), 4) for value in np.percentile(settings, (0, 25, 50, 75, 100)))
    return Spread(tuple(settings), *quartiles)


def settings_to_write(answer_spread: Spread) -> tuple[tuple[str, float], ...]:
    """The lowest, the median and the highest setting of the room; one that equals another is written once."""
    named: dict[float, str] = {}
    for name, value in (
        ("median", answer_spread.median),
        ("lowest", answer_spread.low),
        ("highest", answer_spread.high),
    ):
        named.setdefault(value, name)
    return tuple((name, value) for value, name in sorted(named.items()))
