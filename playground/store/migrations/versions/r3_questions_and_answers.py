"""Questions asked of a room, and one answer a visitor."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.create_table(
        "questions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("series", sa.String(32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("result", sa.String()),
    )
    op.create_index("ix_questions_room", "questions", ["room"])
    op.create_table(
        "answers",
        sa.Column("question", sa.String(32), sa.ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("visitor", sa.String(), primary_key=True),
        sa.Column("first", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
    )
