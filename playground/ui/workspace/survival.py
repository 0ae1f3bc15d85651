"""What a browser tab works at, where the process that takes the tab over finds it: the store that replicas share.

A browser that loses its process connects again and names the session it had; that id is the key. Only where a store is
named (PLAYGROUND_STORE): a machine of one process has nobody who could take over. What is stored goes after a day.
"""

from __future__ import annotations

import time
from contextlib import suppress

from playground.errors import PlaygroundError
from playground.store.place import is_shared
from playground.testtime.stored_runs import shared_store
from playground.ui.runtime import former_session_id, session_id
from playground.ui.visitor import owner_id

KEPT_S = 24 * 3600.0


def keep_for_tab(what: str, text: str) -> None:
    """Store a text for this tab; the one before goes. A store that fails is no reason to stop what is being done."""
    if is_shared():
        with suppress(PlaygroundError):
            shared_store(owner_id()).put_note(_name(what, session_id()), text, expires=time.time() + KEPT_S)


def kept_for_tab(what: str) -> str | None:
    """What the process before stored for this tab; None where there was none, or nothing."""
    former = former_session_id()
    if not former or not is_shared():
        return None
    with suppress(PlaygroundError):
        return shared_store(owner_id()).note(_name(what, former))
    return None


def _name(what: str, session: str) -> str:
    return f"tab {session} {what}"
