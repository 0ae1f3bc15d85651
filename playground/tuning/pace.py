"""How long a pass of so many rows takes, from the passes of a trial or of the run so far. Runs no model, knows no page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from playground.testtime.cost import CostModel
from playground.tuning.running import PlanStep

_LEAST_TOKENS = 200  # before them nothing is said
_REMEMBERED = 1_000  # passes: a machine that was busier an hour ago says little of the next one


@dataclass(frozen=True, slots=True)
class PassTime:
    """Seconds of a pass: ``base`` and ``row`` for each of its rows. The weights are read once, however many rows there are."""

    base: float
    row: float

    def seconds(self, passes: float, tokens: float) -> float:
        """Of so many passes that write so many tokens together."""
        return passes * self.base + tokens * self.row


class Pace:
    """The passes that were seen. A pass in which texts began is left out: it read their prompts as well."""

    def __init__(self) -> None:
        self._passes: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._rows_before = 0

    def add(self, step: PlanStep) -> None:
        """What has come, turns of others in its seconds."""
        if step.new_tokens and step.new_tokens <= self._rows_before:
            self._passes.append((step.new_tokens, step.seconds))
        self._rows_before = step.new_tokens or self._rows_before

    @property
    def tokens_per_s(self) -> float | None:
        """None where too few tokens have been written to say."""
        tokens, seconds = sum(rows for rows, _ in self._passes), sum(seconds for _, seconds in self._passes)
        return tokens / seconds if tokens >= _LEAST_TOKENS and seconds else None

    def pass_time(self) -> PassTime | None:
        """Least squares over the passes; all by the row where they had about as many. None where too few have been seen."""
        if self.tokens_per_s is None:
            return None
        rows, seconds = np.array(self._passes, dtype=float).T
        spread = float(rows.var())
        mean_rows, mean_seconds = float(rows.mean()), float(seconds.mean())
        if spread < 1:
            return PassTime(0.0, mean_seconds / mean_rows)
        row = float(((rows - mean_rows) * (seconds - mean_seconds)).mean()) / spread
        row = min(max(row, 0.0), mean_seconds / mean_rows)
        return PassTime(mean_seconds - row * mean_rows, row)


def modelled(model: CostModel, rows: int, context: int) -> PassTime:
    """The same by this machine's measured speed, after ``context`` tokens and for ``rows`` rows at most."""
    one, many = (model.step_ms(count, context) / 1000 for count in (1, max(rows, 2)))
    row = max(0.0, many - one) / (max(rows, 2) - 1)
    return PassTime(one - row, row)
