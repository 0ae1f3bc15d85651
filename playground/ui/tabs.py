"""Which visitor each open tab is of, for what a visitor's tabs share: turns at the model, and limits.

Noted with every run of a page. On one's own machine every tab counts for itself.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from streamlit.runtime import get_instance

from playground.engine.serving.sharing import Sharing
from playground.errors import PlaygroundError
from playground.room.limits import UNLIMITED, is_shared_server, present_limits
from playground.room.present import present_room

_visitors: dict[str, str] = {}  # by session, in the order of their coming
_lock = threading.Lock()


def is_alive(session: str) -> bool:
    try:
        return bool(get_instance().is_active_session(session))
    except RuntimeError:  # no server: a bare script or a test
        return True


def note_tab(session: str, visitor: str) -> int:
    """The session is the visitor's. How many tabs he has up to this one, those that are gone not counted."""
    with _lock:
        if session not in _visitors:
            for gone in [each for each in _visitors if not is_alive(each)]:
                del _visitors[gone]
        _visitors[session] = visitor
        own = [each for each, whose in _visitors.items() if whose == visitor]
        return sum(is_alive(each) for each in own[: own.index(session) + 1])


def visitor_of(session: str) -> str:
    """Whose the session is; itself where that is not known, or where nobody is told apart."""
    return _visitors.get(session, session) if is_shared_server() else session


def leads_the_room(visitor: str) -> bool:
    """The host of a shared server, for whom no limits hold."""
    with suppress(PlaygroundError):
        room = present_room(is_alive)
        return room is not None and room.is_leader(visitor)
    return False


SPARE_TABS = 2  # that are let in to be told that they are too many


def connections_of(visitor: str) -> int:
    """How many a visitor may have open. For who cannot ask a page: by the cookie, whoever has logged in."""
    return UNLIMITED.tabs if leads_the_room(visitor) else present_limits().tabs + SPARE_TABS


def may_upload(session: str) -> bool:
    return not is_shared_server() or leads_the_room(visitor_of(session))


def _admit(visitor: str, waiting: int) -> None:
    if not leads_the_room(visitor):
        present_limits().check_queued(waiting)


SHARING = Sharing(visitor_of, _admit, leads_the_room)
