"""What a library of others raises, as one of our sentences: anything but what ends a program on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playground.errors import PlaygroundError


@contextmanager
def foreign_errors(sentence: Callable[[BaseException], PlaygroundError]) -> Iterator[None]:
    """Raise ``sentence(error)`` for what the block raises; our own errors pass.

    Not only an Exception: the tokenizers library is written in Rust, and a panic there is a BaseException, which would
    leave whoever waits for the answer waiting.
    """
    try:
        yield
    except (PlaygroundError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise sentence(error) from error
