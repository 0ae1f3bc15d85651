"""What a library of others raises, as one of our sentences: anything but what ends a program on purpose."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playground.errors import PlaygroundError


class _Panics:
    """What Rust writes of a panic to the process's stderr, before Python hears of it.

    A server's log may have it. A command has one line there, ours: ``mute`` has the stream lead nowhere while a library of
    others works, from the first of several threads that call one to the last.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._kept, self._muted = threading.Lock(), 0, -1, False

    def mute(self) -> None:
        self._muted = True

    @contextmanager
    def unheard(self) -> Iterator[None]:
        if not self._muted:
            yield
            return
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._kept = _lead_nowhere()
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    os.dup2(self._kept, _STDERR)
                    os.close(self._kept)


def _lead_nowhere() -> int:
    """A copy of where stderr led."""
    kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return kept


_STDERR = 2
_panics = _Panics()
mute_panics = _panics.mute


@contextmanager
def foreign_errors(sentence: Callable[[BaseException], PlaygroundError]) -> Iterator[None]:
    """Raise ``sentence(error)`` for what the block raises; our own errors pass.

    Not only an Exception: the tokenizers library is written in Rust, and a panic there is a BaseException, which would
    leave whoever waits for the answer waiting.
    """
    try:
        with _panics.unheard():
            yield
    except (PlaygroundError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise sentence(error) from error
