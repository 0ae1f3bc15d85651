"""What N answers cost on this machine: a model fitted to measured steps, predictions, and the N a budget buys.

A decode step reads all weights once, whatever the number of rows, and each row's own keys and values:
step(rows, context) = base(rows) + rows · context · cached. ``base`` runs straight between the numbers of rows that were
measured and goes on as it ended beyond them: a single line would not do, because an engine may compute few rows in another
way than many (here one to four rows are multiplied from codes). A prefill is a start and so much a token. Fitted by
least squares of the relative error with no negative part. Times in milliseconds; money in the currency of the price given.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.api import CancelToken, Engine
from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.sampling.settings import NEUTRAL
from playground.testtime.batching import STEP_ROWS
from playground.testtime.events import BatchStep
from playground.testtime.generate import CandidateRequest, Variation, generate_candidates
from playground.testtime.types import MOST_CANDIDATES

MEASURED_ROWS = (1, 2, 4, 8, 16, 32)
MEASURED_STEPS = 6
MEASURED_PROMPTS = (16, 64, 192)


@dataclass(frozen=True, slots=True)
class StepTiming:
    """One decode step as measured: ``rows`` tokens at a context of at most ``context``."""

    rows: int
    context: int
    ms: float


@dataclass(frozen=True, slots=True)
class PrefillTiming:
    tokens: int
    ms: float


@dataclass(frozen=True, slots=True)
class CostModel:
    """The fitted parts, see the module. ``error``: the median relative error over the steps it was fitted to.

    ``rows`` in rising order and ``base_ms`` for each of them, at least two.
    """

    rows: tuple[int, ...]
    base_ms: tuple[float, ...]
    cached_ms: float
    prefill_fixed_ms: float
    prefill_token_ms: float
    error: float
    steps: int

    def base(self, rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Milliseconds of a step whose rows have nothing before them, for one or many numbers of rows."""
        result: npt.NDArray[np.float64] = _hats(np.asarray(rows, dtype=float), self.rows) @ np.array(self.base_ms)
        return np.maximum(result, 0.0)

    def step_ms(self, rows: float, context: float) -> float:
        return float(self.base(rows)) + rows * context * self.cached_ms

    def prefill_ms(self, tokens: int) -> float:
        return self.prefill_fixed_ms + tokens * self.prefill_token_ms


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


def fit_cost(steps: Sequence[StepTiming], prefills: Sequence[PrefillTiming]) -> CostModel:
    """The model that fits the measurements. Steps of one single number of rows say nothing of others.

    Raises BadInput where there are too few.
    """
    usable = [step for step in steps if step.ms > 0]
    if len(usable) < 3 or len({step.rows for step in usable}) < 2:
        raise BadInput("Too little was measured to fit the cost: measure, or generate runs with different N.", "cost")
    counts = tuple(sorted({step.rows for step in usable}))
    rows = np.array([step.rows for step in usable], dtype=float)
    contexts = np.array([step.context for step in usable])
    design = np.column_stack([_hats(rows, counts), rows * contexts])  # (steps, counts + 1)
    times = np.array([step.ms for step in usable])
    parts = _fit(design, times)
    error = float(np.median(np.abs(design @ parts - times) / times))
    read = [one for one in prefills if one.ms > 0]
    start = (
        _fit(np.array([[1.0, one.tokens] for one in read]), np.array([one.ms for one in read])) if read else (0.0, 0.0)
    )
    *base, cached = map(float, parts)
    return CostModel(counts, tuple(base), cached, float(start[0]), float(start[1]), error, len(usable))


def _hats(rows: npt.NDArray[np.float64], counts: Sequence[int]) -> npt.NDArray[np.float64]:
    """(..., counts): how much the value at each of ``counts`` weighs in one interpolated at ``rows``.

    Beyond the ends the outermost two go on in a straight line: rows 4 between 2 and 3 weigh -1 and 2.
    """
    knots = np.asarray(counts, dtype=float)
    left = np.clip(np.searchsorted(knots, rows, side="right") - 1, 0, len(knots) - 2)
    share = (rows - knots[left]) / (knots[left + 1] - knots[left])
    units = np.eye(len(knots))
    result: npt.NDArray[np.float64] = (1 - share)[..., None] * units[left] + share[..., None] * units[left + 1]
    return result


