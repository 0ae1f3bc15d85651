"""The tables as they were before there were migrations. Files of that time have them already, some without ``notes``."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def _run_key() -> sa.Column[str]:
    return sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created", sa.Double(), nullable=False),
        *_texts("name", "asking", "origin", "status", "owner", "cost"),
        if_not_exists=True,
    )
    op.create_table(
        "candidates",
        _run_key(),
        sa.Column("place", sa.Integer(), primary_key=True),
        *_texts("plain"),
        *_bytes("prompt_ids", "ids", "arrays"),
        if_not_exists=True,
    )
    op.create_table(
        "columns", _run_key(), sa.Column("label", sa.String(), primary_key=True), *_texts("scores"), if_not_exists=True
    )
    op.create_table("notes", sa.Column("name", sa.String(), primary_key=True), *_texts("text"), if_not_exists=True)
