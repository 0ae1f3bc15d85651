"""Tunings: plans of settings with the texts that were written for them."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    op.create_table(
        "tunings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.String(64), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("name", "plan", "origin", "status", "problem", "owner", "writer")
        ),
        sa.Column("written", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
    )
    op.create_index("ix_tunings_visitor", "tunings", ["visitor"])
    op.create_table(
        "tuning_texts",
        sa.Column("tuning", sa.String(32), sa.ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("plain", sa.String(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("prompt_ids", "ids", "arrays")),
    )