def _fit(design: npt.NDArray[np.float64], times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Parts of 0 or more that make the sum of squared relative errors least; twice, the second time without outliers:
    a step during which the machine did something else says nothing about the model.
    """
    from scipy.optimize import nnls

    keep = np.ones(len(times), dtype=bool)
    parts = np.zeros(design.shape[1])
    for _ in range(2):
        scale = np.abs(design[keep] / times[keep, None]).max(axis=0)
        scale[scale == 0] = 1.0
        parts = nnls(design[keep] / times[keep, None] / scale, np.ones(int(keep.sum())))[0] / scale
        off = np.abs(design @ parts - times) / times
        keep = off <= max(3 * float(np.median(off)), 0.05)
    result: npt.NDArray[np.float64] = parts
    return result


def survival(lengths: Sequence[int], most: int) -> npt.NDArray[np.float64]:
    """(most,): the share of answers that have a token at step t, t = 1 ... most, from answers that are there."""
    if not lengths:
        return np.ones(most)
    known = np.asarray(lengths)
    return np.array([(known >= step).mean() for step in range(1, most + 1)])


def predict(
    model: CostModel, n: int, prompt_tokens: int, alive: npt.NDArray[np.float64], price_per_hour: float | None = None
) -> Prediction:
    """What ``n`` candidates are expected to take, in batches of at most ``STEP_ROWS``. ``alive``: see ``survival``.

    Rows leave as they end, and a batch of m ends with its last: at step t, M ~ Binomial(m, S_t) rows are there, so
    E[time] = Σ_t Σ_{k ≥ 1} P(M = k) · base(k) + m · S_t · context_t · cached.
    """
    if n < 1:
        raise BadInput(f"n: must be at least 1, not {n}.", "n")
    context = prompt_tokens + np.arange(1, len(alive) + 1)
    whole, rest = divmod(n, STEP_ROWS)
    decode = float((n * alive * context * model.cached_ms).sum())
    decode += sum(times * _base_ms(model, rows, alive) for times, rows in ((whole, STEP_ROWS), (1, rest)) if rows)
    prefill = model.prefill_ms(prompt_tokens)
    money = None if price_per_hour is None else (prefill + decode) / 3_600_000 * price_per_hour
    return Prediction(n, prefill, decode, float(n * alive.sum()), money)


def _base_ms(model: CostModel, rows: int, alive: npt.NDArray[np.float64]) -> float:
    """The expected sum over the steps of a batch of ``rows``, but for what its rows' contexts cost."""
    from scipy.stats import binom

    there = np.arange(1, rows + 1)
    chances = binom.pmf(there[:, None], rows, np.clip(alive, 0.0, 1.0)[None])  # (rows, steps)
    return float((model.base(there) @ chances).sum())


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
    for n in range(1, MOST_CANDIDATES + 1):
        expected = predict(model, n, prompt_tokens, alive, price_per_hour)
        if latency_ms is not None and expected.total_ms > latency_ms:
            return Recommendation(best.n if best else 0, best, "latency")
        if money is not None and expected.money is not None and expected.money > money:
            return Recommendation(best.n if best else 0, best, "money")
        best = expected
    return Recommendation(MOST_CANDIDATES, best, "the most that can be asked for")


# -- measuring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """Timings so far, and how far the measurement is."""

    steps: tuple[StepTiming, ...]
    prefills: tuple[PrefillTiming, ...]
    done: int
    total: int
    label: str


def measure(
    engine: Engine, prompt_ids: TokenIds, *, cancel: CancelToken | None = None
) -> Generator[Measured, None, Measured]:
    """Time prefills of a few lengths and a few steps at 1 to 32 rows, as runs do them. A job for ``Worker.submit``.

    The prompts are pieces of ``prompt_ids`` made different at their beginning, so that nothing is known beforehand. The
    first step of each batch is left out: it copies the prompt's cache.
    """
    steps: list[StepTiming] = []
    prefills: list[PrefillTiming] = []
    room = engine.info.context_length - MEASURED_STEPS - 1
    wanted = [(rows, min(length, room)) for rows in MEASURED_ROWS for length in MEASURED_PROMPTS]
    wanted = wanted[::2] + wanted[1::2][::-1]  # a machine that gets busier meanwhile must not look like a price of rows
    seen = Measured((), (), 0, len(wanted), "measuring")
    for number, (rows, length) in enumerate(wanted):
        prompt = _prompt(prompt_ids, length, number, engine.info.vocab_size)
        asked = CandidateRequest(
            (Variation(prompt, NEUTRAL),), rows, max_new_tokens=MEASURED_STEPS, ignore_eos=True, seed=number
        )
        with closing(generate_candidates(engine, asked, cancel=cancel, memory=2**62)) as events:
            for event in events:
                if not isinstance(event, BatchStep):
                    continue
                if event.prefill_ms is not None:
                    prefills.append(PrefillTiming(length, event.prefill_ms))
                elif event.context > length + 2:
                    steps.append(StepTiming(event.rows, event.context, event.elapsed_ms))
        label = f"{rows} row{'s' if rows > 1 else ''}, {length} tokens before"
        seen = Measured(tuple(steps), tuple(prefills), number + 1, len(wanted), label)
        yield seen
    return seen


def _prompt(ids: TokenIds, length: int, number: int, vocab: int) -> TokenIds:
    first = (ids[0] + 1 + number) % vocab
    return (first, *(ids[place % len(ids)] for place in range(1, length)))
