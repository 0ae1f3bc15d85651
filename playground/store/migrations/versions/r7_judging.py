"""Judging a tuning blind: the judges' link, who they are, what they and models said."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def _tuning(*, key: bool = True) -> sa.Column[str]:
    return sa.Column(
        "tuning", sa.String(32), sa.ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=key, nullable=False
    )


def _texts() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        *(sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False) for name in ("example", "sample")),
        *(sa.Column(name, sa.String(), primary_key=True) for name in ("first", "second")),
    ]


def upgrade() -> None:
    op.create_table(
        "tuning_links",
        sa.Column("token", sa.String(64), primary_key=True),
        _tuning(key=False),
        sa.Column("created", sa.Double(), nullable=False),
    )
    op.create_index("ix_tuning_links_tuning", "tuning_links", ["tuning"])
    op.create_table(
        "tuning_judges",
        _tuning(),
        sa.Column("judge", sa.String(), primary_key=True),
        sa.Column("nickname", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("joined", sa.Double(), nullable=False),
        sa.UniqueConstraint("tuning", "key", name="uq_tuning_judges_tuning_key"),
    )
    op.create_table(
        "tuning_votes",
        _tuning(),
        sa.Column("judge", sa.String(), primary_key=True),
        *_texts(),
        sa.Column("left", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_table(
        "tuning_model_votes",
        _tuning(),
        sa.Column("model", sa.String(), primary_key=True),
        *_texts(),
        sa.Column("as_one", sa.Double(), nullable=False),
        sa.Column("as_two", sa.Double(), nullable=False),
    )
