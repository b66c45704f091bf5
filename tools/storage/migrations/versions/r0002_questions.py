"""Questions that articles are known to answer."""

import sqlalchemy as sa
from alembic import op

from tools.storage.columns import SafeText

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "kb_questions",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("generation_id", SafeText(), nullable=False),
        sa.Column("question_id", SafeText(), nullable=False),
        sa.Column("article_id", SafeText(), nullable=False),
        sa.Column("text", SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "generation_id", "question_id", name="pk_kb_questions"),
    )
