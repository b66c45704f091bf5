"""The first tables."""

import sqlalchemy as sa
from alembic import op

from tools.storage.columns import Json, SafeText, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "bug_counters",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_bug_counters"),
    )
    op.create_table(
        "bug_filings",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("effect_key", SafeText(), nullable=False),
        sa.Column("bug_id", SafeText(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("similarity", sa.Double(), nullable=True),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "effect_key", name="pk_bug_filings"),
    )
    op.create_table(
        "bug_occurrences",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("bug_id", SafeText(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("account_id", SafeText(), nullable=True),
        sa.Column("account_tier", SafeText(), nullable=True),
        sa.Column("said", SafeText(), nullable=False),
        sa.Column("draft", Json(), nullable=False),
        sa.Column("first_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "bug_id", "conversation_id", name="pk_bug_occurrences"),
    )
    op.create_table(
        "bugs",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("bug_id", SafeText(), nullable=False),
        sa.Column("title", SafeText(), nullable=False),
        sa.Column("status", SafeText(), nullable=False),
        sa.Column("severity", SafeText(), nullable=False),
        sa.Column("feature", SafeText(), nullable=False),
        sa.Column("page", SafeText(), nullable=False),
        sa.Column("draft", Json(), nullable=False),
        sa.Column("gist", SafeText(), nullable=False),
        sa.Column("embedder", SafeText(), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("first_seen", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "bug_id", name="pk_bugs"),
    )
    op.create_index("ix_bugs_workspace_id_status", "bugs", ["workspace_id", "status"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("owner_id", SafeText(), nullable=False),
        sa.Column("thread_id", SafeText(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("channel", SafeText(), nullable=False),
        sa.Column("language", SafeText(), nullable=False),
        sa.Column("mode", SafeText(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_holder", SafeText(), nullable=True),
        sa.Column("lease_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("contact_email", SafeText(), nullable=True),
        sa.Column("asked_email", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("handbacks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("typing_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversations"),
        sa.UniqueConstraint(
            "workspace_id", "owner_id", "thread_id", name="uq_conversations_workspace_id_owner_id_thread_id"
        ),
    )
    op.create_index(
        "ix_conversations_workspace_id_mode_updated_at",
        "conversations",
        ["workspace_id", "mode", "updated_at"],
        unique=False,
    )
    op.create_index(
        "ix_conversations_workspace_id_updated_at",
        "conversations",
        ["workspace_id", "updated_at"],
        unique=False,
    )
    op.create_table(
        "kb_articles",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("generation_id", SafeText(), nullable=False),
        sa.Column("article_id", SafeText(), nullable=False),
        sa.Column("title", SafeText(), nullable=False),
        sa.Column("url", SafeText(), nullable=True),
        sa.Column("area", SafeText(), nullable=True),
        sa.Column("plans", Json(), nullable=False),
        sa.Column("language", SafeText(), nullable=False),
        sa.Column("owner", SafeText(), nullable=True),
        sa.Column("last_reviewed", SafeText(), nullable=True),
        sa.Column("content_hash", SafeText(), nullable=False),
        sa.Column("body", SafeText(), nullable=False),
        sa.Column("source_path", SafeText(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "generation_id", "article_id", name="pk_kb_articles"),
    )
    op.create_table(
        "kb_generations",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("generation_id", SafeText(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("status", SafeText(), nullable=False),
        sa.Column("articles", sa.Integer(), server_default="0", nullable=False),
        sa.Column("passages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("embedder", SafeText(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "generation_id", name="pk_kb_generations"),
    )
    op.create_index(
        "uq_kb_generations_live",
        "kb_generations",
        ["workspace_id"],
        unique=True,
        sqlite_where=sa.text("status = 'live'"),
        postgresql_where=sa.text("status = 'live'"),
    )
    op.create_table(
        "kb_passages",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("generation_id", SafeText(), nullable=False),
        sa.Column("passage_id", SafeText(), nullable=False),
        sa.Column("article_id", SafeText(), nullable=False),
        sa.Column("section", SafeText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", SafeText(), nullable=False),
        sa.Column("content_hash", SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "generation_id", "passage_id", name="pk_kb_passages"),
    )
    op.create_index(
        "ix_kb_passages_workspace_id_generation_id_article_id_position",
        "kb_passages",
        ["workspace_id", "generation_id", "article_id", "position"],
        unique=False,
    )
    op.create_table(
        "kb_refusals",
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("generation_id", SafeText(), nullable=False),
        sa.Column("source", SafeText(), nullable=False),
        sa.Column("reason", SafeText(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "generation_id", "source", name="pk_kb_refusals"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("owner_id", SafeText(), nullable=True),
        sa.Column("role", SafeText(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "desk_replies",
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("client_message_id", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("message_id", SafeText(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body_hash", SafeText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_desk_replies_conversation_id"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "client_message_id", name="pk_desk_replies"),
    )
    op.create_table(
        "events",
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("turn_id", SafeText(), nullable=True),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("audience", SafeText(), nullable=False),
        sa.Column("kind", SafeText(), nullable=False),
        sa.Column("event", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_events_conversation_id"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name="pk_events"),
    )
    op.create_index("ix_events_conversation_id_kind_seq", "events", ["conversation_id", "kind", "seq"], unique=False)
    op.create_table(
        "handoffs",
        sa.Column("handoff_id", SafeText(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("queue_id", SafeText(), nullable=False),
        sa.Column("priority", SafeText(), nullable=False),
        sa.Column("handoff", Json(), nullable=True),
        sa.Column("waiting_since", UtcDateTime(timezone=True), nullable=False),
        sa.Column("promised_by", UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("person", SafeText(), nullable=True),
        sa.Column("taken_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("read_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", SafeText(), nullable=True),
        sa.Column("note", SafeText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_handoffs_conversation_id"
        ),
        sa.PrimaryKeyConstraint("handoff_id", name="pk_handoffs"),
    )
    op.create_index("ix_handoffs_closed_at_promised_by", "handoffs", ["closed_at", "promised_by"], unique=False)
    op.create_index(
        "ix_handoffs_conversation_id_waiting_since",
        "handoffs",
        ["conversation_id", "waiting_since"],
        unique=False,
    )
    op.create_index(
        "uq_handoffs_open",
        "handoffs",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "turns",
        sa.Column("turn_id", SafeText(), nullable=False),
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("run_id", SafeText(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("status", SafeText(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run_started_seq", sa.BigInteger(), nullable=True),
        sa.Column("outcome", SafeText(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_turns_conversation_id"
        ),
        sa.PrimaryKeyConstraint("turn_id", name="pk_turns"),
        sa.UniqueConstraint("conversation_id", "first_seq", name="uq_turns_conversation_id_first_seq"),
    )
    op.create_index("ix_turns_status_created_at", "turns", ["status", "created_at"], unique=False)
    op.create_table(
        "client_messages",
        sa.Column("conversation_id", SafeText(), nullable=False),
        sa.Column("client_message_id", SafeText(), nullable=False),
        sa.Column("workspace_id", SafeText(), nullable=False),
        sa.Column("turn_id", SafeText(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body_hash", SafeText(), nullable=False),
        sa.Column("text", SafeText(), nullable=False),
        sa.Column("page", Json(), nullable=True),
        sa.Column("wish", sa.Boolean(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_client_messages_conversation_id"
        ),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.turn_id"], name="fk_client_messages_turn_id"),
        sa.PrimaryKeyConstraint("conversation_id", "client_message_id", name="pk_client_messages"),
    )
    op.create_index(
        "ix_client_messages_conversation_id_seq", "client_messages", ["conversation_id", "seq"], unique=False
    )
    op.create_index("ix_client_messages_turn_id", "client_messages", ["turn_id"], unique=False)
