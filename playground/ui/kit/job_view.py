"""Work that streams (a generation, a bake-off, a plan's texts), seen from a page: looked in on by a fragment with a timer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st

from playground.engine.serving.ticket import Ticket
from playground.errors import Cancelled, PlaygroundError
from playground.ui.kit.fragments import redraw_next
from playground.ui.kit.pace import LOOK_EVERY_S, look_every
from playground.ui.kit.wake import stop_timer, waker

T = TypeVar("T")


class Watched(Protocol):
    """Work under way, or a page session that may have some."""

    @property
    def busy(self) -> bool: ...

    @property
    def ticket(self) -> Ticket[Any] | None:
        """The request that is under way."""

    def drain(self) -> None:
        """Take over what has come since the last look; never waits."""


@dataclass(eq=False)
class JobView(Generic[T]):
    """One job at the worker whose steps are partial results.

    ``on_step`` is given each step as it comes, ``on_end`` the result. A refusal becomes ``problem``; a stopped job ends
    with neither. ``done`` of ``total`` and ``note`` say how far it is, where the steps say so.
    """

    ticket: Ticket[T]
    on_step: Callable[[Any], None] = lambda step: None
    on_end: Callable[[T], None] = lambda result: None
    note: str = ""
    done: int = 0
    total: int = 0
    problem: str | None = None
    stopped: bool = False
    ended: bool = False

    @property
    def busy(self) -> bool:
        return not self.ended

    def drain(self) -> None:
        """Take over what has come since the last look; never waits."""
        if self.ended:
            return
        finished = self.ticket.done  # before the steps are read: none can come after
        for step in self.ticket.take():
            self.on_step(step)
        if finished:
            self.ended = True
            self._end()

    def _end(self) -> None:
        try:
            result = self.ticket.result()
        except Cancelled:
            self.stopped = True
        except PlaygroundError as error:
            self.problem = str(error)
        else:
            self.on_end(result)

    def stop(self) -> None:
        """Free the model; what has come stays."""
        self.ticket.cancel()


@dataclass(eq=False)
class HasJob(Generic[T]):
    """What a page keeps of one piece of work under way. ``problem``: why the last one failed."""

    job: JobView[T] | None = None
    problem: str = ""

    @property
    def busy(self) -> bool:
        return self.job is not None

    @property
    def ticket(self) -> Ticket[Any] | None:
        """The request that is under way."""
        return None if self.job is None else self.job.ticket

    def drain(self) -> None:
        """Take over what has come since the last look; never waits."""
        job = self.job
        if job is None:
            return
        job.drain()
        if not job.busy:
            self.job, self.problem = None, job.problem or ""
            self.ended(job)

    def ended(self, job: JobView[T]) -> None:
        """What else is to be done once it is."""


def tried(own: Callable[[], HasJob[Any]], action: Callable[[], None]) -> Callable[[], None]:
    """``action`` as a callback; what is refused becomes the problem shown beside the job, in the place of an earlier one."""

    def callback() -> None:
        own().problem = ""
        try:
            action()
        except PlaygroundError as error:
            own().problem = str(error)

    return callback


def watch(
    work: Watched,
    draw: Callable[[], None],
    *,
    key: str,
    changes: Callable[[], object] = lambda: None,
    every: float = LOOK_EVERY_S,
) -> None:
    """``draw`` at once, and again and again while ``work`` is busy: by a timer, and as soon as its request has ended.

    The page's parts are redrawn when the work ends, and when what ``changes`` gives is another than before.
    """
    pace = look_every(every)
    awaited: Ticket[Any] | None = None

    def look() -> None:
        nonlocal awaited
        before = work.busy, changes()
        work.drain()
        draw()
        if work.ticket is not None and work.ticket is not awaited:
            awaited = work.ticket
            awaited.when_done(waker(key, lambda: look_every(every)))
        if not work.busy:
            stop_timer(key)  # one that was woken may have been told its pace again after the last run
        if before[0] and (not work.busy or changes() != before[1]):
            redraw_next()

    work.drain()
    busy = work.busy
    st.fragment(look, key=key, run_every=pace if busy else None)()
    if not busy:
        stop_timer(key)
