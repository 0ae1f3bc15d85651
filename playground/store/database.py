"""The table of runs, with their candidates, scores and notes. Rows go in and out as frozen records.

All methods raise StoreError with one sentence when disk or server does not play along.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from playground.store.connection import Database
from playground.store.records import CandidateRecord, ColumnRecord, RunRecord
from playground.store.tables import CandidateRow, ColumnRow, NoteRow, RunRow


class RunDatabase(Database):
    """Stored runs. ``visitor``: whose they have to be; another's is as one that is not there."""

    # -- writing -------------------------------------------------------------------------------------------------------

    def add_run(self, run: RunRecord) -> None:
        with self.session() as session:
            columns = ("id", "created", "request", "origin", "status", "owner", "visitor", "written", "cost")
            session.add(RunRow(**{name: getattr(run, name) for name in columns}))

    def change_run(self, run: str, visitor: str, *, of: str | None = None, **values: str | float) -> None:
        """Set ``status``, ``owner``, ``written`` or ``cost``; with ``of`` only while the run is that owner's."""
        change = update(RunRow).where(RunRow.id == run, RunRow.visitor == visitor).values(**values)
        with self.session() as session:
            session.execute(change if of is None else change.where(RunRow.owner == of))

    def add_candidates(self, run: str, visitor: str, candidates: Sequence[CandidateRecord]) -> None:
        """In one transaction. One of the same place is replaced; those of a run that was deleted meanwhile are dropped."""
        with self.session() as session:
            if _own_run(session, run, visitor) is None:
                return
            for one in candidates:
                row = CandidateRow(
                    run=run,
                    place=one.place,
                    plain=one.plain,
                    prompt_ids=one.prompt_ids,
                    ids=one.ids,
                    arrays=one.arrays,
                )
                session.merge(row)

    def put_columns(self, run: str, visitor: str, columns: Sequence[ColumnRecord]) -> None:
        """One of the same label is replaced; those of a run that was deleted meanwhile are dropped."""
        with self.session() as session:
            if _own_run(session, run, visitor) is None:
                return
            for column in columns:
                session.merge(ColumnRow(run=run, label=column.label, scores=column.scores))

    def delete(self, run: str, visitor: str) -> None:
        """With all its candidates. One that is not there is no error."""
        with self.session() as session:
            session.execute(delete(RunRow).where(RunRow.id == run, RunRow.visitor == visitor))

    def put_note(self, name: str, text: str | None, *, expires: float | None = None) -> None:
        """Store a text under a name, until ``expires`` (seconds since 1970) where that is given; None removes it."""
        with self.session() as session:
            session.execute(delete(NoteRow).where(NoteRow.expires < time.time()))
            if text is None:
                session.execute(delete(NoteRow).where(NoteRow.name == name))
            else:
                session.merge(NoteRow(name=name, text=text, expires=expires))

    # -- reading -------------------------------------------------------------------------------------------------------

    def count(self, visitor: str) -> int:
        """How many runs there are."""
        with self.session() as session:
            return session.scalar(select(func.count()).select_from(RunRow).where(RunRow.visitor == visitor)) or 0

    def runs(self, visitor: str) -> tuple[RunRecord, ...]:
        """All of a visitor's runs, the newest first."""
        counted = select(CandidateRow.run, func.count().label("n")).group_by(CandidateRow.run).subquery()
        with self.session() as session:
            rows = session.execute(
                select(RunRow, counted.c.n)
                .outerjoin(counted, counted.c.run == RunRow.id)
                .where(RunRow.visitor == visitor)
                .order_by(RunRow.created.desc())
            ).all()
            return tuple(_run_record(run, int(count or 0)) for run, count in rows)

    def load(
        self, run: str, visitor: str
    ) -> tuple[RunRecord, tuple[CandidateRecord, ...], tuple[ColumnRecord, ...]] | None:
        """One run with its candidates in order and its scores; None where there is none of this id."""
        with self.session() as session:
            row = _own_run(session, run, visitor)
            if row is None:
                return None
            rows = session.scalars(
                select(CandidateRow).where(CandidateRow.run == run).order_by(CandidateRow.place)
            ).all()
            columns = session.scalars(select(ColumnRow).where(ColumnRow.run == run)).all()
            return (
                _run_record(row, len(rows)),
                tuple(CandidateRecord(r.place, r.plain, r.prompt_ids, r.ids, r.arrays) for r in rows),
                tuple(ColumnRecord(column.label, column.scores) for column in columns),
            )

    def note(self, name: str) -> str | None:
        """The text stored under a name, if there is one."""
        with self.session() as session:
            row = session.get(NoteRow, name)
            return None if row is None else row.text


def _own_run(session: Session, run: str, visitor: str) -> RunRow | None:
    return session.scalar(select(RunRow).where(RunRow.id == run, RunRow.visitor == visitor))


def _run_record(row: RunRow, finished: int) -> RunRecord:
    return RunRecord(
        row.id,
        row.created,
        row.request,
        row.origin,
        row.status,
        row.owner,
        row.written,
        row.cost,
        finished,
        row.visitor,
    )
