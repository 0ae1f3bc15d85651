"""``call_bounded``: one function of ours on a stranger's text, with limits on time and memory, fair between visitors.

Children serve one call after another; one that fails is ended and a new one started for the next call.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from playground.bounded.child import Child, RaisedInChild
from playground.bounded.places import Places

SECONDS = 3.0  # of the child's own computing, for one call
MEMORY_BYTES = 2_000_000_000  # of address space
MOST_CHILDREN = 4  # at work at once, for all visitors together
_MOST_IDLE = 2

R = TypeVar("R")

_places = Places(MOST_CHILDREN)
_lock = threading.Lock()
_idle: list[Child] = []
_all: set[Child] = set()


def _never() -> None:
    """Nobody cancels."""


def call_bounded(
    function: Callable[..., R],
    *arguments: Any,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
    visitor: str = "",
    check: Callable[[], None] = _never,
    warm_up: tuple[Any, ...] | None = None,
) -> R:
    """``function(*arguments)``, computed in a child process.

    ``function`` stands at the top of a module that imports nothing heavy; arguments and result are JSON values (a tuple
    comes back as a list). ``visitor`` names who asks ("" for the command line): each has one place, so calls of one
    visitor wait for each other. ``check`` is called some twenty times a second while waiting for a place and for the
    result; what it raises (``CancelToken.check`` raises Cancelled) ends the call and the child. ``warm_up`` are the
    arguments of a harmless call that is made first, because libraries import more at the first use.

    Raises OutOfTime, OutOfMemory, ChildDied, or RaisedInChild with what the function raised: all BoundedFailure.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    with _places.take(visitor, check):
        child = _take()
        usable = False
        try:
            result = child.ask(
                name, arguments, seconds=seconds, memory_bytes=memory_bytes, warm_up=warm_up, check=check
            )
            usable = True
            return cast(R, result)  # the JSON of what ``function`` gave
        except RaisedInChild:
            usable = True
            raise
        finally:
            _return(child, usable)


def _take() -> Child:
    with _lock:
        if _idle:
            return _idle.pop()
    child = Child()
    with _lock:
        _all.add(child)
    return child


def _return(child: Child, usable: bool) -> None:
    with _lock:
        if usable and len(_idle) < _MOST_IDLE:
            _idle.append(child)
            return
        _all.discard(child)
    child.close()


def close_children() -> None:
    """End all idle children. The next call starts a new one."""
    with _lock:
        children, _idle[:] = list(_idle), []
        _all.difference_update(children)
    for child in children:
        child.close()


def _kill_all() -> None:
    """At the end of the process: those at work too, which else would compute on to their limit."""
    with _lock:
        children = list(_all)
    for child in children:
        child.kill()
    close_children()


atexit.register(_kill_all)
