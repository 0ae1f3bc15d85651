"""One thread that owns an engine, for many sessions at once.

A forward pass cannot be shared and must not be doubled by thirty script threads; so all ask here. Sessions take turns
step by step: a generator job gives way after each step it yields, a plain job after its end. A newer request of the
same session for the same slot replaces the older one, which nobody looks at any more.

Knows nothing of models, pages or browsers: a session is a string.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.caching import CachedEngine
from playground.engine.serving.ticket import Ticket
from playground.errors import ModelError

T = TypeVar("T")
Steps = Generator[Any, None, T]

_RELEASED = "The model was released: choose it again to load it."


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What the worker does right now. ``queued`` counts requests that wait, the running one not included."""

    busy: bool
    queued: int
    sessions: int  # sessions with a request that waits or runs
    running_session: str | None
    running_slot: str | None


@dataclass(eq=False)
class _Task:
    ticket: Ticket[Any]
    job: Callable[[Engine, CancelToken], Any]
    steps: Steps[Any] | None = field(default=None)  # the started generator


class Worker:
    """Runs jobs on one engine, one step at a time, in turns between sessions. Safe to call from any thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        name: str = "model-worker",
    ) -> None:
        """``is_alive`` says whether anybody still looks at a session; what one that has left asked for is cancelled."""
        self._engine = CachedEngine(engine)
        self._is_alive = is_alive
        self._changed = threading.Condition()
        self._queues: OrderedDict[str, deque[_Task]] = OrderedDict()  # sessions in the order of their turns
        self._open: dict[tuple[str, str], Ticket[Any]] = {}  # the unfinished ticket of each (session, slot)
        self._running: _Task | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def engine(self) -> CachedEngine:
        """For ``info``, ``facets``, ``codec`` and what is cached, which any thread may use."""
        return self._engine

    # -- asking ----------------------------------------------------------------------------------------------------

    @overload
    def submit(self, session: str, slot: str, job: Callable[[Engine, CancelToken], Steps[T]]) -> Ticket[T]: ...
    @overload
    def submit(self, session: str, slot: str, job: Callable[[Engine, CancelToken], T]) -> Ticket[T]: ...
    def submit(self, session: str, slot: str, job: Callable[[Engine, CancelToken], Any]) -> Ticket[Any]:
        """Queue ``job(engine, cancel)``. An unfinished request of the same session and slot is cancelled.

        A generator's yielded values are the ticket's steps and its return value the result. It must not yield inside
        a context that belongs to the thread (``torch.inference_mode``): other jobs run in between.
        """
        ticket: Ticket[Any] = Ticket(session, slot)
        ticket._position_of, ticket._on_cancel = self._position_of, self._withdraw
        with self._changed:
            if self._closing:
                ticket.fail(ModelError(_RELEASED))
                return ticket
            older = self._open.get((session, slot))
            self._open[session, slot] = ticket
            self._queues.setdefault(session, deque()).append(_Task(ticket, job))
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
            waiting = [task.ticket for queue in self._queues.values() for task in queue if not task.ticket.done]
            tickets = [*waiting, running.ticket] if running is not None else waiting
            return WorkerStatus(
                busy=running is not None,
                queued=len(waiting),
                sessions=len({ticket.session for ticket in tickets}),
                running_session=running.ticket.session if running is not None else None,
                running_slot=running.ticket.slot if running is not None else None,
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

    def _withdraw(self, ticket: Ticket[Any]) -> None:
        """Take a cancelled ticket out of the queue. A started generator stays: only the thread may close it."""
        with self._changed:
            self._forget(ticket)
            queue = self._queues.get(ticket.session)
            if queue is not None:
                kept = deque(task for task in queue if task.ticket is not ticket or task.steps is not None)
                if kept:
                    self._queues[ticket.session] = kept
                else:
                    del self._queues[ticket.session]

    def _forget(self, ticket: Ticket[Any]) -> None:
        if self._open.get((ticket.session, ticket.slot)) is ticket:
            del self._open[ticket.session, ticket.slot]

    def _position_of(self, ticket: Ticket[Any]) -> int:
        """Steps of others before this ticket's turn, if every request takes one step and no new ones come."""
        with self._changed:
            own = self._queues.get(ticket.session, deque())
            earlier = next((index for index, task in enumerate(own) if task.ticket is ticket), None)
            if earlier is None:
                return 0  # running
            ahead = earlier + (self._running is not None)
            turns = earlier + 1  # of each session whose turn comes before ours
            for session, queue in self._queues.items():
                if session == ticket.session:
                    turns = earlier
                    continue
                ahead += min(len(queue), turns)
            return ahead

    # -- the thread ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (task := self._next_task()) is not None:
            finished = self._advance(task)
            with self._changed:
                self._running = None
                if finished:
                    self._forget(task.ticket)
                else:
                    self._queues.setdefault(task.ticket.session, deque()).append(task)
            del task  # an idle worker must not keep a session's data alive
        self._close_started()
        self._engine.close()

    def _next_task(self) -> _Task | None:
        """The next session's next task, waiting for one; None once the worker closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._queues or self._closing)
            return None if self._closing else self._take_turn()

    def _take_turn(self) -> _Task:
        """The first session's oldest task; then that session stands last. With the lock held."""
        session, queue = next(iter(self._queues.items()))
        self._running = queue.popleft()
        if queue:
            self._queues.move_to_end(session)
        else:
            del self._queues[session]
        return self._running

    def _advance(self, task: _Task) -> bool:
        """Run one step; says whether the task is finished. Whatever a job raises belongs to its ticket."""
        try:
            if not self._is_alive(task.ticket.session):
                task.ticket.cancel()
            task.ticket.cancel_token.check()
            if task.steps is None:
                started = task.job(self._engine, task.ticket.cancel_token)
                if not isinstance(started, Generator):
                    task.ticket.succeed(started)
                    return True
                task.steps = started
            if _step(task.steps, task.ticket) and not task.ticket.done:
                return False
        except BaseException as error:  # even SystemExit in a job must not end the thread all others wait for
            task.ticket.fail(error)
        _close_quietly(task.steps)
        return True

    def _close_started(self) -> None:
        with self._changed:
            tasks = [task for queue in self._queues.values() for task in queue]
            self._queues.clear()
            self._open.clear()
        for task in tasks:
            _close_quietly(task.steps)
            task.ticket.fail(ModelError(_RELEASED))


def _step(steps: Steps[Any], ticket: Ticket[Any]) -> bool:
    """Pass on the next step, or the result at the end; says whether there was a step."""
    try:
        step = next(steps)
    except StopIteration as end:
        ticket.succeed(end.value)
        return False
    ticket.add_step(step)
    return True


def _close_quietly(steps: Steps[Any] | None) -> None:
    """Let a generator run its ``finally`` blocks; an error there has nobody left to hear it."""
    if steps is None:
        return
    try:
        steps.close()
    except BaseException:
        return
