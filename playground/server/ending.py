"""An end that comes: SIGTERM and Ctrl+C end the process within seconds, whatever its threads are doing.

A server that stops politely waits for its connections and for the model's thread; a job in the middle of a long pass, or
a template that loops, would be waited for without end. Must not know what those threads do.
"""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType

from playground.errors import BadInput

PATIENCE_VARIABLE, PATIENCE_SECONDS = "PLAYGROUND_END_S", 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def given_patience(environment: Mapping[str, str]) -> float:
    """For how many seconds threads may go on: PLAYGROUND_END_S. Raises BadInput."""
    given = environment.get(PATIENCE_VARIABLE, "").strip()
    try:
        seconds = float(given or PATIENCE_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3600:
        raise BadInput(f"{PATIENCE_VARIABLE}: {given} is no number of seconds; give one up to 3600, such as 5.")
    return seconds


def end_promptly(patience_s: float = PATIENCE_SECONDS, leave: Callable[[int], None] = os._exit) -> None:
    """From the first SIGINT or SIGTERM on, the process has ``patience_s`` seconds; then ``leave`` is called with its status.

    Keeps the handlers that are there and calls them first. Main thread only, as ``signal.signal``.
    """
    for number in _SIGNALS:
        _chain(number, patience_s, leave)


def _chain(number: signal.Signals, patience_s: float, leave: Callable[[int], None]) -> None:
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        timer = threading.Timer(patience_s, leave, (128 + received,))
        timer.daemon = True
        timer.start()
        if callable(before):
            before(received, frame)

    signal.signal(number, handle)
