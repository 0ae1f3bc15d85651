"""Whose a run is. Those of earlier versions belong to the machine: seen where nobody is told apart, not on a shared server."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.add_column("runs", sa.Column("visitor", sa.String(64), nullable=False, server_default="local"))
    op.create_index("ix_runs_visitor", "runs", ["visitor"])
