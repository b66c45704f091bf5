"""When articles were published, and the tickets that they were written from: what a replay leaves out."""

import sqlalchemy as sa
from alembic import op

from tools.storage.columns import Json, SafeText

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; articles that are there say neither."""
    op.add_column("kb_articles", sa.Column("published_on", SafeText(), nullable=True))
    op.add_column("kb_articles", sa.Column("from_tickets", Json(), nullable=False, server_default="[]"))
