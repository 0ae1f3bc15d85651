"""Run a check on a stranger's text in a child process that may hang, crash or eat memory without harm.

One child serves many texts; one that does not answer in time is killed and a new one started for the next text. At most
``MOST_CHILDREN`` work at once, for all sessions together. Knows the checks by name only.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import psutil

from playground.engine.api import CancelToken
from playground.testtime.checks import LONGEST_TEXT, Verdict

TEXT_SECONDS = 3.0  # of the child's own computing, for one text: a busy machine must change no verdict
START_SECONDS = 30.0  # for a child to import the libraries of a check
_WALL = 10  # times as long may pass by the clock
_LOOK_SECONDS = 0.05
MOST_TIMEOUTS = 5  # texts of one column that may run out of time; the rest are not tried then
MOST_CHILDREN = 2

_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from playground.testtime.bounded_child import main; main()"
_FIRST = {
    "math": (r"$\frac{1}{2}$", r"\frac{1}{2}"),  # reading LaTeX imports more than reading a number
    "json": ("1", "{}"),
    "json-equals": ("1", "1"),
    "python": ("1", ""),
    "sql": ("SELECT 1", "sqlite"),
}
"""A harmless question to each check, asked first, so that imports do not count against a text."""


class _Child:
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
        self._times = psutil.Process(self._process.pid)
        self._replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._warm: set[str] = set()
        self._listener = threading.Thread(target=self._listen, daemon=True, name="bounded-replies")
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(line)
        self._replies.put(None)

    def ask(self, check: str, text: str, argument: str, seconds: float) -> Verdict | None:
        """The verdict, or None where none came in time or the child died; it is of no use then."""
        if check not in self._warm:
            if self._exchange(check, *_FIRST[check], START_SECONDS) is None:
                return None
            self._warm.add(check)
        return self._exchange(check, text, argument, seconds)

    def _exchange(self, check: str, text: str, argument: str, seconds: float) -> Verdict | None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([check, text, argument]) + "\n")
            self._process.stdin.flush()
        except OSError:
            return None
        reply = self._reply(seconds)
        return None if reply is None else Verdict(*json.loads(reply))

    def _reply(self, seconds: float) -> str | None:
        """The next line, or None once the child has computed for ``seconds`` without one, or has died."""
        started, deadline = self._computed(), time.monotonic() + _WALL * seconds
        while True:
            with contextlib.suppress(queue.Empty):
                return self._replies.get(timeout=min(_LOOK_SECONDS, seconds))
            if self._computed() - started > seconds or time.monotonic() > deadline:
                return None

    def _computed(self) -> float:
        """Seconds of processor time so far; infinite for a child that is gone."""
        try:
            spent = self._times.cpu_times()
        except psutil.Error:
            return math.inf
        return float(spent.user + spent.system)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


_places = threading.BoundedSemaphore(MOST_CHILDREN)
_idle: list[_Child] = []
_lock = threading.Lock()


def check_texts(
    check: str,
    texts: Iterable[str],
    argument: str = "",
    *,
    seconds: float = TEXT_SECONDS,
    cancel: CancelToken | None = None,
) -> Generator[Verdict, None, None]:
    """The verdict on each text, in order; equal texts are checked once. Raises Cancelled between texts.

    A text that takes more than ``seconds`` of computing, or that ends the child, gets a verdict of None and a note. After
    ``MOST_TIMEOUTS`` of them the rest are not tried.
    """
    known: dict[str, Verdict] = {}
    lost = 0
    for text in texts:
        if cancel is not None:
            cancel.check()
        if len(text) > LONGEST_TEXT:
            yield Verdict(None, f"longer than {LONGEST_TEXT:,} characters, so not checked")
            continue
        if text not in known and lost >= MOST_TIMEOUTS:
            yield Verdict(None, f"not tried, because {lost} others could not be checked in time")
            continue
        if text not in known:
            found = _ask(check, text, argument, seconds)
            lost += found is None
            known[text] = found or Verdict(None, f"could not be checked within {seconds:g} s of computing")
        yield known[text]


def _ask(check: str, text: str, argument: str, seconds: float) -> Verdict | None:
    """One question to a free child. A child that failed is not used again."""
    with _places:
        with _lock:
            child = _idle.pop() if _idle else None
        child = child or _Child()
        verdict: Verdict | None = None
        try:
            verdict = child.ask(check, text, argument, seconds)
        finally:
            if verdict is None:
                child.close()
            else:
                with _lock:
                    _idle.append(child)
        return verdict


def close_children() -> None:
    """End all idle children. The next check starts a new one."""
    with _lock:
        children, _idle[:] = list(_idle), []
    for child in children:
        child.close()


atexit.register(close_children)
