"""The worker for a model in this process: one thread owns it and runs one turn at a time.

A forward pass must not be doubled by thirty script threads. Whose turn it is says ``Turns``: a generator job gives way
after each step it yields, a plain job after its end. What several sessions wait for at the same time is done together: rows
are read in one pass, and batches that have asked for their next step take it in one pass, each session its share of rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from playground.engine.api import AskedStep, Engine, Rows
from playground.engine.facets import offers
from playground.engine.serving.shares import MOST_ROWS, Debt, PassCost, share_rows, with_many
from playground.engine.serving.sharing import APART, Sharing
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.turns import Priority
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
from playground.engine.serving.worker_beside import WorkerBeside

T = TypeVar("T")

# What one pass takes: thirty rows of 30 tokens take 1.1 s in tens and 2.1 s one by one; longer ones gain nothing and wait.
JOINT_ROWS, JOINT_TOKENS = 10, 256
_JOINT = "joint"  # the kind of a pass for steps of several sessions


def _passes(tokens: Sequence[int]) -> int:
    """How many passes read texts of so many tokens, in their order."""
    passes, texts, total = 0, JOINT_ROWS, 0
    for each in tokens:
        if texts == JOINT_ROWS or total + each > JOINT_TOKENS:
            passes, texts, total = passes + 1, 0, 0
        texts, total = texts + 1, total + each
    return passes


class StepWorker(Worker):
    """Runs jobs on one engine, and on those over the same weights (see ``beside``), one step at a time, in turns."""

    def __init__(
        self,
        engine: Engine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
        sharing: Sharing = APART,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(engine, is_alive=is_alive, sharing=sharing, clock=clock)
        self._has_rows = offers(engine, Rows)
        self._cost, self._debt = PassCost(), Debt()
        self._many: Collection[str] = ()  # visitors with many rows, as the running turn began
        self._held: Collection[Task] = ()  # what sits out meanwhile
        self._turn_began = 0.0
        self._resting = 0  # how many wait for the thread to be between two turns, or need it to stay there
        self._thread = threading.Thread(target=self._serve, name="model-worker", daemon=True)
        self._thread.start()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """A block between two turns, on any thread but its own: no pass runs meanwhile, so keep it to milliseconds."""
        with self._changed:
            self._resting += 1
            self._changed.wait_for(lambda: not self._running)
        try:
            yield
        finally:
            with self._changed:
                self._resting -= 1
                self._changed.notify_all()

    def beside(self, engine: Engine) -> Worker:
        """A worker for another engine over this one's weights, whose jobs take their turns on this one's thread."""
        return WorkerBeside(self, engine, self.at_rest)

    def _end(self) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wait_of(self, ticket: Ticket[Any]) -> Wait:
        """If every request takes one step and no new ones come."""
        with self._changed:
            waiting = sorted((task for task in self._waiting if not task.over), key=self._key)
            own = next((task for task in waiting if ticket in task.tickets), None)
            if own is None:  # running
                return Wait()
            turns = self._turns_of(self._tasks_before(own, waiting), own)
            seconds = sum(map(self._pace.of, turns))
            if self._running:
                seconds += max(0.0, self._pace.of(self._kind(self._running[0])) - (self._clock() - self._turn_began))
            return Wait(len(turns) + bool(self._running), seconds)

    def _tasks_before(self, own: Task, waiting: Sequence[Task]) -> list[Task]:
        """Those of ``waiting``, in order, whose turn comes before ``own``'s: visitors take turns."""
        by_visitor: dict[str, list[Task]] = {}
        for task in waiting:
            by_visitor.setdefault(self._visitor(task), []).append(task)
        order, visitor = list(by_visitor), self._visitor(own)
        place = by_visitor[visitor].index(own)
        sooner = order[: order.index(visitor)]
        return [task for name, theirs in by_visitor.items() for task in theirs[: place + (name in sooner)]]

    def _turns_of(self, tasks: Sequence[Task], own: Task) -> list[str]:
        """The kinds of the turns that ``tasks`` take before ``own``'s: what is done together is one, and none with its own."""
        joined = [task for task in tasks if self._kind(task) == _JOINT]
        reads = [tokens_of(task) for task in tasks if task.joins]
        turns = [self._kind(task) for task in tasks if not task.joins and task not in joined]
        turns += [_JOINT] if joined and self._kind(own) != _JOINT else []
        passes = _passes([*reads, *([tokens_of(own)] if own.joins else [])]) - own.joins
        return turns + [Priority.ROW.name] * passes

    def _kind(self, task: Task) -> str:
        return _JOINT if task.asked and task.engine.joins_steps else task.priority.name

    # -- the thread ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while turn := self._next_turn():
            kind = self._kind(turn[0])
            over = self._step_together(turn) if turn[0].asked else self._alone(turn[0])
            with self._changed:
                self._pace.note(kind, self._clock() - self._turn_began)
                self._running = []
                if self._resting:
                    self._changed.notify_all()
                for task in turn:
                    for ticket in task.tickets:
                        if ticket.done:
                            self._forget(ticket)
                    if task not in over:
                        self._put(task)
            del turn, over, task  # an idle worker must not keep a session's data alive
        self._close_started()
        self._engine.close()

    def _alone(self, task: Task) -> list[Task]:
        """One step of one task; the task, if that was its last."""
        started = self._clock()
        finished = self._advance(task)
        seconds = self._clock() - started
        if self._visitor(task) in self._many:
            self._debt.add(seconds)  # for the drawing of its rows
        with self._changed:
            self._turns.charge(task.sessions, seconds)
        return [task] if finished else []

    def _step_together(self, tasks: Sequence[Task]) -> list[Task]:
        """One pass for steps that wait. Those that are complete go on at once, so that they ask for the next together.

        Returns the tasks that have ended.
        """
        for task in tasks:
            self._drop_who_left(task)
        started, waiting = self._clock(), [task for task in tasks if not task.over]
        wanted = self._rows_of(waiting)
        try:
            tasks[0].engine.run_steps(wanted)  # of all: see ``_steps_with``
            failed = False
        except BaseException:  # whose fault it is shows when each goes on by itself
            failed = True
        seconds = self._clock() - started
        with self._changed:  # who sits out is charged, too: it is no pause that gives a claim to the next turns
            by_visitor = {self._visitor(task): task.sessions[0] for task in (*waiting, *self._held)}
            self._turns.charge(by_visitor.values(), seconds)
        if not failed:
            self._note_pass(waiting, wanted, seconds)
        over = []
        for task in tasks:
            if failed or task.over or not any(step.rows for step in task.asked):
                task.asked = []
                over += self._alone(task)
        return over

    def _note_pass(self, tasks: Sequence[Task], wanted: Sequence[tuple[AskedStep, int]], seconds: float) -> None:
        """What the pass took, and what of it those with many rows have cost the others."""
        steps = {id(step) for task in tasks if self._visitor(task) not in self._many for step in task.asked}
        rows, others = sum(rows for _step, rows in wanted), sum(rows for step, rows in wanted if id(step) in steps)
        without = seconds if others == rows else self._cost.seconds(others) if others else None
        self._cost.add(rows, seconds)
        if without is not None:
            self._debt.add(seconds - without)
            self._debt.pay(min(seconds, without))

    def _rows_of(self, tasks: Sequence[Task]) -> list[tuple[AskedStep, int]]:
        """Each visitor's share, dealt to its steps in their order."""
        by_visitor: dict[str, list[AskedStep]] = {}
        for task in tasks:
            by_visitor.setdefault(self._visitor(task), []).extend(step for step in task.asked if step.rows)
        wanted = [sum(step.rows for step in steps) for steps in by_visitor.values()]
        with self._changed:
            others = any(not (task.over or self._visitor(task) in by_visitor) for task in self._waiting)
        dealt = []
        for steps, share in zip(by_visitor.values(), share_rows(wanted, self._cost, others=others), strict=True):
            for step in steps:
                if share > 0:
                    dealt.append((step, min(share, step.rows)))
                share -= step.rows
        return dealt

    def _next_turn(self) -> list[Task]:
        """What goes next, waiting for it: one task, or those whose steps are taken together; none once the worker closes."""
        with self._changed:
            self._settle()
            self._changed.wait_for(lambda: (self._waiting and not self._resting) or self._closing)
            if self._closing:
                return []
            self._settle()
            self._held = held = self._held_back()
            first = min((task for task in self._waiting if task not in held), key=self._key)
            group = self._steps_with(first, held) if first.asked and not first.over else self._rows_with(first)
            self._waiting = [task for task in self._waiting if task not in group]
            self._running = group if first.asked or len(group) == 1 else [together(group)]
            self._turn_began = self._clock()
            return list(self._running)

    def _held_back(self) -> Collection[Task]:
        """What sits out while it has cost the others too much: the work of visitors with many rows. With the lock held."""
        tasks = [task for task in self._waiting if not task.over]
        if len(set(map(self._visitor, tasks))) < 2:
            self._debt.forget()
        self._many = with_many(self._rows_by_visitor(tasks))
        if not self._debt.is_open or not any(task.asked and self._visitor(task) not in self._many for task in tasks):
            return ()
        return [task for task in tasks if task.rows and self._visitor(task) in self._many]

    def _rows_by_visitor(self, tasks: Iterable[Task]) -> dict[str, int]:
        """Of those that write now."""
        rows: dict[str, int] = {}
        for task in tasks:
            if task.rows:
                rows[self._visitor(task)] = rows.get(self._visitor(task), 0) + task.rows
        return rows

    def _steps_with(self, first: Task, held: Collection[Task]) -> list[Task]:
        """``first`` and whatever waits for a step of its batch, if the model takes such steps together, but for what is
        ``held`` back. With the lock held."""
        if not first.engine.joins_steps:
            return [first]
        asking = (
            task
            for task in self._waiting
            if task.asked and not task.over and task.engine is first.engine and task not in held
        )
        waiting = sorted(asking, key=self._key)
        visitors = list(dict.fromkeys(map(self._visitor, waiting)))[:MOST_ROWS]
        return [task for task in waiting if self._visitor(task) in visitors]

    def _visitor(self, task: Task) -> str:
        return self._sharing.visitor_of(task.sessions[0])

    def _rows_with(self, first: Task) -> list[Task]:
        """``first`` and the readings that are best done with it, those whose turn comes soonest. With the lock held."""
        group, tokens = [first], tokens_of(first)
        for task in sorted(self._waiting, key=self._key) if first.joins else ():
            if (
                task is not first
                and task.joins
                and task.engine is first.engine
                and len(group) < JOINT_ROWS
                and tokens + tokens_of(task) <= JOINT_TOKENS
            ):
                group.append(task)
                tokens += tokens_of(task)
        return group

    def _advance(self, task: Task) -> bool:
        """Run one step; says whether the task is finished. Whatever a job raises belongs to its tickets."""
        task.asked = []
        try:
            self._drop_who_left(task)
            going_on = advance(task, task.engine)
            if self._has_rows:
                task.asked = list(task.engine.take_asked())
                task.rows = sum(step.rows for step in task.asked) or task.rows
            if going_on:
                return False
        except BaseException as error:  # even SystemExit in a job must not end the thread all others wait for
            self._fail(task, error)
        close_quietly(task.steps)
        return True

    def _drop_who_left(self, task: Task) -> None:
        for ticket in task.tickets:
            if not self._is_alive(ticket.session):
                ticket.cancel()

    def _fail(self, task: Task, error: BaseException) -> None:
        """The tickets end with a sentence. Of rows read together one may be at fault: then each is read alone."""
        if len(task.tickets) == 1:
            task.tickets[0].fail(in_a_sentence(error))
            return
        with self._changed:
            for ticket, ids in zip(task.tickets, texts_of(task), strict=True):
                if not ticket.done:
                    self._put(Task([ticket], Read((ids,)), task.priority, task.engine, cancel=ticket.cancel_token))

    def _close_started(self) -> None:
        with self._changed:
            tasks, self._waiting = self._waiting, []
            self._open.clear()
        for task in tasks:
            close_quietly(task.steps)
