"""Whose turn it is at a model that many sessions share. Knows no thread, no engine and no clock.

Sessions share the model's time, not its steps: each has a tag, the seconds it has used, and the smallest tag goes next. A
session that comes back from a pause starts level with the one that has used least of those at work, so that nobody saves
up turns and nobody pays for having been alone. That is fair queueing by start tags (Goyal, Vin and Cheng 1996, SFQ, with
the time measured after the step in place of a length known before). What a page cannot do without comes first: the class
of a request is a head start of so many seconds in that order. Bars come before a text's scores, and scores before the
steps of a generation; yet none waits for ever, for whoever has used up the head start waits like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum

_LATE = 0.2  # the weight of the newest turn in what a turn takes


class Priority(Enum):
    """The class of a request; the value is its head start in seconds."""

    ROW = 2.0  # the next token's row, which a page is drawn from
    LOOK = 1.0  # a text's scores, a look inside
    STEPS = 0.0  # a generation, a measurement


class Turns:
    """The tags, one a visitor, whose sessions share it. A task of several sessions has the smallest of theirs."""

    def __init__(self, visitor_of: Callable[[str], str] = lambda session: session) -> None:
        self._visitor_of = visitor_of
        self._used: dict[str, float] = {}
        self._level = 0.0  # the smallest tag of those at work; never goes back

    def arrive(self, session: str) -> None:
        """A request of ``session`` has come."""
        visitor = self._visitor_of(session)
        self._used[visitor] = max(self._used.get(visitor, 0.0), self._level)

    def charge(self, sessions: Collection[str], seconds: float) -> None:
        """``sessions`` have used the model together for so long."""
        for session in sessions:
            visitor = self._visitor_of(session)
            self._used[visitor] = self._used.get(visitor, self._level) + seconds / len(sessions)

    def tag(self, sessions: Collection[str], priority: Priority) -> float:
        """The smaller, the sooner."""
        return min(self._used.get(self._visitor_of(session), self._level) for session in sessions) - priority.value

    def settle(self, working: Collection[str]) -> None:
        """``working``: the sessions that wait or run now. Others are forgotten once they have nothing to pay back."""
        if not working:
            self._used, self._level = {}, 0.0
            return
        visitors = {self._visitor_of(session) for session in working}
        self._level = max(self._level, min(self._used.get(visitor, self._level) for visitor in visitors))
        self._used = {name: tag for name, tag in self._used.items() if name in visitors or tag > self._level}


class Pace:
    """How long turns of each kind have taken of late, in seconds: the newest counts a fifth, the older ones ever less."""

    def __init__(self) -> None:
        self._took: dict[str, float] = {}

    def note(self, kind: str, seconds: float) -> None:
        self._took[kind] = (1 - _LATE) * self._took.get(kind, seconds) + _LATE * seconds

    def of(self, kind: str) -> float:
        """Of a kind that has not been seen the mean of the others, 0 without any."""
        return self._took.get(kind, sum(self._took.values()) / max(1, len(self._took)))
