"""The worker for a server: as many requests at once as it has slots, each job on a thread that runs it from beginning to end.

A job there mostly waits for the next token to arrive, which must keep nobody else from theirs. It begins with a slot, which
its first stream uses; each further one (a Best-of-N has as many as there are slots) waits for a slot of its own, and every
slot that becomes free goes on in the order of ``Turns``: rows before generations, and of equals to whoever has used the
server least. So a session that has begun with many texts has fewer at a time as others come. A job that nobody waits for
any more closes its connections, which frees the slots.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.sharing import APART, Sharing
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.worker import Task, Worker, advance, close_quietly, in_a_sentence

AT_ONCE = 16  # requests, where a server does not say how many slots it has: it queues or batches them itself
LOOK_SECONDS = 1.0  # between two looks for sessions that have left
_MOST_JOBS = 1024  # threads; jobs whose streams wait have no slot
_POLL_S = 0.03  # how soon a stream that waits sees that it is cancelled


@dataclass(eq=False)
class _Stream:
    """A stream of a job that runs: it waits for a slot until it is let in."""

    task: Task
    number: int
    let_in: threading.Event = field(default_factory=threading.Event)


class SlotWorker(Worker):
    """Runs jobs on an engine that may be asked from several threads, each to its end."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        sharing: Sharing = APART,
        clock: Callable[[], float] = time.perf_counter,
        at_once: int | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``at_once``: requests at the same time; None: the slots that the engine's server says it has."""
        super().__init__(engine, is_alive=is_alive, sharing=sharing, clock=clock)
        server = engine.info.server
        self._slots = self._free = at_once or (server.slots if server is not None else None) or AT_ONCE
        self._look_seconds = look_seconds
        self._streams: list[_Stream] = []  # that wait
        self._held: Counter[Task] = Counter()  # slots of each running job
        self._untouched: set[Task] = set()  # jobs whose own slot no stream has used yet
        self._charged: dict[Task, float] = {}  # up to when each running job's time has been counted
        self._threads = ThreadPoolExecutor(_MOST_JOBS, thread_name_prefix="server-job")
        threading.Thread(target=self._look_for_left, name="server-sessions", daemon=True).start()

    def _end(self) -> None:
        self._threads.shutdown()  # what runs sees that it is cancelled
        self._engine.close()

    def _wait_of(self, ticket: Ticket[Any]) -> Wait:
        """Slots that must become free before this ticket's job may begin: one after the other, as jobs have taken of late."""
        with self._changed:
            waiting: list[Task | _Stream] = [task for task in self._waiting if not task.over]
            waiting = sorted([*waiting, *self._streams], key=self._order)
            places = enumerate(waiting, 1)
            place = next((place for place, one in places if isinstance(one, Task) and ticket in one.tickets), 0)
            each = [self._pace.of(task.priority.name) for task in self._running]
            return Wait(place, place * sum(each) / max(1, len(each)) / self._slots)

    def _put(self, task: Task) -> None:
        super()._put(task)
        self._begin_waiting()

    def _order(self, one: Task | _Stream) -> tuple[float, int]:
        return self._key(one) if isinstance(one, Task) else (self._key(one.task)[0], one.number)

    def _begin_waiting(self) -> None:
        """Begin what may. A row that another job reads just now waits for it, and is in the cache then. With the lock held."""
        for running in self._running:
            self._charge(running)
        self._settle()
        while self._free > 0 and not self._closing:
            read = {task.job for task in self._running if task.joins}
            ready: list[Task | _Stream] = [task for task in self._waiting if not (task.joins and task.job in read)]
            ready += [stream for stream in self._streams if not stream.task.over]  # others see that they are cancelled
            if not ready:
                return
            first = min(ready, key=self._order)
            self._free -= 1
            if isinstance(first, Task):
                self._begin(first)
            else:
                self._streams.remove(first)
                self._held[first.task] += 1
                first.let_in.set()

    def _begin(self, task: Task) -> None:
        self._waiting.remove(task)
        self._running.append(task)
        self._held[task] = 1
        self._untouched.add(task)
        self._charged[task] = self._clock()
        self._threads.submit(self._run, task)

    def _charge(self, task: Task) -> None:
        """Count the seconds of each of its slots."""
        now = self._clock()
        self._turns.charge(task.sessions, (now - self._charged[task]) * self._held[task])
        self._charged[task] = now

    # -- on the threads of jobs and of their streams -----------------------------------------------------------------

    def _run(self, task: Task) -> None:
        """One job on its thread. Whatever it raises belongs to its ticket."""
        began = self._clock()
        engine = self._engine.with_turns(partial(self._slot, task))
        try:
            while advance(task, engine):
                pass
        except BaseException as error:  # even SystemExit in a job must not end the thread
            task.tickets[0].fail(in_a_sentence(error))
        close_quietly(task.steps)
        with self._changed:
            self._pace.note(task.priority.name, self._clock() - began)
            self._charge(task)
            self._running.remove(task)
            del self._charged[task]
            if task in self._untouched:
                self._untouched.remove(task)
                del self._held[task]
                self._free += 1
            self._forget(task.tickets[0])
            self._begin_waiting()

    @contextmanager
    def _slot(self, task: Task, cancel: CancelToken) -> Iterator[None]:
        """A slot for one stream of ``task``, waited for. Raises Cancelled."""
        stream = self._ask(task)
        try:
            while not stream.let_in.wait(_POLL_S):
                cancel.check()
            yield
        finally:
            self._leave(stream)

    def _ask(self, task: Task) -> _Stream:
        with self._changed:
            stream = _Stream(task, next(self._numbers))
            if task in self._untouched:
                self._untouched.remove(task)
                stream.let_in.set()
            else:
                self._streams.append(stream)
                self._begin_waiting()
            return stream

    def _leave(self, stream: _Stream) -> None:
        with self._changed:
            if stream in self._streams:
                self._streams.remove(stream)
                return
            if stream.task in self._charged:
                self._charge(stream.task)
            self._held[stream.task] -= 1
            if not self._held[stream.task]:
                del self._held[stream.task]
            self._free += 1
            self._begin_waiting()

    def _look_for_left(self) -> None:
        """Cancel what sessions that have left asked for, even where nothing comes from the server."""
        while not self._closed_within(self._look_seconds):
            with self._changed:
                sessions = {session for session, _slot, _lane in self._open}
            for session in sessions:
                if not self._is_alive(session):
                    self.drop_session(session)

    def _closed_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._closing, seconds)
