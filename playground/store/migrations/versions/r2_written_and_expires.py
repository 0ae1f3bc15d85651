"""When a run was last written to, and until when a note is kept; a column with its present name, one that nobody reads gone."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.alter_column("runs", "asking", new_column_name="request")
    op.drop_column("runs", "name")
    op.add_column("runs", sa.Column("written", sa.Double(), nullable=False, server_default="0"))
    op.add_column("notes", sa.Column("expires", sa.Double()))
    op.create_index("ix_notes_expires", "notes", ["expires"])
