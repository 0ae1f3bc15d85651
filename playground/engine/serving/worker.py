"""One thread that owns an engine, for many sessions at once.

A forward pass cannot be shared and must not be doubled by thirty script threads; so all ask here. Whose turn it is says
``Turns``: a generator job gives way after each step it yields, a plain job after its end. Rows that several sessions wait
for at the same time are read together. A newer request of the same session for the same slot replaces the older one,
which nobody looks at any more.

Knows nothing of models, pages or browsers: a session is a string.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, overload

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.caching import CachedEngine
from playground.engine.serving.tasks import (
    Read,
    Steps,
    Task,
    close_quietly,
    in_a_sentence,
    take_step,
    texts_of,
    together,
    tokens_of,
)
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.turns import Priority, Turns
from playground.engine.types import NextRow
from playground.errors import ModelError

T = TypeVar("T")

# What one pass takes: thirty rows of 30 tokens take 1.1 s in tens and 2.1 s one by one; longer ones gain nothing and wait.
JOINT_ROWS, JOINT_TOKENS = 10, 256
_RELEASED = "The model was released: choose it again to load it."


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What the worker does right now. ``queued`` counts requests that wait, the running one not included."""

    busy: bool
    queued: int
    sessions: int  # sessions with a request that waits or runs
    running_session: str | None
    running_slot: str | None


