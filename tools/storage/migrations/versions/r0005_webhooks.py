"""Webhooks, and what is to be delivered to them."""

import sqlalchemy as sa
from alembic import op

from tools.storage.columns import Json, SafeText, UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "webhooks",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("name", SafeText(), nullable=False),
        sa.Column("url", SafeText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("last_error", SafeText(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "name", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_kinds",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("kind", SafeText(), nullable=False),
        sa.Column("name", SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "name", name="pk_webhook_kinds"),
    )
    op.create_table(
        "deliveries",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("name", SafeText(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", SafeText(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("status", SafeText(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.Double(), server_default="0", nullable=False),
        sa.Column("held_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("held_by", SafeText(), nullable=True),
        sa.Column("last_error", SafeText(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_deliveries_conversation_id_conversations"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "name", "conversation_id", "seq", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["workspace_id", "due_at"],
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("ix_deliveries_conversation_id", "deliveries", ["conversation_id"])
