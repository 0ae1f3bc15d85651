"""Which process writes a run, and whether it still lives."""

from __future__ import annotations

import os
import platform
import time

import psutil

BEAT_S = 10.0  # who writes a run says so at least as often as this
SILENT_S = 60.0  # a process of another machine that has said nothing for so long is taken to be gone


def this_process() -> str:
    """Number, time of its start, and machine: numbers are given out again, and machines can share a database."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}@{platform.node()}"


def is_alive(owner: str, written: float) -> bool:
    """Whether the process of ``this_process``'s text still runs; of another machine that is told by when it last wrote."""
    number, _, rest = owner.partition("@")
    created, _, machine = rest.partition("@")
    if machine and machine != platform.node():
        return time.time() - written < SILENT_S
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(created)) < 1)
    except (psutil.Error, ValueError):
        return False
