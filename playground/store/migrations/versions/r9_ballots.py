"""Ballots: answers that are voted on, their votes and scores, and reward heads fitted to votes."""

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"


def upgrade() -> None:
    op.create_table(
        "ballots",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.String(64), nullable=False, index=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
    )
    op.create_table(
        "ballot_votes",
        _ballot(),
        sa.Column("voter", sa.String(), primary_key=True),
        sa.Column("first", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("second", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.Column("winner", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_table(
        "ballot_scores",
        _ballot(),
        sa.Column("voter", sa.String(), primary_key=True),
        sa.Column("answer", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_table(
        "reward_heads",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.String(64), nullable=False, index=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
    )


def _ballot() -> sa.Column[str]:
    return sa.Column("ballot", sa.String(32), sa.ForeignKey("ballots.id", ondelete="CASCADE"), primary_key=True)
