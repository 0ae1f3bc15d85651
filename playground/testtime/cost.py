"""What N answers cost on this machine: predictions from its measured speed, and the N that a budget buys.

A decode step is a pass of all rows that are still there (``inspection/speed.py``: the weights are read once, each row's
keys and values besides) and a draw for each of them, timed here; a prefill is a pass over the prompt, read once for all.
Times in milliseconds; money in the currency of the price given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.generation.record import RowInput, draw_rows
from playground.inspection.speed import Speed
from playground.sampling.context import EMPTY_CONTEXT
from playground.sampling.settings import SamplerSettings
from playground.testtime.batching import STEP_ROWS
from playground.testtime.types import MOST_CANDIDATES

_DRAWN_ROWS = 8  # drawn together when a draw is timed
_SHARPNESS = 4.0  # standard deviation of the logits
_ROUNDS = 3  # the fastest counts: anything else on the machine only makes it slower


@dataclass(frozen=True, slots=True)
class StepTiming:
    """One step of a run as measured: ``rows`` tokens drawn, after a pass behind ``context`` known ones; None for a
    batch's first step, which draws from the prefill's logits."""

    rows: int
    context: int | None
    ms: float


@dataclass(frozen=True, slots=True)
class CostModel:
    """``speed`` of the model here, and ``draw_ms`` a row: its samplers, its draw and its record."""

    speed: Speed
    draw_ms: float

    def step_ms(self, rows: int, context: int | None) -> float:
        """Of a step; ``context`` as in ``StepTiming``."""
        seconds = 0.0 if context is None else self.speed.seconds(1, context, rows)
        return 1000 * seconds + rows * self.draw_ms

    def prefill_ms(self, tokens: int) -> float:
        return 1000 * self.speed.seconds(tokens)

    def steps_ms(self, rows: int, prompt_tokens: int, steps: int) -> npt.NDArray[np.float64]:
        """(rows, steps): ``step_ms`` of 1, 2 ... ``rows`` rows at each step of a batch."""
        counts = range(1, rows + 1)
        result = np.zeros((rows, steps)) + self.draw_ms * np.array(counts)[:, None]
        if steps > 1:
            result[:, 1:] += 1000 * self.speed.step_seconds(counts, range(prompt_tokens, prompt_tokens + steps - 1))
        return result


@lru_cache(maxsize=32)
def time_draw(vocab_size: int, settings: SamplerSettings) -> float:
    """Milliseconds a row to draw by ``settings``, timed once a process. The logits are random and about as sharp as a
    language model's: a draw from a flat distribution falls outside of the tokens that are sorted first, and takes longer.
    """
    logits = _SHARPNESS * np.random.default_rng(0).standard_normal((_DRAWN_ROWS, vocab_size), dtype=np.float32)
    rows = [RowInput(settings, EMPTY_CONTEXT, 0.5, 0)] * _DRAWN_ROWS
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        draw_rows(logits, rows)
        best = min(best, time.perf_counter() - started)
    return 1000 * best / _DRAWN_ROWS


@dataclass(frozen=True, slots=True)
class Prediction:
    """What ``n`` candidates are expected to take. ``money`` is None where no price was given."""

    n: int
    prefill_ms: float
    decode_ms: float
    new_tokens: float
    money: float | None = None

    @property
    def total_ms(self) -> float:
        return self.prefill_ms + self.decode_ms


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The largest N within the budgets; 0 where not even one fits. ``limit`` names what stops the next one."""

    n: int
    prediction: Prediction | None
    limit: str


def survival(lengths: Sequence[int], most: int) -> npt.NDArray[np.float64]:
    """(most,): the share of answers that have a token at step t, t = 1 ... most, from answers that are there."""
    if not lengths:
        return np.ones(most)
    token_counts = np.asarray(lengths)
    return np.array([(token_counts >= step).mean() for step in range(1, most + 1)])


def predict(
    model: CostModel,
    ns: Sequence[int],
    prompt_tokens: int,
    alive: npt.NDArray[np.float64],
    price_per_hour: float | None = None,
) -> Iterator[Prediction]:
    """What each number of candidates is expected to take, in batches of at most ``STEP_ROWS``. ``alive``: see ``survival``.

    Rows leave as they end, and a batch of m ends with its last: at step t, M ~ Binomial(m, S_t) rows are there, so
    E[time] = sum over t and k >= 1 of P(M = k) · step(k, context_t). Raises BadInput for an n below 1.
    """
    if ns and min(ns) < 1:
        raise BadInput(f"n: must be at least 1, not {min(ns)}.", "n")
    steps = model.steps_ms(min(max(ns, default=1), STEP_ROWS), prompt_tokens, len(alive))
    prefill = model.prefill_ms(prompt_tokens)
    of_batch = cache(lambda rows: _batch_ms(steps[:rows], alive))
    for n in ns:
        whole, rest = divmod(n, STEP_ROWS)
        decode = sum(times * of_batch(rows) for times, rows in ((whole, STEP_ROWS), (1, rest)) if times * rows)
        money = None if price_per_hour is None else (prefill + decode) / 3_600_000 * price_per_hour
        yield Prediction(n, prefill, decode, float(n * alive.sum()), money)


def _batch_ms(steps: npt.NDArray[np.float64], alive: npt.NDArray[np.float64]) -> float:
    """The expected sum over the steps of a batch; ``steps`` (rows, steps): what each takes with 1, 2 ... rows."""
    from scipy.stats import binom

    there = np.arange(1, len(steps) + 1)
    chances = binom.pmf(there[:, None], len(steps), np.clip(alive, 0.0, 1.0)[None])  # (rows, steps)
    return float((steps * chances).sum())


def recommend(
    model: CostModel,
    prompt_tokens: int,
    alive: npt.NDArray[np.float64],
    *,
    latency_ms: float | None = None,
    money: float | None = None,
    price_per_hour: float | None = None,
) -> Recommendation:
    """The largest N, to 256, whose expected time and money stay within the budgets. Raises BadInput for a bad budget."""
    for name, value in (("latency", latency_ms), ("money", money), ("price", price_per_hour)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise BadInput(f"{name}: must be a positive number, not {value}.", name)
    if money is not None and price_per_hour is None:
        raise BadInput("price: a money budget needs the machine's price per hour.", "price")
    best: Prediction | None = None
    for expected in predict(model, range(1, MOST_CANDIDATES + 1), prompt_tokens, alive, price_per_hour):
        if latency_ms is not None and expected.total_ms > latency_ms:
            return Recommendation(best.n if best else 0, best, "latency")
        if money is not None and expected.money is not None and expected.money > money:
            return Recommendation(best.n if best else 0, best, "money")
        best = expected
    return Recommendation(MOST_CANDIDATES, best, "the most that can be asked for")
