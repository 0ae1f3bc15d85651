"""The worker for a model in this process: one thread owns it and runs one step of one session at a time.

A forward pass cannot be shared and must not be doubled by thirty script threads. Whose turn it is says ``Turns``: a
generator job gives way after each step it yields, a plain job after its end. Rows that several sessions wait for at the
same time are read together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from playground.engine.api import Engine
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import (
    Read,
    Task,
    Worker,
    advance,
    close_quietly,
    in_a_sentence,
    texts_of,
    together,
    tokens_of,
)

# What one pass takes: thirty rows of 30 tokens take 1.1 s in tens and 2.1 s one by one; longer ones gain nothing and wait.
JOINT_ROWS, JOINT_TOKENS = 10, 256


class StepWorker(Worker):
    """Runs jobs on one engine, one step at a time, in turns between sessions."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(engine, is_alive=is_alive, clock=clock)
        self._thread = threading.Thread(target=self._serve, name="model-worker", daemon=True)
        self._thread.start()

    def _end(self) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _position_of(self, ticket: Ticket[Any]) -> int:
        """Steps of others before this ticket's turn, if every request takes one step and no new ones come."""
        with self._changed:
            waiting = sorted((task for task in self._waiting if not task.over), key=self._key)
            own = [task for task in waiting if ticket.session in task.sessions]
            place = next((place for place, task in enumerate(own) if ticket in task.tickets), None)
            if place is None:
                return 0  # running
            ahead, first = place + bool(self._running), waiting.index(own[0])
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
                self._running = []
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
            self._settle()
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            self._settle()
            first = min(self._waiting, key=self._key)
            group = self._rows_with(first)
            self._waiting = [task for task in self._waiting if task not in group]
            self._running = [first if len(group) == 1 else together(group)]
            return self._running[0]

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
            if advance(task, self._engine):
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
