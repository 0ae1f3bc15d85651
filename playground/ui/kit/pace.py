"""How often pages look in on work, by how many readers there are, and the words for a place in the queue."""

from __future__ import annotations

from typing import Any

from streamlit.runtime import get_instance

from playground.engine.serving.ticket import Ticket

LOOK_EVERY_S = 0.25  # one reader's page looks in on work that streams so often; with many readers less often
READERS_AT_FULL_PACE = 4


def look_every(at_least: float = LOOK_EVERY_S) -> float:
    """Seconds between two looks: longer the more readers there are, so that redrawing does not eat up the processor."""
    return at_least * max(1.0, readers() / READERS_AT_FULL_PACE)


def crowded() -> bool:
    """Whether so many readers are here that their pages need the processors, too."""
    return readers() > READERS_AT_FULL_PACE


def readers() -> int:
    """Browser tabs that are connected to this server now; 1 where there is no server."""
    try:
        return max(1, get_instance()._session_mgr.num_active_sessions())  # there is no public way to ask
    except (RuntimeError, AttributeError):
        return 1


def queue_words(ticket: Ticket[Any]) -> str:
    """The place in the queue and the expected wait, to follow what is done: ", 3 ahead, about 4 s"; "" for who is next."""
    wait = ticket.before()
    if not wait.ahead:
        return ""
    return f", {wait.ahead} ahead" + (f", about {wait.seconds:.0f} s" if wait.seconds >= 1 else "")
