"""SQL from a model: parsed in its dialect, then run on a small SQLite in memory that can only be read.

Three fences: one statement that sqlglot takes for a query, an authoriser that allows nothing but reading, and limits
on time, rows and sizes. Meant for a bounded child process; knows no candidate and no model.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")
MOST_ROWS = 1000
RUN_SECONDS = 0.5  # of computing
_TICK = 2000  # virtual machine instructions between two looks at the clock
_LONGEST_VALUE = 1_000_000  # bytes of one string or blob

SAMPLE_DATABASE = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, joined TEXT);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT, price REAL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, product_id INTEGER, quantity INTEGER, day TEXT);
INSERT INTO customers VALUES (1,'Ada','London','2021-03-01'),(2,'Bo','Oslo','2022-07-15'),(3,'Chen','Oslo','2023-01-09'),
  (4,'Dora','Madrid',NULL);
INSERT INTO products VALUES (1,'lamp','home',30.0),(2,'desk','home',120.0),(3,'pen','office',1.5),(4,'paper','office',4.0);
INSERT INTO orders VALUES (1,1,1,2,'2024-01-05'),(2,1,3,10,'2024-02-11'),(3,2,2,1,'2024-02-12'),(4,3,4,5,'2024-03-03'),
  (5,2,3,20,'2024-03-08');
"""
"""What a query runs on unless a schema of one's own is given."""

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_BUILDING = _READING | {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_UPDATE,  # CREATE writes the catalogue with it
    sqlite3.SQLITE_REINDEX,
    sqlite3.SQLITE_TRANSACTION,
}
_NEVER_CALLED = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}


def supported_dialects() -> tuple[str, ...]:
    """The dialects sqlglot reads."""
    from sqlglot.dialects.dialect import Dialects

    return tuple(sorted(dialect.value for dialect in Dialects if dialect.value))


def check_sql(text: str, dialect: str, setup: str = "") -> tuple[bool | None, str]:
    """Whether ``text`` is one query of ``dialect`` that runs. None where ``setup`` itself cannot be run.

    The note says how many rows came, or what was wrong, in one sentence.
    """
    try:
        query = as_query(text, dialect)
    except ValueError as error:
        return False, str(error)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _limit_sizes(connection)
        try:
            _run(connection, _BUILDING, lambda: connection.executescript(setup.strip() or SAMPLE_DATABASE))
        except (sqlite3.Error, ValueError) as error:
            return None, f"The schema to run on failed ({_said(error)}): correct its statements."
        try:
            rows = _run(connection, _READING, lambda: connection.execute(query).fetchmany(MOST_ROWS + 1))
        except (sqlite3.Error, ValueError) as error:
            return False, f"it does not run: {_said(error)}"
        return True, f"{len(rows)} rows" if len(rows) <= MOST_ROWS else f"more than {MOST_ROWS} rows, the rest unread"
    finally:
        connection.close()


def as_query(text: str, dialect: str) -> str:
    """The one query in ``text``, in SQLite's dialect. Raises ValueError that says why there is none."""
    import sqlglot
    from sqlglot import expressions as exp
    from sqlglot.errors import SqlglotError

    try:
        statements = [statement for statement in sqlglot.parse(text, read=dialect) if statement is not None]
    except (SqlglotError, RecursionError) as error:
        return _refuse(f"it does not parse as {dialect}: {_said(error)}")
    if len(statements) != 1:
        return _refuse(f"there are {len(statements)} statements, not one query")
    if not isinstance(statements[0], exp.Query):
        return _refuse(f"it is no query but {statements[0].key.upper()}, which is never run")
    try:
        return statements[0].sql(dialect="sqlite")
    except (SqlglotError, RecursionError) as error:
        return _refuse(f"it cannot be written for SQLite: {_said(error)}")


def _refuse(reason: str) -> str:
    raise ValueError(reason)


def _limit_sizes(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200)


def _run(connection: sqlite3.Connection, allowed: set[int], work: Callable[[], R]) -> R:
    """``work`` under the authoriser and the clock; whatever is not in ``allowed`` fails."""

    def permit(action: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _NEVER_CALLED:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    deadline = time.process_time() + RUN_SECONDS
    connection.set_authorizer(permit)
    connection.set_progress_handler(lambda: int(time.process_time() > deadline), _TICK)
    return work()


def _said(error: BaseException) -> str:
    if "interrupted" in str(error):
        return f"it took longer than {RUN_SECONDS} s"
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
