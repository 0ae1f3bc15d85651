"""Which process writes a run, and whether it still lives."""

from __future__ import annotations

import os
import platform

import psutil


def this_process() -> str:
    """Number, time of its start, and machine: numbers are given out again, and machines can share a database."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}@{platform.node()}"


def is_alive(owner: str) -> bool:
    """Whether the process of ``this_process``'s text still runs; one of another machine is taken to."""
    number, _, rest = owner.partition("@")
    created, _, machine = rest.partition("@")
    if machine and machine != platform.node():
        return True
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(created)) < 1)
    except (psutil.Error, ValueError):
        return False
