"""Brings a database to the tables of this version, at its first use in a process. Safe where several start at once.

All is one transaction under a lock: a file beside SQLite's, an advisory lock of PostgreSQL. Who comes second waits and finds
it done. SQLite's own lock is not enough: two who switch a new file to WAL at once are not made to wait, one is refused.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, inspect, text

from playground.store.records import StoreError
from playground.store.tables import VERSION

_PATIENCE_S = 60.0
_ADVISORY_LOCK = 7_310_427_951  # any number that nobody else locks in this database


def migrate(engine: Engine, file: Path | None) -> None:
    """``file``: of SQLite. Raises StoreError where a newer version has been here, OSError, and SQLAlchemy's own errors."""
    with (
        nullcontext() if file is None else FileLock(f"{file}.lock", timeout=_PATIENCE_S),
        engine.connect() as connection,
    ):
        if _version(connection) == VERSION:  # the rule: alembic need not be imported
            return
        if file is None:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        _upgrade(connection)
        connection.commit()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(connection: Connection) -> None:
    from alembic.command import upgrade
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    try:
        upgrade(config, "head")
    except CommandError:
        raise StoreError(
            f"The stored runs are of a newer version than this one ({_version(connection)}, not {VERSION}): "
            "update this installation, or choose another store."
        ) from None
