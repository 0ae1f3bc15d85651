"""Rooms of a workshop, and who has joined them."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("opened", sa.Double(), nullable=False),
        sa.Column("closed", sa.Double()),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("leader", "link", "lesson")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("moves", "step")),
    )
    op.create_table(
        "members",
        sa.Column("room", sa.String(32), sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("visitor", sa.String(), primary_key=True),
        sa.Column("nickname", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("following", sa.Boolean(), nullable=False),
        sa.Column("joined", sa.Double(), nullable=False),
        sa.UniqueConstraint("room", "key", name="uq_members_room_key"),
    )
