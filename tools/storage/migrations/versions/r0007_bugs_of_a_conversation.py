"""Which bugs were reported in a conversation is found without reading all reports."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_bug_occurrences_conversation_id", "bug_occurrences", ["conversation_id"])
