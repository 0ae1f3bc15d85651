"""The table of searches. Rows go in and out as frozen records; what their JSON means, the writer knows."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from playground.store.connection import Database
from playground.store.records import SearchRecord
from playground.store.tables import SearchRow

_COLUMNS = tuple(column.name for column in SearchRow.__table__.columns)


class SearchTable:
    """``visitor``: whose they are; another's are as if they were not there.

    All methods raise StoreError with one sentence when disk or server does not play along.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, search: SearchRecord) -> None:
        with self._database.session() as session:
            session.add(SearchRow(**{name: getattr(search, name) for name in _COLUMNS}))

    def put_progress(self, search: str, visitor: str, progress: str) -> bool:
        """False where it is gone."""
        own = update(SearchRow).where(SearchRow.id == search, SearchRow.visitor == visitor).values(progress=progress)
        with self._database.session() as session:
            return bool(session.execute(own.returning(SearchRow.id)).first())

    def delete(self, search: str, visitor: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(SearchRow).where(SearchRow.id == search, SearchRow.visitor == visitor))

    def searches(self, visitor: str) -> tuple[SearchRecord, ...]:
        """All of a visitor's, the newest first."""
        with self._database.session() as session:
            rows = session.scalars(
                select(SearchRow)
                .where(SearchRow.visitor == visitor)
                .order_by(SearchRow.created.desc(), SearchRow.id.desc())
            )
            return tuple(SearchRecord(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows)
