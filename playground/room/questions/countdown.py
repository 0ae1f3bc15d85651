"""The seconds that a question stays open: one countdown at a time, which calls back at its end. Thread-safe.

It is this process's alone, by a clock that nobody sets. Who begins it stores when it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Countdown:
    """Beginning anew ends the one before; what was cancelled never calls back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._end = 0.0

    def begin(self, seconds: float, then: Callable[[], None]) -> None:
        """``then`` is called once, from a thread of its own."""
        with self._lock:
            self._stop()
            timer = threading.Timer(seconds, lambda: self._fire(timer, then))
            timer.daemon = True
            self._timer, self._end = timer, time.monotonic() + seconds
            timer.start()

    def cancel(self) -> None:
        with self._lock:
            self._stop()

    def left_s(self) -> float | None:
        """Seconds until the end; None where none runs."""
        with self._lock:
            return None if self._timer is None else max(0.0, self._end - time.monotonic())

    def _fire(self, timer: threading.Timer, then: Callable[[], None]) -> None:
        with self._lock:
            if self._timer is not timer:
                return
            self._timer = None
        then()

    def _stop(self) -> None:
        """With the lock held."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