class Worker:
    """Runs jobs on one engine, one step at a time, in turns between sessions. Safe to call from any thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        clock: Callable[[], float] = time.perf_counter,
        name: str = "model-worker",
    ) -> None:
        """``is_alive`` says whether anybody still looks at a session; what one that has left asked for is cancelled."""
        self._engine = CachedEngine(engine)
        self._is_alive = is_alive
        self._clock = clock
        self._changed = threading.Condition()
        self._turns = Turns()
        self._numbers = count(1)
        self._waiting: list[Task] = []
        self._open: dict[tuple[str, str], Ticket[Any]] = {}  # the unfinished ticket of each (session, slot)
        self._running: Task | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def engine(self) -> CachedEngine:
        """For ``info``, ``facets``, ``codec`` and what is cached, which any thread may use."""
        return self._engine

    # -- asking ----------------------------------------------------------------------------------------------------

    @overload
    def submit(
        self, session: str, slot: str, job: Callable[[Engine, CancelToken], Steps[T]], priority: Priority = ...
    ) -> Ticket[T]: ...
    @overload
    def submit(
        self, session: str, slot: str, job: Callable[[Engine, CancelToken], T], priority: Priority = ...
    ) -> Ticket[T]: ...
    def submit(
        self, session: str, slot: str, job: Callable[[Engine, CancelToken], Any], priority: Priority = Priority.STEPS
    ) -> Ticket[Any]:
        """Queue ``job(engine, cancel)``. An unfinished request of the same session and slot is cancelled.

        A generator's yielded values are the ticket's steps, None only gives others a turn; its return value is the
        result. It must not yield inside a context that belongs to the thread (``torch.inference_mode``).
        """
        ticket: Ticket[Any] = Ticket(session, slot)
        return self._queue(ticket, Task([ticket], job, priority, cancel=ticket.cancel_token))

    def next_row(self, session: str, slot: str, ids: Sequence[int]) -> Ticket[NextRow]:
        """Queue the reading of ``ids``: the row after them. Readings that wait at the same time are done in one pass."""
        ticket: Ticket[NextRow] = Ticket(session, slot)
        job = Read((tuple(ids),))
        return self._queue(ticket, Task([ticket], job, Priority.ROW, joins=True, cancel=ticket.cancel_token))

    def _queue(self, ticket: Ticket[T], task: Task) -> Ticket[T]:
        session, slot = ticket.session, ticket.slot
        ticket._position_of, ticket._on_cancel = self._position_of, self._withdraw
        with self._changed:
            if self._closing:
                ticket.fail(ModelError(_RELEASED))
                return ticket
            older = self._open.get((session, slot))
            self._open[session, slot] = ticket
            self._turns.arrive(session)
            self._put(task)
            self._changed.notify_all()
        if older is not None:
            older.cancel()
        return ticket

    def drop_session(self, session: str) -> None:
        """Cancel all that ``session`` has asked for."""
        with self._changed:
            tickets = [ticket for (owner, _slot), ticket in self._open.items() if owner == session]
        for ticket in tickets:
            ticket.cancel()

    def status(self) -> WorkerStatus:
        with self._changed:
            running = self._running
            waiting = [ticket for task in self._waiting for ticket in task.tickets if not ticket.done]
            tickets = [*waiting, *running.tickets] if running is not None else waiting
            return WorkerStatus(
                busy=running is not None,
                queued=len(waiting),
                sessions=len({ticket.session for ticket in tickets}),
                running_session=running.tickets[0].session if running is not None else None,
                running_slot=running.tickets[0].slot if running is not None else None,
            )

    def close(self) -> None:
        """End the thread after its current step, release the engine and fail all tickets that wait. Idempotent."""
        with self._changed:
            self._closing = True
            tickets = list(self._open.values())
            self._changed.notify_all()
        for ticket in tickets:
            ticket.fail(ModelError(_RELEASED))
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # -- queueing --------------------------------------------------------------------------------------------------

    def _put(self, task: Task) -> None:
        """At the end of the queue, among those of the same tag. With the lock held."""
        task.number = next(self._numbers)
        self._waiting.append(task)

    def _key(self, task: Task) -> tuple[float, int]:
        """The order of turns; what nobody waits for any more lets go of its memory first."""
        tag = float("-inf") if task.over else self._turns.tag(task.sessions, task.priority)
        return tag, task.number

    def _withdraw(self, ticket: Ticket[Any]) -> None:
        """Take a cancelled ticket out of the queue. A started generator stays: only the thread may close it."""
        with self._changed:
            self._forget(ticket)
            self._waiting = [task for task in self._waiting if task.steps is not None or not task.over]

    def _forget(self, ticket: Ticket[Any]) -> None:
        if self._open.get((ticket.session, ticket.slot)) is ticket:
            del self._open[ticket.session, ticket.slot]

    def _position_of(self, ticket: Ticket[Any]) -> int:
        """Steps of others before this ticket's turn, if every request takes one step and no new ones come."""
        with self._changed:
            waiting = sorted((task for task in self._waiting if not task.over), key=self._key)
            own = [task for task in waiting if ticket.session in task.sessions]
            place = next((place for place, task in enumerate(own) if ticket in task.tickets), None)
            if place is None:
                return 0  # running
            ahead, first = place + (self._running is not None), waiting.index(own[0])
            for session in {task.sessions[0] for task in waiting} - {ticket.session}:
                theirs = [index for index, task in enumerate(waiting) if session in task.sessions]
                ahead += min(len(theirs), place + (theirs[0] < first))
            return ahead

    # -- the thread ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (task := self._next_task()) is not None:
            started = self._clock()
            finished = self._advance(task)
            with self._changed:
                self._turns.charge(task.sessions, self._clock() - started)
                self._running = None
                for ticket in task.tickets:
                    if ticket.done:
                        self._forget(ticket)
                if not finished:
                    self._put(task)
            del task  # an idle worker must not keep a session's data alive
        self._close_started()
        self._engine.close()

    def _next_task(self) -> Task | None:
        """The task whose turn it is, waiting for one; None once the worker closes."""
        with self._changed:
            if not self._waiting:
                self._turns.settle(())
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            self._turns.settle({session for task in self._waiting for session in task.sessions})
            first = min(self._waiting, key=self._key)
            group = self._rows_with(first)
            self._waiting = [task for task in self._waiting if task not in group]
            self._running = first if len(group) == 1 else together(group)
            return self._running

    def _rows_with(self, first: Task) -> list[Task]:
        """``first`` and the readings that are best done with it, those whose turn comes soonest. With the lock held."""
        group, tokens = [first], tokens_of(first)
        for task in sorted(self._waiting, key=self._key) if first.joins else ():
            if (
                task is not first
                and task.joins
                and len(group) < JOINT_ROWS
                and tokens + tokens_of(task) <= JOINT_TOKENS
            ):
                group.append(task)
                tokens += tokens_of(task)
        return group

    def _advance(self, task: Task) -> bool:
        """Run one step; says whether the task is finished. Whatever a job raises belongs to its tickets."""
        try:
            for ticket in task.tickets:
                if not self._is_alive(ticket.session):
                    ticket.cancel()
            if task.over:
                task.cancel.cancel()
            task.cancel.check()
            if task.steps is None:
                answer = task.job(self._engine, task.cancel)
                if not isinstance(answer, Generator):
                    task.tickets[0].succeed(answer)
                    return True
                task.steps = answer
            if take_step(task) and not task.over:
                return False
        except BaseException as error:  # even SystemExit in a job must not end the thread all others wait for
            self._fail(task, error)
        close_quietly(task.steps)
        return True

    def _fail(self, task: Task, error: BaseException) -> None:
        """The tickets end with a sentence. Of rows read together one may be at fault: then each is read alone."""
        if len(task.tickets) == 1:
            task.tickets[0].fail(in_a_sentence(error))
            return
        with self._changed:
            for ticket, ids in zip(task.tickets, texts_of(task), strict=True):
                if not ticket.done:
                    self._put(Task([ticket], Read((ids,)), task.priority, cancel=ticket.cancel_token))

    def _close_started(self) -> None:
        with self._changed:
            tasks, self._waiting = self._waiting, []
            self._open.clear()
        for task in tasks:
            close_quietly(task.steps)
            for ticket in task.tickets:
                ticket.fail(ModelError(_RELEASED))
