"""One engine for many sessions: what pages and commands ask, whichever kind of worker answers.

A request is a job in a slot of a session. A newer one of the same session and slot replaces the older, which nobody looks
at any more. How jobs take turns is the business of the two kinds: ``StepWorker`` for a model in this process, which one
thread must own, ``SlotWorker`` for a server, which answers several requests at a time.

Knows nothing of models, pages or browsers: a session is a string.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar, overload

from playground.engine.api import AskedStep, CancelToken, Engine, NextTokens
from playground.engine.facets import require
from playground.engine.pieces import Pieces
from playground.engine.serving.caching import CachedEngine
from playground.engine.serving.sharing import APART, Sharing
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.turns import Pace, Priority, Turns
from playground.engine.types import NextRow, TokenIds
from playground.errors import Cancelled, ModelError, PlaygroundError
from playground.metrics import count_request, count_tokens

T = TypeVar("T")
Steps = Generator[Any, None, T]

LEAD_S = 4.0  # the head start of who leads a room, beside that of the request's class
RELEASED = "The model was released: choose it again to load it."


@dataclass(frozen=True)
class Read:
    """The job of reading texts for the row after each."""

    texts: tuple[TokenIds, ...]

    def __call__(self, engine: Engine, cancel: CancelToken) -> Pieces[tuple[NextRow, ...]]:
        return require(engine, NextTokens).next_logits_in_pieces(self.texts, cancel=cancel)


@dataclass(eq=False)
class Task:
    """A request: ``job`` answers its one ticket. A ``Read`` gives each of its tickets the row of one text, in order."""

    tickets: Sequence[Ticket[Any]]
    job: Callable[[Engine, CancelToken], Any]
    priority: Priority
    engine: CachedEngine  # on which it runs: the worker's, or one over the same weights
    joins: bool = False  # a reading that may be done together with others
    goes_first: bool = False  # before all others of about the same tag
    number: int = 0  # in the order of the queue
    cancel: CancelToken = field(default_factory=CancelToken)
    steps: Steps[Any] | None = None  # the started generator
    asked: list[AskedStep] = field(default_factory=list)  # what it waits for: steps of its batches
    rows: int = 0  # of its batch, once they are known: those it has asked a step for, or says that it draws

    @property
    def sessions(self) -> list[str]:
        return [ticket.session for ticket in self.tickets]

    @property
    def over(self) -> bool:
        """Nobody waits for it any more."""
        return all(ticket.done for ticket in self.tickets)


def texts_of(task: Task) -> tuple[TokenIds, ...]:
    return task.job.texts if isinstance(task.job, Read) else ()


def tokens_of(task: Task) -> int:
    return sum(map(len, texts_of(task)))


def together(group: Sequence[Task]) -> Task:
    texts = tuple(ids for task in group for ids in texts_of(task))
    return Task([ticket for task in group for ticket in task.tickets], Read(texts), group[0].priority, group[0].engine)


def advance(task: Task, engine: Engine) -> bool:
    """Run one step; says whether somebody waits for another. Raises what the job raises, and Cancelled."""
    if task.over:
        task.cancel.cancel()
    task.cancel.check()
    if task.steps is None:
        answer = task.job(engine, task.cancel)
        if not isinstance(answer, Generator):
            task.tickets[0].succeed(answer)
            return False
        task.steps = answer
    return _take_step(task) and not task.over


def _take_step(task: Task) -> bool:
    """Pass on the next step, or the result at the end; says whether there was a step."""
    assert task.steps is not None
    try:
        step = next(task.steps)
    except StopIteration as end:
        answers = end.value if isinstance(task.job, Read) else [end.value]
        for ticket, answer in zip(task.tickets, answers, strict=True):
            ticket.succeed(answer)
        return False
    if step is not None:  # None gave the others a turn
        count_tokens(step)
        task.rows = getattr(step, "drawn_rows", 0) or task.rows
        task.tickets[0].add_step(step)
    return True


def in_a_sentence(error: BaseException) -> PlaygroundError:
    """What a library raised, as something a page can show; a panic of a tokenizer is no Exception."""
    if isinstance(error, PlaygroundError):
        return error
    reason = (str(error).splitlines() or [""])[0][:200]
    model_error = ModelError(
        f"The model's work ended in an error ({type(error).__name__}{reason and ': '}{reason}): "
        "change the input, or choose another model."
    )
    model_error.__cause__ = error
    return model_error


def close_quietly(steps: Steps[Any] | None) -> None:
    """Let a generator run its ``finally`` blocks; an error there has nobody left to hear it."""
    if steps is None:
        return
    try:
        steps.close()
    except BaseException:
        return


def _count(priority: Priority, seconds: float, ticket: Ticket[Any]) -> None:
    cancelled = isinstance(ticket.error, Cancelled)
    count_request(priority.name.lower(), seconds, ticket.error, cancelled=cancelled)


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What the worker does right now. ``queued`` counts requests that wait, the running ones not included."""

    busy: bool
    queued: int


