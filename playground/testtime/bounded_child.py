"""The child process of ``bounded``: one JSON line in, one JSON line out, under a limit on memory.

Started as a program by ``bounded`` only. It opens no file and no connection; a crash of it costs one answer.
"""

from __future__ import annotations

import contextlib
import json
import sys

from playground.testtime.checks import CHECKS

MEMORY_BYTES = 2_000_000_000  # of address space, where the system can limit it


def limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not a Unix
        return
    for kind, wanted in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        _soft, hard = resource.getrlimit(kind)
        with contextlib.suppress(ValueError, OSError):  # macOS knows the names and refuses some
            resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def answer(line: str) -> str:
    """The verdict on one request ``[check, text, argument]``. Whatever is raised is a verdict too."""
    name, text, argument = json.loads(line)
    try:
        verdict = CHECKS[name](text, argument)
        return json.dumps([verdict.valid, verdict.note])
    except Exception as error:  # libraries that read hostile text raise whatever they like
        return json.dumps([False, f"could not be read ({type(error).__name__})"])


def main() -> None:
    """Serve until the parent closes the pipe."""
    limit_memory()
    replies = sys.stdout
    sys.stdout = sys.stderr  # a library's own words must not be taken for a reply
    for line in sys.stdin:
        replies.write(answer(line) + "\n")
        replies.flush()
