"""How often pages look in on work, by how many readers there are, and the words for a place in the queue."""

from __future__ import annotations

import zlib
from typing import Any

from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.engine.serving.ticket import Ticket

LOOK_EVERY_S = 0.25  # one reader's page looks in on work that streams so often; with many readers less often
READERS_AT_FULL_PACE = 4


def look_every(at_least: float = LOOK_EVERY_S) -> float:
    """Seconds between two looks: longer the more readers there are, so that redrawing does not eat up the processor.

    Each reader's are a little longer or shorter: thirty who began together would look in together each time, and a slider that
    is moved just then would wait for all of them.
    """
    return at_least * (readers() / READERS_AT_FULL_PACE * _own_pace() if crowded() else 1.0)


def _own_pace() -> float:
    """From 0.8 to 1.2, for the tab whose script this is."""
    context = get_script_run_ctx(suppress_warning=True)
    return 1.0 if context is None else 0.8 + 0.4 * zlib.crc32(context.session_id.encode()) / 2**32


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
