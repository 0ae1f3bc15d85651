"""The database of runs: one SQLite file, or a PostgreSQL server by URL. Safe to use from several threads and processes.

Each call is one transaction, so a process that is killed loses only what it had not handed over. All methods raise
StoreError with one sentence when disk or server does not play along.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, delete, event, func, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from playground.store.migrating import migrate
from playground.store.place import file_problem, server_problem
from playground.store.records import CandidateRecord, ColumnRecord, RunRecord, StoreError
from playground.store.tables import CandidateRow, ColumnRow, NoteRow, RunRow


class RunDatabase:
    """``place`` says where the runs are, for a person: the file's folder, or the URL without its password."""

    def __init__(self, url: str, *, most_bytes: int | None = None) -> None:
        """``most_bytes`` bounds a SQLite file, for tests of a full disk."""
        try:
            self._url: URL = make_url(url)
        except ArgumentError:
            raise StoreError(server_problem("the database named", "its URL cannot be read")) from None
        self._most_bytes = most_bytes
        self._file = Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None
        self.place = str(self._file.parent) if self._file else self._url.render_as_string(hide_password=True)
        with self._translated():
            options: dict[str, Any] = {"pool_pre_ping": True}
            if self._url.get_driver_name() == "psycopg":  # a server that is away must not hold a page for minutes
                options["connect_args"] = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                options = {"connect_args": {"timeout": 20}}
            self._engine = create_engine(self._url, **options)
            if self._file is not None:
                event.listen(self._engine, "connect", self._prepare_sqlite)
            try:
                migrate(self._engine, self._file)
            except BaseException:
                self._engine.dispose()
                raise

    def _prepare_sqlite(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")  # a damaged row must not hide the others
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for the one who writes
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if self._most_bytes is not None:
            cursor.execute("PRAGMA page_size")
            cursor.execute(f"PRAGMA max_page_count={self._most_bytes // int(cursor.fetchone()[0])}")
        cursor.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The failures of files, drivers and servers as one sentence with a next step."""
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            told = str(error.orig if isinstance(error, DatabaseError) else error).splitlines() or [type(error).__name__]
            reason = told[0][:160].rstrip(".")
            where = file_problem(self._file, reason) if self._file else server_problem(self.place, reason)
            raise StoreError(where) from None

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._translated(), Session(self._engine) as session, session.begin():
            yield session

    # -- writing -------------------------------------------------------------------------------------------------------

    def add_run(self, run: RunRecord) -> None:
        with self._session() as session:
            columns = ("id", "created", "request", "origin", "status", "owner", "written", "cost")
            session.add(RunRow(**{name: getattr(run, name) for name in columns}))

    def change_run(self, run: str, *, of: str | None = None, **values: str | float) -> None:
        """Set ``status``, ``owner``, ``written`` or ``cost``; with ``of`` only while the run is that owner's."""
        change = update(RunRow).where(RunRow.id == run).values(**values)
        with self._session() as session:
            session.execute(change if of is None else change.where(RunRow.owner == of))

    def add_candidates(self, run: str, candidates: Sequence[CandidateRecord]) -> None:
        """In one transaction. One of the same place is replaced; those of a run that was deleted meanwhile are dropped."""
        with self._session() as session:
            if session.get(RunRow, run) is None:
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

    def put_columns(self, run: str, columns: Sequence[ColumnRecord]) -> None:
        """One of the same label is replaced; those of a run that was deleted meanwhile are dropped."""
        with self._session() as session:
            if session.get(RunRow, run) is None:
                return
            for column in columns:
                session.merge(ColumnRow(run=run, label=column.label, scores=column.scores))

    def delete(self, run: str) -> None:
        """With all its candidates. One that is not there is no error."""
        with self._session() as session:
            session.execute(delete(RunRow).where(RunRow.id == run))

    def put_note(self, name: str, text: str | None, *, expires: float | None = None) -> None:
        """Store a text under a name, until ``expires`` (seconds since 1970) where that is given; None removes it."""
        with self._session() as session:
            session.execute(delete(NoteRow).where(NoteRow.expires < time.time()))
            if text is None:
                session.execute(delete(NoteRow).where(NoteRow.name == name))
            else:
                session.merge(NoteRow(name=name, text=text, expires=expires))

    # -- reading -------------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, the newest first."""
        counted = select(CandidateRow.run, func.count().label("n")).group_by(CandidateRow.run).subquery()
        with self._session() as session:
            rows = session.execute(
                select(RunRow, counted.c.n)
                .outerjoin(counted, counted.c.run == RunRow.id)
                .order_by(RunRow.created.desc())
            ).all()
            return tuple(_run_record(run, int(count or 0)) for run, count in rows)

    def load(self, run: str) -> tuple[RunRecord, tuple[CandidateRecord, ...], tuple[ColumnRecord, ...]] | None:
        """One run with its candidates in order and its scores; None where there is none of this id."""
        with self._session() as session:
            found = session.get(RunRow, run)
            if found is None:
                return None
            rows = session.scalars(
                select(CandidateRow).where(CandidateRow.run == run).order_by(CandidateRow.place)
            ).all()
            columns = session.scalars(select(ColumnRow).where(ColumnRow.run == run)).all()
            return (
                _run_record(found, len(rows)),
                tuple(CandidateRecord(r.place, r.plain, r.prompt_ids, r.ids, r.arrays) for r in rows),
                tuple(ColumnRecord(column.label, column.scores) for column in columns),
            )

    def note(self, name: str) -> str | None:
        """The text stored under a name, if there is one."""
        with self._session() as session:
            found = session.get(NoteRow, name)
            return None if found is None else found.text

    def check(self) -> None:
        """Raises StoreError where the database does not answer."""
        with self._session() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self._engine.dispose()


def _run_record(row: RunRow, finished: int) -> RunRecord:
    return RunRecord(
        row.id, row.created, row.request, row.origin, row.status, row.owner, row.written, row.cost, finished
    )