class Worker(ABC):
    """Runs jobs on one engine, in turns between sessions. Safe to call from any thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        sharing: Sharing = APART,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``is_alive`` says whether anybody still looks at a session; what one that has left asked for is cancelled."""
        self._pace = Pace()
        self._engine = CachedEngine(engine)
        self._is_alive = is_alive
        self._clock = clock
        self._changed = threading.Condition()
        self._sharing = sharing
        self._turns = Turns(sharing.visitor_of)
        self._numbers = count(1)
        self._waiting: list[Task] = []
        self._running: list[Task] = []
        self._open: dict[tuple[str, str, str], Ticket[Any]] = {}  # the unfinished ticket of each place
        self._lane = ""  # its tickets', beside those of workers that share its thread
        self._closing = False

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
        ticket: Ticket[Any] = Ticket(session, slot, self._lane)
        return self._queue(ticket, Task([ticket], job, priority, self._engine, cancel=ticket.cancel_token))

    def next_row(self, session: str, slot: str, ids: Sequence[int]) -> Ticket[NextRow]:
        """Queue the reading of ``ids``: the row after them. The same row is computed once, however many wait for it."""
        ticket: Ticket[NextRow] = Ticket(session, slot, self._lane)
        job = Read((tuple(ids),))
        return self._queue(
            ticket, Task([ticket], job, Priority.ROW, self._engine, joins=True, cancel=ticket.cancel_token)
        )

    def _queue(self, ticket: Ticket[T], task: Task) -> Ticket[T]:
        session = ticket.session
        task.goes_first = self._sharing.goes_first(self._sharing.visitor_of(session))
        asked, priority = self._clock(), task.priority
        ticket.when_done(lambda: _count(priority, self._clock() - asked, ticket))
        ticket._wait_of, ticket._on_cancel = self._wait_of, self._withdraw
        with self._changed:
            if self._closing:
                ticket.fail(ModelError(RELEASED))
                return ticket
            older = self._open.get(ticket.place)
            try:
                self._admit(ticket)
            except PlaygroundError as error:
                ticket.fail(error)
                return ticket
            self._open[ticket.place] = ticket
            self._turns.arrive(session)
            self._put(task)
            self._changed.notify_all()
        if older is not None:
            older.cancel()
        return ticket

    def _admit(self, ticket: Ticket[Any]) -> None:
        """With the lock held: a request that is replaced counts as gone. Raises what ``Sharing.admit`` raises."""
        visitor_of = self._sharing.visitor_of
        visitor = visitor_of(ticket.session)
        others = (place for place in self._open if place != ticket.place and visitor_of(place[0]) == visitor)
        self._sharing.admit(visitor, sum(1 for _ in others))

    def drop_session(self, session: str) -> None:
        """Cancel all that ``session`` has asked for."""
        for ticket in self._tickets_of(self._lane):
            if ticket.session == session:
                ticket.cancel()

    def _tickets_of(self, lane: str) -> list[Ticket[Any]]:
        with self._changed:
            return [ticket for ticket in self._open.values() if ticket.lane == lane]

    def status(self) -> WorkerStatus:
        with self._changed:
            waiting = [ticket for task in self._waiting for ticket in task.tickets if not ticket.done]
            return WorkerStatus(bool(self._running), len(waiting))

    def close(self) -> None:
        """Fail all tickets, end what runs and release the engine. Idempotent."""
        with self._changed:
            self._closing = True
            tickets = list(self._open.values())
            self._changed.notify_all()
        for ticket in tickets:
            ticket.fail(ModelError(RELEASED))
        self._end()

    # -- the queue, with the lock held -----------------------------------------------------------------------------

    def _put(self, task: Task) -> None:
        """At the end of the queue, among those of the same tag."""
        task.number = next(self._numbers)
        self._waiting.append(task)

    def _key(self, task: Task) -> tuple[float, int]:
        """The order of turns; what nobody waits for any more lets go of its memory first."""
        tag = float("-inf") if task.over else self._turns.tag(task.sessions, task.priority)
        return tag - (LEAD_S if task.goes_first else 0.0), task.number

    def _forget(self, ticket: Ticket[Any]) -> None:
        if self._open.get(ticket.place) is ticket:
            del self._open[ticket.place]

    def _settle(self) -> None:
        """Sessions without a request that waits or runs are forgotten by the turns."""
        self._turns.settle({session for task in [*self._waiting, *self._running] for session in task.sessions})

    # -- what the kinds differ in ----------------------------------------------------------------------------------

    def _withdraw(self, ticket: Ticket[Any]) -> None:
        """Take a cancelled ticket out of the queue. A started generator stays: only its thread may close it."""
        with self._changed:
            self._forget(ticket)
            self._waiting = [task for task in self._waiting if task.steps is not None or not task.over]

    @abstractmethod
    def _wait_of(self, ticket: Ticket[Any]) -> Wait:
        """How much of others comes before it, and how long that takes as turns have gone of late."""

    @abstractmethod
    def _end(self) -> None:
        """Every ticket has failed: wait for what runs and close the engine. May be called again."""
