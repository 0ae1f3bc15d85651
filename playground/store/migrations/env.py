"""Run by alembic for each command, on the connection it is given (``migrating.py``) or, for a developer, a new one."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from playground.store.place import database_url
from playground.store.tables import Base


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(database_url()).begin() as own:
        run(own)
