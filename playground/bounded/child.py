"""One child process as its parent sees it: asked a question, watched for time and memory, killed where it fails.

Knows nothing of who asks, nor of how many children there are.
"""

from __future__ import annotations

import contextlib
import json
import math
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

START_SECONDS = 30.0  # for a child to import what a function needs
_WALL = 10  # times as long may pass by the clock: a busy machine must change no result
_LOOK_SECONDS = 0.05
_SIGXCPU = 24  # a name that the signal module lacks where there is no such limit
_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from playground.bounded.program import main; main()"


class BoundedFailure(Exception):
    """A bounded call gave no result. Internal: the caller turns it into its own sentence."""


class OutOfTime(BoundedFailure):
    """The function computed longer than it may."""


class OutOfMemory(BoundedFailure):
    """The function asked for more memory than it may have."""


class ChildDied(BoundedFailure):
    """The process ended, as when a library crashes."""


class RaisedInChild(BoundedFailure):
    """The function raised; ``kind`` is the name of the exception's class, the text its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Child:
    """One process and the thread that listens to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._usage = psutil.Process(self._process.pid)
        self._replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._warm: set[tuple[str, str]] = set()
        self._listener = threading.Thread(target=self._listen, daemon=True, name="bounded-replies")
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(line)
        self._replies.put(None)

    def ask(
        self,
        function: str,
        arguments: tuple[Any, ...],
        *,
        seconds: float,
        memory_bytes: int,
        warm_up: tuple[Any, ...] | None,
        check: Callable[[], None],
    ) -> object:
        """The function's result. After any failure but RaisedInChild the child is of no more use.

        What the function imports is imported first, and ``warm_up`` asked, so that neither counts against ``seconds``.
        ``check`` is called while waiting and may raise.
        """
        key = (function, json.dumps(warm_up))
        if key not in self._warm:
            self._exchange(function, warm_up, START_SECONDS, memory_bytes, check)
            self._warm.add(key)
        return self._exchange(function, arguments, seconds, memory_bytes, check)

    def _exchange(
        self,
        function: str,
        arguments: tuple[Any, ...] | None,
        seconds: float,
        memory_bytes: int,
        check: Callable[[], None],
    ) -> object:
        """One request and its reply; no arguments at all (None) only import the function."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([function, arguments, seconds, memory_bytes]) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise ChildDied("the process has ended") from None
        kind, *rest = json.loads(self._reply(seconds, memory_bytes, check))
        if kind == "value":
            return rest[0]
        name, message = rest
        raise OutOfMemory(message) if name == "MemoryError" else RaisedInChild(name, message)

    def _reply(self, seconds: float, memory_bytes: int, check: Callable[[], None]) -> str:
        """The next line, within ``seconds`` of the child's computing and ``memory_bytes`` resident."""
        started, deadline = self._computed(), time.monotonic() + _WALL * seconds
        while True:
            with contextlib.suppress(queue.Empty):
                reply = self._replies.get(timeout=min(_LOOK_SECONDS, seconds))
                if reply is not None:
                    return reply
                late = self._process.wait() == -_SIGXCPU  # the child's own limit on time came first
                raise OutOfTime(f"no result within {seconds:g} s") if late else ChildDied("the process has ended")
            check()
            if self._computed() - started > seconds or time.monotonic() > deadline:
                raise OutOfTime(f"no result within {seconds:g} s")
            if self._resident() > memory_bytes:
                raise OutOfMemory(f"more than {memory_bytes:,} bytes of memory")

    def _computed(self) -> float:
        """Seconds of processor time so far; infinite for a child that is gone."""
        try:
            spent = self._usage.cpu_times()
        except psutil.Error:
            return math.inf
        return float(spent.user + spent.system)

    def _resident(self) -> int:
        try:
            return int(self._usage.memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End the process; the thread that asks it is told that it died, and closes it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and the thread."""
        self.kill()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
