"""A worker for another engine over a model's weights, whose jobs take their turns on the thread of the model's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from playground.engine.api import Engine
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.worker import RELEASED, Task, Worker, WorkerStatus
from playground.errors import ModelError

T = TypeVar("T")


class WorkerBeside(Worker):
    """Asks the thread of another worker, with an engine and answers of its own. ``at_rest``: a block between its turns."""

    def __init__(self, owner: Worker, engine: Engine, at_rest: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(engine, is_alive=owner._is_alive, sharing=owner._sharing, clock=owner._clock)
        self._owner, self._at_rest = owner, at_rest
        self._engine = owner._engine.beside(engine)
        self._lane = engine.info.revision

    def _queue(self, ticket: Ticket[T], task: Task) -> Ticket[T]:
        if self._closing:
            ticket.fail(ModelError(RELEASED))
            return ticket
        return self._owner._queue(ticket, task)

    def _tickets_of(self, lane: str) -> list[Ticket[Any]]:
        return self._owner._tickets_of(lane)

    def status(self) -> WorkerStatus:
        return self._owner.status()

    def _wait_of(self, ticket: Ticket[Any]) -> Wait:
        return self._owner._wait_of(ticket)

    def _end(self) -> None:
        for ticket in self._tickets_of(self._lane):
            ticket.fail(ModelError(RELEASED))
        self._engine.forget()
        with self._at_rest():
            self._engine.inner.close()
