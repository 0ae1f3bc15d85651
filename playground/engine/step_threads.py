"""On how many CPU threads a decode step runs, kept under review while the model is in use.

The right number changes with the machine's load: a step is hundreds of tiny products with a meeting of all threads
after each, and one thread that another program holds up delays every meeting. Measured on two busy cores: 300 ms a
step on two threads, 30 ms on one; on the same cores when idle, two were the faster. So the rival is tried now and
then, less often each time it loses. Knows no model: it is told seconds.
"""

from __future__ import annotations

import statistics
from collections import deque

_TRIAL_STEPS = 2
_FIRST_REVIEW, _RAREST_REVIEW = 16, 1024  # steps
_CLEARLY_FASTER = 0.9
_ALARM = 3.0  # a step this many times slower than usual calls for a review at once


class StepThreads:
    """Chooses between two numbers of threads. ``rival`` None: there is nothing to choose."""

    def __init__(self, threads: int, rival: int | None) -> None:
        self._current = threads
        self._rival = rival if rival != threads else None
        self._usual: deque[float] = deque(maxlen=9)
        self._trial: list[float] | None = None
        self._steps = 0
        self._review_after = _FIRST_REVIEW

    @property
    def threads(self) -> int:
        """The number for the next step."""
        return self._current if self._trial is None or self._rival is None else self._rival

    def record(self, seconds: float) -> None:
        """How long the step on ``threads`` took. Only steps of one token are comparable."""
        if self._rival is None:
            return
        if self._trial is not None:
            self._trial.append(seconds)
            if len(self._trial) == _TRIAL_STEPS:
                self._judge(min(self._trial))  # the first may have had to wake the threads
            return
        self._steps += 1
        alarmed = len(self._usual) == self._usual.maxlen and seconds > _ALARM * statistics.median(self._usual)
        self._usual.append(seconds)
        if self._steps >= self._review_after or alarmed:
            self._trial = []

    def _judge(self, rival_seconds: float) -> None:
        assert self._rival is not None
        recent = statistics.median(list(self._usual)[-3:])
        if rival_seconds < _CLEARLY_FASTER * recent:
            self._current, self._rival = self._rival, self._current
            self._usual.clear()
            self._review_after = _FIRST_REVIEW
        else:
            self._review_after = min(2 * self._review_after, _RAREST_REVIEW)
        self._trial, self._steps = None, 0
