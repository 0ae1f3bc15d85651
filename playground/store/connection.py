"""One database and its connections: a SQLite file, or a PostgreSQL server by URL. Safe to use from several threads and processes.

Each ``session`` is one transaction, so a process that is killed loses only what it had not handed over. Failures of disk or
server are raised as StoreError with one sentence. What the tables mean is the business of who uses it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from playground.store.migrating import migrate
from playground.store.place import database_url, file_problem, server_problem
from playground.store.records import StoreError


class Database:
    """``place`` says where it is, for a person: the file's folder, or the URL without its password."""

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
            lines = str(error.orig if isinstance(error, DatabaseError) else error).splitlines() or [
                type(error).__name__
            ]
            reason = lines[0][:160].rstrip(".")
            where = file_problem(self._file, reason) if self._file else server_problem(self.place, reason)
            raise StoreError(where) from None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at its end, rolled back where the block raises."""
        with self._translated(), Session(self._engine) as session, session.begin():
            yield session

    def check(self) -> None:
        """Raises StoreError where the database does not answer."""
        with self.session() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self._engine.dispose()


_shared: dict[str, Database] = {}
_shared_lock = threading.Lock()


def shared_database() -> Database:
    """The one database of this process for the present ``database_url``. Raises StoreError; the next call tries again."""
    url = database_url()
    with _shared_lock:
        if url not in _shared:
            _shared[url] = Database(url)
        return _shared[url]
