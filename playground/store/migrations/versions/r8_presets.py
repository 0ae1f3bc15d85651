"""Presets: settings under a name."""

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    op.create_table(
        "presets",
        sa.Column("visitor", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
