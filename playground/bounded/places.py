"""Who may have a child process now: few for all visitors together, one for each, in turns.

Knows no process: it only says when.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

_LOOK_SECONDS = 0.05
_REMEMBERED = 1000  # visitors whose last turn is kept


class Places:
    """``most`` places for all visitors together and one for each visitor.

    A free place goes to the waiting visitor whose last turn is longest ago, so that one who asks much delays nobody but
    himself by more than one turn.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._waiting: list[str] = []
        self._busy: set[str] = set()
        self._last_turn: OrderedDict[str, int] = OrderedDict()
        self._turns = 0

    @contextlib.contextmanager
    def take(self, visitor: str, check: Callable[[], None]) -> Iterator[None]:
        """Wait for a place and hold it. ``check`` is called while waiting; what it raises ends the wait."""
        with self._changed:
            self._waiting.append(visitor)
            try:
                while not self._may_go(visitor):
                    self._changed.wait(_LOOK_SECONDS)
                    check()
                self._begin(visitor)
            finally:
                self._waiting.remove(visitor)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(visitor)
                self._changed.notify_all()

    def _may_go(self, visitor: str) -> bool:
        if len(self._busy) >= self._most or visitor in self._busy:
            return False
        free = (other for other in self._waiting if other not in self._busy)
        return visitor == min(free, key=lambda other: self._last_turn.get(other, 0))

    def _begin(self, visitor: str) -> None:
        self._turns += 1
        self._busy.add(visitor)
        self._last_turn[visitor] = self._turns
        self._last_turn.move_to_end(visitor)
        if len(self._last_turn) > _REMEMBERED:
            self._last_turn.popitem(last=False)
