"""What may be said of measured rows and of trained models: exponents, crossings, means over seeds with intervals. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from playground.architectures.growth import crossing, exponent
from playground.architectures.race import RaceRow
from playground.architectures.tasks import LEARNERS
from playground.architectures.types import Learnt

QUANTITIES = {"state": "Bytes kept", "prefill": "Time to read", "decode": "Time of a token"}


def value_of(row: RaceRow, quantity: str) -> float | None:
    """One of QUANTITIES of a row, as measured: bytes or seconds."""
    if quantity == "state":
        return None if row.state_bytes is None else float(row.state_bytes + (row.cache_bytes or 0))
    return row.prefill_s if quantity == "prefill" else row.decode_s_per_token


def exponents_of(rows: Sequence[RaceRow]) -> dict[str, float | None]:
    """The fitted power of the context of each quantity, of one model's rows."""
    contexts = [float(row.context) for row in rows]
    return {name: exponent(contexts, [value_of(row, name) for row in rows]) for name in ("prefill", "decode", "state")}


def predicted_prefill(rows: Sequence[RaceRow]) -> list[float | None]:
    """Seconds by formula, for one model's rows: the FLOPs over one rate, the median of what was measured."""
    rates = [row.flops / row.prefill_s for row in rows if row.prefill_s]
    if not rates:
        return [None] * len(rows)
    rate = float(np.median(rates))
    return [row.flops / rate for row in rows]


@dataclass(frozen=True, slots=True)
class Crossing:
    """From ``context`` tokens on ``above`` needs more of ``quantity`` than ``below``."""

    quantity: str
    above: str
    below: str
    context: float


def crossings(rows: Sequence[RaceRow], name: str) -> tuple[Crossing, ...]:
    """Where ``name`` comes to lie above each other model."""
    by_model = {model: [row for row in rows if row.config == model] for model in dict.fromkeys(r.config for r in rows)}
    crossed = []
    for quantity in QUANTITIES:
        for other, theirs in by_model.items():
            if other == name or name not in by_model:
                continue
            pairs = [(a, b) for a in by_model[name] for b in theirs if a.context == b.context]
            where = crossing(
                [a.context for a, _b in pairs],
                [value_of(a, quantity) for a, _b in pairs],
                [value_of(b, quantity) for _a, b in pairs],
            )
            if where is not None:
                crossed.append(Crossing(quantity, name, other, where))
    return tuple(crossed)


# -- over seeds --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mean:
    """Of ``count`` seeds, with the 95% interval of Student's t, cut to 0 and 1; of one seed there is none."""

    value: float
    low: float | None
    high: float | None
    count: int


def mean_of_shares(values: Sequence[float]) -> Mean:
    """Mean accuracy over seeds."""
    data = np.asarray(values, dtype=np.float64)
    mean = float(data.mean())
    if len(data) < 2:
        return Mean(mean, None, None, len(data))
    from scipy.stats import t

    half = float(t.ppf(0.975, len(data) - 1)) * float(data.std(ddof=1)) / math.sqrt(len(data))
    return Mean(mean, max(0.0, mean - half), min(1.0, mean + half), len(data))


class Verdict(Enum):
    """Whether trained models go the published way."""

    AGREES, UNSURE, DIFFERS = range(3)


_BETTER: dict[str, tuple[str, tuple[str, ...]]] = {
    "reverse": ("rnn-attention", ("rnn",)),
    "copy": ("rnn-attention", ("rnn",)),
    "mqar": ("attention", ("mamba", "rwkv", "h3", "gru", "s4")),
    "selective-copy": ("mamba", ("s4",)),
    "induction": ("attention", ("attention-1",)),
}
"""By task: the model that does better in the published figures, and those that it does better than."""


def verdict(task: str, learnt: Sequence[Learnt]) -> tuple[Verdict, str]:
    """How the better model compares with the best of the others at the largest size all were trained on, in words.

    Agrees where Welch's 95% interval of the difference over seeds lies above 0; the words say the same of each other model.
    """
    better, others = _BETTER[task]
    size = min(each.request.size for each in learnt)
    accuracies = {
        name: [
            dict(each.accuracies)[size]
            for each in learnt
            if each.request.model == name and size in dict(each.accuracies)
        ]
        for name in (better, *others)
    }
    rest = [name for name in others if accuracies[name]]
    if not accuracies[better] or not rest:
        wanted = ", ".join(LEARNERS[name].label for name in (better, *others[:1]))
        return Verdict.UNSURE, f"it takes {wanted} to compare."
    best = max(rest, key=lambda name: float(np.mean(accuracies[name])))
    said = ", ".join(f"{LEARNERS[name].label} {np.mean(accuracies[name]):.0%}" for name in (better, *rest))
    differences = {name: float(np.mean(accuracies[better]) - np.mean(accuracies[name])) for name in rest}
    lows = {name: _welch_low(accuracies[better], accuracies[name]) for name in rest}
    against = ", ".join(
        f"minus {LEARNERS[name].label} {differences[name]:+.0%}" + ("" if low is None else f" (at least {low:+.0%})")
        for name, low in lows.items()
    )
    words = f"at {size} (the largest trained on) {said}; {LEARNERS[better].label} {against}"
    low = lows[best]
    words += "; one seed has no interval." if low is None else ", at 95% over seeds."
    if differences[best] <= 0:
        return Verdict.DIFFERS, words
    return (Verdict.AGREES if low is not None and low > 0 else Verdict.UNSURE), words


def _welch_low(one: Sequence[float], other: Sequence[float]) -> float | None:
    """The lower end of Welch's two-sided 95% interval of the difference of two means; None for fewer than two values."""
    if min(len(one), len(other)) < 2:
        return None
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (one, other)]
    difference = float(np.mean(one) - np.mean(other))
    error = math.sqrt(sum(parts))
    if error == 0:
        return difference
    from scipy.stats import t

    freedom = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (one, other), strict=True))
    return difference - float(t.ppf(0.975, freedom)) * error
