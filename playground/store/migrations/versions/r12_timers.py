"""How long a question is open, and when it closes by itself."""

import sqlalchemy as sa
from alembic import op

revision = "12"
down_revision = "11"


def upgrade() -> None:
    op.add_column("questions", sa.Column("seconds", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("questions", sa.Column("closes", sa.Double()))
