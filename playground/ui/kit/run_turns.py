"""Turns for script runs: one at a time, what a reader's hand waits for first.

Streamlit starts a thread for each run. Thirty that begin in the same instant share one interpreter: each stops the others every
few milliseconds, all end late, and a slider that is moved meanwhile is one among them. Here a run begins when the one before has
ended. The order is that of arrival, with a head start of so many seconds for what is felt sooner: a moved slider goes before a
click, a click and a timer before a whole page. A longer run lets a more urgent one go first wherever it draws something, and
whoever waits for the model lets go of the turn (``turn_let_go``).

Nobody waits for ever. A turn is a lease: who has had it for ``LEASE_S`` keeps on running, but the next one begins beside it, so a
run that is stuck, or that waits for a lock whose holder waits for a turn, holds nobody up for longer. Knows nothing of pages and
of the model. (``engine/serving/turns.py`` is the same for the model's time.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

LEASE_S = 0.25


class Urgency(Enum):
    """The class of a run; the value is its head start in seconds."""

    MOVED = 20.0  # a widget's new value
    PART = 10.0  # a click, a timer, a result that has come
    PAGE = 0.0


@dataclass(eq=False, slots=True)
class _Turn:
    place: tuple[float, int]  # the smallest goes next
    ends: float = 0.0  # when the lease does
    granted: threading.Event = field(default_factory=threading.Event)


class RunTurns:
    """Who runs and who waits. Safe to call from any thread; each takes part with one run at a time."""

    def __init__(self, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._numbers = count()
        self._own = threading.local()
        self._holder: _Turn | None = None
        self._waiting: list[_Turn] = []

    @contextmanager
    def turn(self, urgency: Urgency) -> Iterator[None]:
        """Within it a run has its turn; waits for that."""
        turn = _Turn((time.monotonic() - urgency.value, next(self._numbers)))
        self._own.turn = turn
        try:
            self._take(turn)
            yield
        finally:
            self._own.turn = None
            self._leave(turn)

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """Within it this thread's run waits for something, and others have the turn. Its place in the order stays."""
        turn = self._own_turn()
        if turn is None:
            yield
            return
        self._leave(turn)
        try:
            yield
        finally:
            self._take(turn)

    def give_way(self) -> None:
        """From a run, wherever it may pause: let a more urgent one go first, and wait where the lease has ended."""
        turn = self._own_turn()
        if turn is None:
            return
        waiting = self._waiting  # replaced, never changed: a look needs no lock
        if self._holder is not turn or (waiting and waiting[0].place < turn.place):
            self._leave(turn)
            self._take(turn)

    def _own_turn(self) -> _Turn | None:
        return getattr(self._own, "turn", None)

    def _take(self, turn: _Turn) -> None:
        with self._lock:
            turn.granted.clear()
            self._waiting = sorted([*self._waiting, turn], key=lambda each: each.place)
            self._grant()
        while not turn.granted.wait(self._patience()):
            with self._lock:
                self._grant()

    def _leave(self, turn: _Turn) -> None:
        with self._lock:
            if self._holder is turn:
                self._holder = None
            elif turn in self._waiting:
                self._waiting = [each for each in self._waiting if each is not turn]
            self._grant()

    def _patience(self) -> float:
        holder = self._holder
        return self._lease_s if holder is None else max(0.001, holder.ends - time.monotonic())

    def _grant(self) -> None:
        """With the lock held: whoever is first in the order begins, if nobody has a lease."""
        now = time.monotonic()
        if self._waiting and (self._holder is None or self._holder.ends <= now):
            self._holder, *self._waiting = self._waiting
            self._holder.ends = now + self._lease_s
            self._holder.granted.set()


TURNS = RunTurns()
