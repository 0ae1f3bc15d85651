"""The tables of kept tunings and of their texts. Rows go in and out as frozen records; what they mean, writers know.

One at a time writes a tuning: who takes it up is given a word, and whoever comes with another one writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from playground.store.claiming import claim
from playground.store.connection import Database
from playground.store.records import CandidateRecord, TuningRecord
from playground.store.tables import TuningRow, TuningTextRow

_COLUMNS = tuple(column.name for column in TuningRow.__table__.columns)


class TuningTable:
    """``visitor``: whose they have to be; another's is as one that is not there.

    All methods raise StoreError with one sentence when disk or server does not play along.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, tuning: TuningRecord) -> None:
        with self._database.session() as session:
            session.add(TuningRow(**{name: getattr(tuning, name) for name in _COLUMNS}))

    def claim(
        self,
        tuning: str,
        visitor: str,
        is_free: Callable[[TuningRecord], bool],
        *,
        owner: str,
        writer: str,
        written: float,
    ) -> bool:
        """Let ``writer`` write it from now on, where it is there and ``is_free``; of several who try at once one does."""
        own = (TuningRow.id == tuning) & (TuningRow.visitor == visitor)
        return claim(
            self._database,
            TuningRow,
            own,
            lambda row: is_free(_record(row)),
            owner=owner,
            writer=writer,
            written=written,
        )

    def add_texts(
        self, tuning: str, writer: str, texts: Sequence[CandidateRecord], *, written: float, seconds: float
    ) -> bool:
        """In one transaction, those of the same places replaced. False, and nothing is written, where another writes it
        now or it was deleted. ``seconds``: to be added to what it took.
        """
        with self._database.session() as session:
            values = {"written": written, "seconds": TuningRow.seconds + seconds}
            if not _change(session, tuning, writer, values):
                return False
            for one in texts:
                session.merge(
                    TuningTextRow(
                        tuning=tuning,
                        place=one.place,
                        plain=one.plain,
                        prompt_ids=one.prompt_ids,
                        ids=one.ids,
                        arrays=one.arrays,
                    )
                )
            return True

    def let_go(self, tuning: str, writer: str, *, status: str, problem: str) -> None:
        """The writer ends. Nothing where another writes it now."""
        with self._database.session() as session:
            _change(session, tuning, writer, {"status": status, "problem": problem, "writer": ""})

    def delete(self, tuning: str, visitor: str) -> None:
        """With all its texts. One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(TuningRow).where(TuningRow.id == tuning, TuningRow.visitor == visitor))

    def count(self, visitor: str) -> int:
        """How many there are."""
        with self._database.session() as session:
            return session.scalar(select(func.count()).select_from(TuningRow).where(TuningRow.visitor == visitor)) or 0

    def tunings(self, visitor: str) -> tuple[TuningRecord, ...]:
        """All of a visitor's, the newest first."""
        with self._database.session() as session:
            rows = session.execute(_counted().where(TuningRow.visitor == visitor).order_by(TuningRow.created.desc()))
            return tuple(_record(row, int(texts or 0)) for row, texts in rows)

    def tuning(self, tuning: str, visitor: str) -> TuningRecord | None:
        """One of them; None where there is none of this id."""
        with self._database.session() as session:
            row = session.execute(_counted().where(TuningRow.id == tuning, TuningRow.visitor == visitor)).one_or_none()
            return None if row is None else _record(row[0], int(row[1] or 0))

    def texts(self, tuning: str, visitor: str) -> tuple[CandidateRecord, ...]:
        """Of one of them, by place."""
        with self._database.session() as session:
            if _own(session, tuning, visitor) is None:
                return ()
            rows = session.scalars(
                select(TuningTextRow).where(TuningTextRow.tuning == tuning).order_by(TuningTextRow.place)
            )
            return tuple(CandidateRecord(r.place, r.plain, r.prompt_ids, r.ids, r.arrays) for r in rows)


def _own(session: Session, tuning: str, visitor: str) -> TuningRow | None:
    return session.scalar(select(TuningRow).where(TuningRow.id == tuning, TuningRow.visitor == visitor))


def _change(session: Session, tuning: str, writer: str, values: dict[str, object]) -> bool:
    own = (TuningRow.id == tuning) & (TuningRow.writer == writer)
    return session.execute(update(TuningRow).where(own).values(values).returning(TuningRow.id)).first() is not None


def _counted() -> Select[Any]:
    counted = select(TuningTextRow.tuning, func.count().label("n")).group_by(TuningTextRow.tuning).subquery()
    return select(TuningRow, counted.c.n).outerjoin(counted, counted.c.tuning == TuningRow.id)


def _record(row: TuningRow, texts: int = 0) -> TuningRecord:
    return TuningRecord(**{name: getattr(row, name) for name in _COLUMNS}, texts=texts)
