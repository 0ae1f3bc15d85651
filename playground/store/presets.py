"""The table of presets. Rows go in and out as frozen records; what their JSON means, the writer knows."""

from __future__ import annotations

from sqlalchemy import delete, select

from playground.store.connection import Database
from playground.store.records import PresetRecord
from playground.store.tables import PresetRow

_COLUMNS = tuple(column.name for column in PresetRow.__table__.columns)


class PresetTable:
    """``visitor``: whose they are; another's are as if they were not there.

    All methods raise StoreError with one sentence when disk or server does not play along.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, preset: PresetRecord) -> None:
        """In the place of this visitor's earlier one of that name."""
        with self._database.session() as session:
            session.merge(PresetRow(**{name: getattr(preset, name) for name in _COLUMNS}))

    def delete(self, visitor: str, name: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(PresetRow).where(PresetRow.visitor == visitor, PresetRow.name == name))

    def presets(self, visitor: str) -> tuple[PresetRecord, ...]:
        """All of a visitor's, the newest first."""
        with self._database.session() as session:
            rows = session.scalars(
                select(PresetRow).where(PresetRow.visitor == visitor).order_by(PresetRow.created.desc(), PresetRow.name)
            )
            return tuple(PresetRecord(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows)
