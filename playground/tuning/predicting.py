"""What a plan will take, said before and while it runs: texts, tokens, seconds, money. Runs no model.

Lengths come from texts of the plan that are there: those of a trial, which are spread over all examples and settings, and
those of the run so far. Seconds come from the passes that wrote these (``pace.py``), before there are any from the one model
of this machine's speed (``inspection/speed.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from playground.testtime.cost import CostModel
from playground.testtime.types import Candidate
from playground.tuning.pace import Pace, modelled
from playground.tuning.plan import Plan
from playground.tuning.running import ROWS_AT_ONCE, plan_places

_LEAST_SEEN = 8  # texts before the first that is missing


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of the ``texts`` that are still to be written. ``tokens``: expected; ``most_tokens``: if none ends before its limit.

    ``sample_size``: texts that the expectation rests on, 0: it is the limit. ``early``: the share of them that ended before it.
    ``read_tokens``: of the prompts, each as often as a server would bill it. ``seconds`` None: nothing is known of the speed.
    """

    texts: int
    tokens: float
    most_tokens: int
    sample_size: int
    early: float
    read_tokens: int
    seconds: float | None

    def billed(self, price_in: float, price_out: float) -> float:
        """USD at these prices of a million tokens read and written."""
        return (self.read_tokens * price_in + self.tokens * price_out) / 1e6


def trial_places(plan: Plan) -> tuple[int, ...]:
    """Places of a trial, a third of the texts at most: as many of each example as of another, and of each arm, of the first
    samples first.
    """
    examples, arms = len(plan.examples), len(plan.arms)
    lap = math.lcm(examples, arms)  # every pair (n modulo examples, n modulo arms) of a lap is another
    chosen = []
    for number in range(min(ROWS_AT_ONCE, plan.texts // 3)):
        example, arm = number % examples, (number + number // lap) % arms
        chosen.append((example * arms + arm) * plan.samples + number // (examples * arms))
    return tuple(chosen)


def forecast(
    plan: Plan,
    prompt_tokens: Sequence[int],
    texts: Mapping[int, Candidate],
    *,
    pace: Pace | None = None,
    model: CostModel | None = None,
    rows: int = ROWS_AT_ONCE,
) -> Forecast:
    """What is left of ``plan`` beside ``texts``; ``prompt_tokens`` of each example."""
    places = plan_places(plan)
    left = [place for place in range(plan.texts) if place not in texts]
    sample = _telling(plan, texts)
    tokens = float(_expected_lengths(plan, sample)[left].sum()) if sample else float(len(left) * plan.max_new_tokens)
    early = [one.finish_reason != "length" for one in sample.values()]
    read = [prompt_tokens[places[place][0]] for place in left]
    full = max(1, min(rows, len(left)))
    passes = _passes(plan, sample, len(left), tokens, full)
    seconds = None
    if (observed_passes := pace.pass_time() if pace is not None else None) is not None:
        seconds = observed_passes.seconds(passes, tokens)
    elif model is not None and left:
        unread = {places[place][0] for place in left}
        context = np.mean([prompt_tokens[example] for example in unread]) + tokens / len(left) / 2
        reading_s = sum(model.prefill_ms(prompt_tokens[example]) for example in unread) / 1000
        seconds = reading_s + modelled(model, full, round(context)).seconds(passes, tokens)
    return Forecast(
        texts=len(left),
        tokens=tokens,
        most_tokens=len(left) * plan.max_new_tokens,
        sample_size=len(sample),
        early=sum(early) / len(early) if early else 0.0,
        read_tokens=sum(read),
        seconds=seconds,
    )


def _telling(plan: Plan, texts: Mapping[int, Candidate]) -> dict[int, Candidate]:
    """The texts that say how long others get: of a whole trial, and those before the first that is missing.

    Of texts that are under way together the short ones are there first, and would say that all are short.
    """
    trial = trial_places(plan)
    places = set(trial) if all(place in texts for place in trial) else set()
    before = set(takewhile(texts.__contains__, range(plan.texts)))
    if len(before) >= min(_LEAST_SEEN, plan.texts):
        places |= before
    return {place: texts[place] for place in places}


def _expected_lengths(plan: Plan, texts: Mapping[int, Candidate]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(texts,): of every place the length that its example's and its arm's texts have: mean + example's + arm's deviation.

    Least squares with a ridge of one text, so that an example or arm with few texts stays near the mean.
    """
    places, arms = plan_places(plan), {arm: number for number, arm in enumerate(plan.arms)}
    columns = len(plan.examples) + len(arms)

    def design(rows: Sequence[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        matrix = np.zeros((len(rows), columns))
        for number, place in enumerate(rows):
            example, arm, _sample = places[place]
            matrix[number, example] = matrix[number, len(plan.examples) + arms[arm]] = 1
        return matrix

    measured_places = sorted(texts)
    lengths = np.array([texts[place].n_tokens for place in measured_places], dtype=float)
    design_matrix = design(measured_places)
    effects = np.linalg.solve(
        design_matrix.T @ design_matrix + np.eye(columns), design_matrix.T @ (lengths - lengths.mean())
    )
    expected = lengths.mean() + design(range(plan.texts)) @ effects
    clipped: np.ndarray[tuple[int], np.dtype[np.float64]] = np.clip(expected, 1, plan.max_new_tokens)
    return clipped


def _passes(plan: Plan, sample: Mapping[int, Candidate], texts: int, tokens: float, full: int) -> float:
    """Full passes, since rows that end give their place to the next, and those in which the last ones go on to their end."""
    longest = max((one.n_tokens for one in sample.values()), default=plan.max_new_tokens)
    return tokens / full + max(0.0, longest - tokens / texts) if texts else 0.0
