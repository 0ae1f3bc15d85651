"""The table of trainings. Rows go in and out as frozen records; what they mean, the writer knows.

One at a time writes a training: who takes it up is given a word, and whoever comes with another one writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from playground.store.claiming import claim
from playground.store.connection import Database
from playground.store.place import data_folder
from playground.store.records import TrainingRecord
from playground.store.tables import TrainingRow

_COLUMNS = tuple(column.name for column in TrainingRow.__table__.columns)


def training_folder(training: str) -> Path:
    """Where a training's checkpoint lies."""
    return data_folder() / "trainings" / training


def reward_folder(training: str) -> Path:
    """Where a training's reward model lies."""
    return data_folder() / "rewards" / training


class TrainingTable:
    """``visitor``: whose they have to be; another's is as one that is not there.

    All methods raise StoreError with one sentence when disk or server does not play along.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, training: TrainingRecord) -> None:
        with self._database.session() as session:
            session.add(TrainingRow(**{name: getattr(training, name) for name in _COLUMNS}))

    def claim(
        self,
        training: str,
        visitor: str,
        is_free: Callable[[TrainingRecord], bool],
        *,
        owner: str,
        writer: str,
        written: float,
    ) -> bool:
        """Let ``writer`` run it from now on, where it is there and ``is_free``; of several who try at once one does."""
        own = (TrainingRow.id == training) & (TrainingRow.visitor == visitor)
        return claim(
            self._database,
            TrainingRow,
            own,
            lambda row: is_free(_record(row)),
            owner=owner,
            writer=writer,
            written=written,
        )

    def change(self, training: str, writer: str, /, **values: str | float | int) -> bool:
        """Set columns; False, and nothing is written, where another runs it now or it was deleted."""
        own = (TrainingRow.id == training) & (TrainingRow.writer == writer)
        with self._database.session() as session:
            changed = session.execute(update(TrainingRow).where(own).values(**values).returning(TrainingRow.id))
            return changed.first() is not None

    def delete(self, training: str, visitor: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(TrainingRow).where(TrainingRow.id == training, TrainingRow.visitor == visitor))

    def withdraw(self, training: str, writer: str) -> None:
        """Delete it, where ``writer`` still runs it."""
        with self._database.session() as session:
            session.execute(delete(TrainingRow).where(TrainingRow.id == training, TrainingRow.writer == writer))

    def trainings(self, visitor: str) -> tuple[TrainingRecord, ...]:
        """All of a visitor's, the newest first."""
        with self._database.session() as session:
            rows = session.scalars(
                select(TrainingRow).where(TrainingRow.visitor == visitor).order_by(TrainingRow.created.desc())
            )
            return tuple(map(_record, rows))

    def training(self, training: str, visitor: str) -> TrainingRecord | None:
        """One of them; None where there is none of this id."""
        with self._database.session() as session:
            row = _own(session, training, visitor)
            return None if row is None else _record(row)


def _own(session: Session, training: str, visitor: str) -> TrainingRow | None:
    return session.scalar(select(TrainingRow).where(TrainingRow.id == training, TrainingRow.visitor == visitor))


def _record(row: TrainingRow) -> TrainingRecord:
    return TrainingRecord(**{name: getattr(row, name) for name in _COLUMNS})
