"""Which room is open: the one that the store has, or a new one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from playground.room.codes import new_code
from playground.store.rooms import RoomRecord, RoomTable


def open_room(
    table: RoomTable, *, new: bool = False, lesson: str | None = None, clock: Callable[[], float] = time.time
) -> RoomRecord:
    """The room that is open, or a new one; with ``new`` all others are closed first. Raises StoreError.

    A ``lesson`` that it does not have begins at its first step.
    """
    record = None if new else table.open_room()
    if record is None:
        table.close_all(clock())
        record = RoomRecord(uuid.uuid4().hex, new_code(), clock())
        table.add(record)
    if lesson is not None and lesson != record.lesson:
        table.change(record.id, lesson=lesson, step=0)
        record = replace(record, lesson=lesson, step=0)
    return record
