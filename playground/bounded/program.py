"""The child process: one JSON line in, one JSON line out, under limits on memory and processor time.

Started as a program by ``child`` only. A request is ``[function, arguments, seconds, memory bytes]`` with the function as
``module:name``; the reply is ``["value", value]`` or ``["raised", class, message]``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import sys
import time
from typing import Any

LONGEST_REPLY = 16_000_000  # characters


class ReplyTooLong(ValueError):
    """A function's result is longer than a parent reads. Its parent knows it by name."""


def limit(seconds: float, memory_bytes: int) -> None:
    """Limit the address space, and the processor time from now on, where the system can.

    The parent watches both as well; the limit on time also ends a child whose parent was killed.
    """
    try:
        import resource
    except ImportError:  # not a Unix
        return
    spent = math.ceil(time.process_time() + seconds) + 1
    limits = ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, spent), (resource.RLIMIT_CORE, 0))
    for kind, wanted in limits:
        _soft, hard = resource.getrlimit(kind)
        with contextlib.suppress(ValueError, OSError):  # macOS knows the names and refuses some
            resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def answer(line: str) -> str:
    """The reply to one request. Whatever a function raises is a reply too."""
    function, arguments, seconds, memory_bytes = json.loads(line)
    try:
        limit(seconds, memory_bytes)
        module, _, name = function.partition(":")
        target: Any = getattr(importlib.import_module(module), name)
        reply = json.dumps(["value", target(*arguments) if arguments is not None else None])
        if len(reply) > LONGEST_REPLY:
            raise ReplyTooLong(f"the result has more than {LONGEST_REPLY:,} characters")
        return reply
    except BaseException as error:  # libraries raise what they like on hostile text; a panic of Rust's is no Exception
        return json.dumps(["raised", type(error).__name__, str(error)[:2000]])


def main() -> None:
    """Serve until the parent closes the pipe."""
    replies = sys.stdout
    sys.stdout = sys.stderr  # a library's own words must not be taken for a reply
    for line in sys.stdin:
        replies.write(answer(line) + "\n")
        replies.flush()
