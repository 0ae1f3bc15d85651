"""One training at a time: the others of a process wait in a line, and are told how many are before them.

Two at once would hold two copies of a model's weights and both take twice as long. Knows workers and tickets, no training.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.worker import Worker
from playground.errors import Cancelled, PlaygroundError

T = TypeVar("T")
Job = Callable[[Engine, CancelToken], Generator[Any, None, T]]


@dataclass(eq=False)
class _Place:
    """``own``: what the asker holds. ``inner``: the request at the worker, once it is its turn."""

    own: Ticket[Any]
    worker: Worker
    job: Job[Any]
    seconds: float
    inner: Ticket[Any] | None = None
    began: float = field(default=0.0)

    def left(self) -> float:
        """Seconds it has still to go, as far as was expected."""
        return self.seconds if self.inner is None else max(0.0, self.seconds - (time.monotonic() - self.began))


class TrainingLine:
    """Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._places: list[_Place] = []

    def submit(self, worker: Worker, session: str, slot: str, job: Job[T], seconds: float = 0.0) -> Ticket[T]:
        """Queue ``job`` behind the trainings that were there before; it then is a request of ``session`` like any other.

        ``seconds``: how long it is expected to take, for those behind it. ``before()`` of the ticket counts the trainings
        ahead. Cancelling takes it out of the line, or ends it.
        """
        own: Ticket[T] = Ticket(session, slot)
        place = _Place(own, worker, job, seconds)
        own._wait_of = lambda _ticket: self._wait_of(place)
        own._on_cancel = lambda _ticket: self._withdraw(place)
        with self._lock:
            self._places.append(place)
        self._go_on()
        return own

    def _go_on(self) -> None:
        """Begin the first, if nothing runs."""
        with self._lock:
            if not self._places or self._places[0].inner is not None:
                return
            place = self._places[0]
            place.began = time.monotonic()
            place.inner = place.worker.submit(
                place.own.session, place.own.slot, lambda e, c: _forward_steps(place, e, c)
            )
        place.inner.when_done(lambda: self._ended(place))

    def _ended(self, place: _Place) -> None:
        inner = place.inner
        assert inner is not None
        with self._lock:
            self._places = [one for one in self._places if one is not place]
        try:
            place.own.succeed(inner.result(0))
        except Cancelled:
            place.own.cancel()
        except PlaygroundError as error:
            place.own.fail(error)
        self._go_on()

    def _withdraw(self, place: _Place) -> None:
        if place.inner is not None:
            place.inner.cancel()
            return
        with self._lock:
            self._places = [one for one in self._places if one is not place]
        self._go_on()

    def _wait_of(self, place: _Place) -> Wait:
        with self._lock:
            inner = place.inner
            ahead = self._places[: self._places.index(place)] if place in self._places else []
            if inner is None:
                return Wait(len(ahead), sum(one.left() for one in ahead))
        return inner.before()


def _forward_steps(place: _Place, engine: Engine, cancel: CancelToken) -> Generator[None, None, Any]:
    """The job, its steps passed on to who waits for them."""
    steps = place.job(engine, cancel)
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if step is not None:
                place.own.add_step(step)
            yield
    finally:
        steps.close()


@cache
def training_line() -> TrainingLine:
    """The line of this process."""
    return TrainingLine()
