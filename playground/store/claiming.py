"""Taking over a row that one process at a time may write, where another may let go of it at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import ColumnElement, select, update

from playground.store.connection import Database
from playground.store.tables import TrainingRow, TuningRow

Row = TypeVar("Row", TrainingRow, TuningRow)
ATTEMPTS = 5


def claim(
    database: Database,
    table: type[Row],
    own: ColumnElement[bool],
    is_free: Callable[[Row], bool],
    *,
    owner: str,
    writer: str,
    written: float,
) -> bool:
    """The row ``own`` picks is run by ``writer`` from now on, if there is one and it ``is_free``; of several who try at
    once one does.

    A row that changed between the look and the taking is looked at again: its former writer may just have let go of it.
    """
    values = {"status": "running", "problem": "", "owner": owner, "writer": writer, "written": written}
    for _ in range(ATTEMPTS):
        with database.session() as session:
            row = session.scalar(select(table).where(own))
            if row is None or not is_free(row):
                return False
            as_read = own & (table.writer == row.writer) & (table.status == row.status)
            changed = session.execute(update(table).where(as_read).values(**values).returning(table.id))
            if changed.first() is not None:
                return True
    return False
