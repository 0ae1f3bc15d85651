"""Trainings: what is taught, how far it is, and where what was learnt lies."""

import sqlalchemy as sa
from alembic import op

revision = "10"
down_revision = "9"


def upgrade() -> None:
    op.create_table(
        "trainings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.String(64), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("name", "rows", "settings", "origin", "status", "problem", "owner", "writer")
        ),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("written", "seconds")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("done", "steps")),
        sa.Column("result", sa.String(), nullable=False),
    )
    op.create_index("ix_trainings_visitor", "trainings", ["visitor"])
