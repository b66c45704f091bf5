"""What people did under an id, so that it happens once."""

import sqlalchemy as sa
from alembic import op

from tools.storage.columns import SafeText, UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "desk_acts",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("act_id", SafeText(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("body_hash", SafeText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_desk_acts_conversation_id_conversations"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "act_id", name="pk_desk_acts"),
    )
    op.create_index("ix_desk_acts_conversation_id", "desk_acts", ["conversation_id"])
