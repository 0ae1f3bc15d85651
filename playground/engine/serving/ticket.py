"""What a session holds while its request waits, runs and ends. Knows nothing of engines and queues."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from playground.engine.api import CancelToken
from playground.errors import Cancelled

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """What comes before a request's next turn: ``ahead`` turns of others, some ``seconds`` in all if no new ones come."""

    ahead: int = 0
    seconds: float = 0.0


class Ticket(Generic[T]):
    """One request to a worker. Use it as a context manager: leaving the block cancels what is not finished.

    A script thread that Streamlit stops in mid-wait so frees the model within one step. All methods may be called
    from any thread. The first end counts: what a cancelled job still produces is dropped.
    """

    def __init__(self, session: str, slot: str, lane: str = "") -> None:
        """``lane``: which of the engines that share a thread it is for."""
        self.session = session
        self.slot = slot
        self.lane = lane
        self.cancel_token = CancelToken()
        self._changed = threading.Condition()
        self._steps: deque[Any] = deque()
        self._at_end: list[Callable[[], None]] = []
        self._done = False
        self._result: T | None = None
        self._error: BaseException | None = None
        # Set by the worker; a ticket that failed before it was queued keeps these.
        self._wait_of: Callable[[Ticket[T]], Wait] = lambda ticket: Wait()
        self._on_cancel: Callable[[Ticket[T]], None] = lambda ticket: None

    @property
    def place(self) -> tuple[str, str, str]:
        """What at most one unfinished request has at a time."""
        return self.session, self.slot, self.lane

    @property
    def done(self) -> bool:
        """Whether there is a result or an error. Steps may still wait to be read."""
        return self._done

    @property
    def error(self) -> BaseException | None:
        """What it ended with, where it did not end with a result."""
        return self._error

    def before(self) -> Wait:
        """What comes before this ticket's next turn; nothing while it runs and when it is done."""
        return Wait() if self._done else self._wait_of(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is done, at most ``timeout`` seconds; says whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._done, timeout)

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once it is done, in the thread that ends it; at once where it is done already."""
        with self._changed:
            if not self._done:
                self._at_end.append(tell)
                return
        tell()

    def result(self, timeout: float | None = None) -> T:
        """What the job returned. Raises what the job raised, Cancelled, or TimeoutError after ``timeout`` seconds."""
        if not self.wait(timeout):
            raise TimeoutError(f"No result within {timeout} s")
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def take(self, timeout: float = 0.0) -> list[Any]:
        """The steps that have come since the last look, waiting up to ``timeout`` seconds for the first.

        An empty list means none came, or the job is done: see ``done``. Errors are left to ``result``.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._steps or self._done, timeout)
            taken = list(self._steps)
            self._steps.clear()
            return taken

    def steps(self, timeout: float | None = None) -> Iterator[Any]:
        """Each step as it comes, to the end of the job. Raises what the job raised once its steps are read.

        Raises TimeoutError when one step takes longer than ``timeout`` seconds.
        """
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._steps or self._done, timeout):
                    raise TimeoutError(f"No step within {timeout} s")
                if not self._steps:
                    break
                step = self._steps.popleft()
            yield step
        if self._error is not None:
            raise self._error

    def __iter__(self) -> Iterator[Any]:
        return self.steps()

    def cancel(self) -> None:
        """Nobody waits any more. ``result`` raises Cancelled at once; the job stops at its next look at its token."""
        if not self.fail(Cancelled("The request was cancelled.")):
            return
        self._on_cancel(self)

    def __enter__(self) -> Ticket[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    # -- the worker's side -----------------------------------------------------------------------------------------

    def add_step(self, step: object) -> None:
        """Pass one step on, unless the ticket has ended."""
        with self._changed:
            if not self._done:
                self._steps.append(step)
                self._changed.notify_all()

    def succeed(self, result: T) -> bool:
        """End with ``result``; False if it had ended before."""
        return self._end(result, None)

    def fail(self, error: BaseException) -> bool:
        """End with ``error`` and tell the job to stop; False if it had ended before."""
        ended = self._end(None, error)
        self.cancel_token.cancel()  # afterwards: a job that sees it at once would end the ticket with its own reason
        return ended

    def _end(self, result: T | None, error: BaseException | None) -> bool:
        with self._changed:
            if self._done:
                return False
            self._result, self._error, self._done = result, error, True
            callbacks, self._at_end = self._at_end, []
            self._changed.notify_all()
        for tell in callbacks:
            tell()
        return True
