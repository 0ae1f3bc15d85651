"""The worker for a server: as many jobs at once as it has slots, each on a thread that runs it from its beginning to its end.

A job there mostly waits for the next token to arrive, which must keep nobody else from theirs. What waits begins in the
order of ``Turns``: rows before generations, and of equals whoever has used the server least. A job that nobody waits for
any more closes its connection, which frees the slot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playground.engine.api import Engine
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import Task, Worker, advance, close_quietly, in_a_sentence

AT_ONCE = 16  # jobs, where a server does not say how many slots it has: it queues or batches them itself
LOOK_SECONDS = 1.0  # between two looks for sessions that have left


class SlotWorker(Worker):
    """Runs jobs on an engine that may be asked from several threads, each to its end."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        clock: Callable[[], float] = time.perf_counter,
        at_once: int | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``at_once``: jobs at the same time; None: the slots that the engine's server says it has."""
        super().__init__(engine, is_alive=is_alive, clock=clock)
        server = engine.info.server
        self._at_once = at_once or (server.slots if server is not None else None) or AT_ONCE
        self._look_seconds = look_seconds
        self._charged: dict[Task, float] = {}  # up to when each running job's time has been counted
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="server-job")
        threading.Thread(target=self._look_for_left, name="server-sessions", daemon=True).start()

    def _end(self) -> None:
        self._threads.shutdown()  # what runs sees that it is cancelled
        self._engine.close()

    def _position_of(self, ticket: Ticket[Any]) -> int:
        """Jobs that must end before this ticket's may begin, if each one that waits takes the place of one that ends."""
        with self._changed:
            waiting = sorted((task for task in self._waiting if not task.over), key=self._key)
            return next((place for place, task in enumerate(waiting, 1) if ticket in task.tickets), 0)

    def _put(self, task: Task) -> None:
        super()._put(task)
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        """Begin what may. A row that another job reads just now waits for it, and is in the cache then. With the lock held."""
        for running in self._running:
            self._charge(running)
        self._settle()
        while len(self._running) < self._at_once and not self._closing:
            read = {task.job for task in self._running if task.joins}
            ready = [task for task in self._waiting if not (task.joins and task.job in read)]
            if not ready:
                return
            task = min(ready, key=self._key)
            self._waiting.remove(task)
            self._running.append(task)
            self._charged[task] = self._clock()
            self._threads.submit(self._run, task)

    def _charge(self, task: Task) -> None:
        now = self._clock()
        self._turns.charge(task.sessions, now - self._charged[task])
        self._charged[task] = now

    def _run(self, task: Task) -> None:
        """One job on its thread. Whatever it raises belongs to its ticket."""
        try:
            while advance(task, self._engine):
                pass
        except BaseException as error:  # even SystemExit in a job must not end the thread
            task.tickets[0].fail(in_a_sentence(error))
        close_quietly(task.steps)
        with self._changed:
            self._charge(task)
            self._running.remove(task)
            del self._charged[task]
            self._forget(task.tickets[0])
            self._begin_waiting()

    def _look_for_left(self) -> None:
        """Cancel what sessions that have left asked for, even where nothing comes from the server."""
        while not self._closed_within(self._look_seconds):
            with self._changed:
                sessions = {session for session, _slot in self._open}
            for session in sessions:
                if not self._is_alive(session):
                    self.drop_session(session)

    def _closed_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._closing, seconds)
