"""The room of this process: there is one where the server was started with it (``PLAYGROUND_ROOM``: 1, or the address
that people open), else none.

Asked for with every run of a page, so the database is imported only where there is a room. Must not know streamlit.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from playground.errors import BadInput
from playground.server.visitor import given_secret, stored_secret
from playground.store.place import DATA_VARIABLE, data_folder, database_url, is_shared

if TYPE_CHECKING:
    from playground.room.hub.room import Room

ROOM_VARIABLE = "PLAYGROUND_ROOM"
_NO = frozenset({"", "0", "false", "no", "off"})

_rooms: dict[str, Room] = {}
_claims: list[FileLock] = []  # until this process ends
_lock = threading.Lock()


def is_room_server(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get(ROOM_VARIABLE, "").strip().lower() not in _NO


def room_address(environment: Mapping[str, str] = os.environ) -> str:
    """What people type to come to the server, ``http://host:port``; "" where the variable does not say."""
    address = environment.get(ROOM_VARIABLE, "").strip()
    return address.rstrip("/") if address.startswith(("http://", "https://")) else ""


def present_room(is_connected: Callable[[str], bool] = lambda _tab: True) -> Room | None:
    """The room that is open in the present store, a new one where none is; None on a server without a room.

    ``is_connected``: whether a browser tab is, for the first who asks. Raises StoreError, and BadInput where another process
    has it open; the next call tries again.
    """
    if not is_room_server():
        return None
    url = database_url()
    with _lock:
        if url not in _rooms:
            room = _open(is_connected)
            if not is_shared():
                _claims.append(_claim())
            _rooms[url] = room
        return _rooms[url]


def check_unclaimed() -> None:
    """Raises BadInput where another process serves the room of this store: each would know half of the people.

    Of a store that is no file (``PLAYGROUND_STORE``) nobody can tell.
    """
    if not is_shared() and data_folder().is_dir():
        _claim().release()


def _claim() -> FileLock:
    lock = FileLock(data_folder() / "room.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BadInput(
            f"Another server has the room of this store open: end it, or set {DATA_VARIABLE} to another folder."
        ) from None
    except OSError as error:
        raise BadInput(
            f"The room's lock in {DATA_VARIABLE} cannot be taken ({error.strerror}): make it writable."
        ) from None
    return lock


def make_room(*, new: bool = False, lesson: str | None = None) -> Room:
    """The same for who prepares a server: the room in the store. ``new``: what is open is closed. Raises StoreError.

    ``lesson``: the text of its file. The same that the room has already goes on where it stood.
    """
    return _open(lambda _tab: False, new=new, lesson=lesson)


def _open(is_connected: Callable[[str], bool], *, new: bool = False, lesson: str | None = None) -> Room:
    from playground.room.hub.opening import open_room
    from playground.room.hub.room import Room
    from playground.store.connection import shared_database
    from playground.store.rooms import RoomTable

    table = RoomTable(shared_database())
    secret = given_secret(os.environ) or stored_secret(data_folder())
    return Room(table, open_room(table, new=new, lesson=lesson), server_secret=secret, is_connected=is_connected)
