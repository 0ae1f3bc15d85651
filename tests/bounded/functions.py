"""What the tests of bounded calls run in the child."""

from __future__ import annotations

import os
import sys


def double(number: int) -> int:
    return 2 * number


def process() -> int:
    return os.getpid()


def loop() -> None:
    while True:
        pass


def hoard() -> str:
    """As a chat template that loops does: one text that grows until there is no memory left."""
    text = "x" * 1_000_000
    while True:
        text += text


def fail(message: str) -> None:
    raise LookupError(message)


def panic() -> None:
    raise BaseException("a library's panic")


def crash() -> None:
    os._exit(3)


def speak() -> str:
    sys.stdout.write("a library's own words")
    return "reply"
