"""One piece of work for all who ask for the same while it is under way: whoever has the turn takes its next step.

So thirty readers who ask for one answer at once pay for one, and nobody waits for another's turn. Knows no model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from playground.engine.api import CancelToken
from playground.engine.pieces import Pieces
from playground.errors import Cancelled

T = TypeVar("T")


class _UnderWay:
    """Steps that are taken one at a time, and how many wait for their end."""

    def __init__(self, steps: Pieces[Any]) -> None:
        self._steps, self._lock = steps, threading.Lock()
        self.users = 0
        self.result: Any = None
        self.done = self.failed = False

    def take_step(self) -> None:
        """Raises what the work raises, once: it has failed then."""
        with self._lock:
            if self.done or self.failed:
                return
            try:
                next(self._steps)
            except StopIteration as end:
                self.result, self.done = end.value, True
            except BaseException:
                self.failed = True
                raise

    def close(self) -> None:
        """Nobody waits any more."""
        self._steps.close()


class SharedPieces(Generic[T]):
    """Work under way, by what was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, _UnderWay] = {}

    def run(self, key: Hashable, begin: Callable[[], Pieces[T]], cancel: CancelToken) -> Pieces[T]:
        """What ``begin`` makes, begun once for all who ask by ``key`` before it ends; then it is forgotten.

        What fails fails for whoever took that step; the others begin anew. It may have been the cancelling of who began it.
        """
        while True:
            work = self._join(key, begin)
            try:
                while not (work.done or work.failed):
                    cancel.check()
                    try:
                        work.take_step()
                    except Cancelled:
                        cancel.check()  # one's own is told
                    if not (work.done or work.failed):
                        yield
            finally:
                self._leave(key, work)
            if work.done:
                result: T = work.result
                return result

    def _join(self, key: Hashable, begin: Callable[[], Pieces[T]]) -> _UnderWay:
        with self._lock:
            work = self._under_way.get(key)
            if work is None or work.failed:
                work = self._under_way[key] = _UnderWay(begin())
            work.users += 1
            return work

    def _leave(self, key: Hashable, work: _UnderWay) -> None:
        """The last one takes away what is not finished."""
        with self._lock:
            work.users -= 1
            if work.users:
                return
            if self._under_way.get(key) is work:
                del self._under_way[key]
        work.close()
