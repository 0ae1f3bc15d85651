"""Threads for script runs that are there already.

Streamlit starts a thread for each run, in the server's loop, which waits until it has started: on a server that computes, two
turns at the interpreter, 5 ms and more in which it serves nobody. Beside thirty clicks of one instant a slider waited for a tenth
of a second. Here a run is handed to a thread that waits for one, in a context of its own, as a new thread would have. A thread is
started where none waits, and ``KEPT`` wait at most. What a run leaves on its thread is taken away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from queue import SimpleQueue

from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_run_context_attr import SCRIPT_RUN_CONTEXT_ATTR_NAME

KEPT = 32
_start = ScriptRunner.start
_waiting: list[_ReadyThread] = []
_lock = threading.Lock()


def start_at_once() -> None:
    """From now on, in this process. Calling it again changes nothing."""
    ScriptRunner.start = _start_ready  # type: ignore[method-assign]


def _start_ready(self: ScriptRunner) -> None:
    if type(self) is not ScriptRunner or self._script_thread is not None:  # the tests' own waits for its thread's end
        _start(self)
        return
    try:
        thread = _waiting.pop()
    except IndexError:
        thread = _ReadyThread()
        thread.start()
    self._script_thread = thread
    thread.work.put(self._run_script_thread)


class _ReadyThread(threading.Thread):
    """Does what is put into ``work``, one thing after the other."""

    def __init__(self) -> None:
        super().__init__(name="ScriptRunner.scriptThread", daemon=True)
        self.work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self) -> None:
        going_on = True
        while going_on:
            Context().run(self.work.get())  # what it raises ends the thread, as it would one of its own
            with suppress(AttributeError):
                delattr(self, SCRIPT_RUN_CONTEXT_ATTR_NAME)
            with _lock:
                going_on = len(_waiting) < KEPT
                if going_on:
                    _waiting.append(self)
