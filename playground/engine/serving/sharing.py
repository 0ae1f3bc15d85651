"""How sessions share a model: which are one visitor's, and how much one visitor may ask for at a time.

Turns are shared between visitors, so that who opens ten tabs gets no more of the model than who opens one. On one's own
machine each session counts as a visitor, and nothing is bounded. Knows no browser: a session and a visitor are strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _itself(session: str) -> str:
    return session


def _nobody(_visitor: str) -> bool:
    return False


def _always(_visitor: str, _waiting: int) -> None:
    """Everybody may ask for as much as he likes."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """``admit(visitor, waiting)`` raises a PlaygroundError where a visitor with so many requests open may not ask for more.

    ``goes_first(visitor)``: whose requests come before others', such as a room's leader. Asked once a request.
    """

    visitor_of: Callable[[str], str] = _itself
    admit: Callable[[str, int], None] = _always
    goes_first: Callable[[str], bool] = _nobody


APART = Sharing()
