"""The tables. A change here needs a migration beside it; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from tools.storage.columns import Json, SafeText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# --- conversations ------------------------------------------------------------------------------------------

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", SafeText, primary_key=True),
    Column("workspace_id", SafeText, nullable=False),
    Column("owner_id", SafeText, nullable=False),
    Column("thread_id", SafeText, nullable=False),
    Column("identity", Json, nullable=False),
    Column("channel", SafeText, nullable=False),
    Column("language", SafeText, nullable=False),
    Column("mode", SafeText, nullable=False),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    # The lease: whoever holds the newest epoch may write for the bot. `lease_until` is epoch seconds by the
    # database's clock, so that two hosts never argue about the time.
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("lease_holder", SafeText),
    Column("lease_until", Double, nullable=False, server_default="0"),
    Column("contact_email", SafeText),
    Column("asked_email", Boolean, nullable=False, server_default=false()),
    Column("handbacks", Integer, nullable=False, server_default="0"),
    Column("typing_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("workspace_id", "owner_id", "thread_id"),
    Index(None, "workspace_id", "mode", "updated_at"),
    Index(None, "workspace_id", "updated_at"),
)

events = Table(
    "events",
    metadata,
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("workspace_id", SafeText, nullable=False),
    Column("turn_id", SafeText),
    Column("at", UtcDateTime, nullable=False),
    Column("audience", SafeText, nullable=False),
    # The event's type, or for CUSTOM events their name.
    Column("kind", SafeText, nullable=False),
    Column("event", Json, nullable=False),
    Index(None, "conversation_id", "kind", "seq"),
)

turns = Table(
    "turns",
    metadata,
    Column("turn_id", SafeText, primary_key=True),
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), nullable=False),
    Column("workspace_id", SafeText, nullable=False),
    Column("run_id", SafeText, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("status", SafeText, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("run_started_seq", BigInteger),
    Column("outcome", SafeText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("conversation_id", "first_seq"),
    Index(None, "status", "created_at"),
)

client_messages = Table(
    "client_messages",
    metadata,
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), primary_key=True),
    Column("client_message_id", SafeText, primary_key=True),
    Column("workspace_id", SafeText, nullable=False),
    Column("turn_id", SafeText, ForeignKey("turns.turn_id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body_hash", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("page", Json),
    Column("wish", Boolean, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "turn_id"),
    Index(None, "conversation_id", "seq"),
)

sessions = Table(
    "sessions",
    metadata,
    # SHA-256 of the token: who reads the table can't take over a session.
    Column("token_hash", SafeText, primary_key=True),
    Column("workspace_id", SafeText, nullable=False),
    Column("owner_id", SafeText),
    Column("role", SafeText, nullable=False),
    Column("identity", Json, nullable=False),
    Column("conversation_id", SafeText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
)


# --- keys and people on the team ----------------------------------------------------------------------------

api_keys = Table(
    "api_keys",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("name", SafeText, primary_key=True),
    # SHA-256 of a key of 256 random bits: who reads the table has no key.
    Column("key_hash", SafeText, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_on", SafeText),
    Column("revoked_at", UtcDateTime),
)

people = Table(
    "people",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("name", SafeText, primary_key=True),
    Column("role", SafeText, nullable=False),
    Column("password_hash", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)


# --- handoffs ---------------------------------------------------------------------------------------------

handoffs = Table(
    "handoffs",
    metadata,
    Column("handoff_id", SafeText, primary_key=True),
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), nullable=False),
    Column("workspace_id", SafeText, nullable=False),
    Column("queue_id", SafeText, nullable=False),
    Column("priority", SafeText, nullable=False),
    # NULL when a person took the conversation without being asked.
    Column("handoff", Json),
    Column("waiting_since", UtcDateTime, nullable=False),
    Column("promised_by", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("person", SafeText),
    Column("taken_at", UtcDateTime),
    # What a person has seen of the conversation; the customer's messages after it are unread.
    Column("read_seq", BigInteger, nullable=False, server_default="0"),
    Column("closed_at", UtcDateTime),
    Column("outcome", SafeText),
    Column("note", SafeText),
    # One conversation waits once, whatever races.
    Index(
        "uq_handoffs_open",
        "conversation_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(None, "conversation_id", "waiting_since"),
    Index(None, "closed_at", "promised_by"),
)

desk_replies = Table(
    "desk_replies",
    metadata,
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), primary_key=True),
    Column("client_message_id", SafeText, primary_key=True),
    Column("workspace_id", SafeText, nullable=False),
    Column("message_id", SafeText, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body_hash", SafeText, nullable=False),
)

desk_acts = Table(
    "desk_acts",
    metadata,
    # What a person did under an id, once: taking, handing back, closing.
    Column("workspace_id", SafeText, primary_key=True),
    Column("act_id", SafeText, primary_key=True),
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), nullable=False),
    Column("body_hash", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "conversation_id"),
)


# --- webhooks ---------------------------------------------------------------------------------------------

webhooks = Table(
    "webhooks",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("name", SafeText, primary_key=True),
    Column("url", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Times in a row that it couldn't be reached, and until when it is left alone (epoch seconds, the database's clock).
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("paused_until", Double, nullable=False, server_default="0"),
    Column("last_error", SafeText),
)

webhook_kinds = Table(
    "webhook_kinds",
    metadata,
    # Which kinds a webhook is told of; by kind first, because each write to a log asks who wants to know.
    Column("workspace_id", SafeText, primary_key=True),
    Column("kind", SafeText, primary_key=True),
    Column("name", SafeText, primary_key=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    # One for each event of a log and webhook: the key that the receiver gets is made of it, however often it is tried.
    Column("workspace_id", SafeText, primary_key=True),
    Column("name", SafeText, primary_key=True),
    Column("conversation_id", SafeText, ForeignKey("conversations.conversation_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SafeText, nullable=False),
    Column("body", Json, nullable=False),
    Column("status", SafeText, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    # Epoch seconds by the database's clock: not before, and not while somebody is at it.
    Column("due_at", Double, nullable=False, server_default="0"),
    Column("held_until", Double, nullable=False, server_default="0"),
    Column("held_by", SafeText),
    Column("last_error", SafeText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Index(
        "ix_deliveries_waiting",
        "workspace_id",
        "due_at",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index(None, "conversation_id"),
)


# --- bugs ---------------------------------------------------------------------------------------------------

bug_counters = Table(
    "bug_counters",
    metadata,
    # Filing locks the workspace's row: two reports of one new bug can't both open it.
    Column("workspace_id", SafeText, primary_key=True),
    Column("last_number", Integer, nullable=False),
)

bugs = Table(
    "bugs",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("bug_id", SafeText, primary_key=True),
    Column("title", SafeText, nullable=False),
    Column("status", SafeText, nullable=False),
    Column("severity", SafeText, nullable=False),
    Column("feature", SafeText, nullable=False),
    Column("page", SafeText, nullable=False),
    Column("draft", Json, nullable=False),
    # What is compared, the vector of it (float32, native order) and the embedder that made the vector.
    Column("gist", SafeText, nullable=False),
    Column("embedder", SafeText),
    Column("vector", LargeBinary),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Index(None, "workspace_id", "status"),
)

bug_occurrences = Table(
    "bug_occurrences",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("bug_id", SafeText, primary_key=True),
    Column("conversation_id", SafeText, primary_key=True),
    Column("account_id", SafeText),
    Column("account_tier", SafeText),
    Column("said", SafeText, nullable=False),
    Column("draft", Json, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "conversation_id"),
)

bug_filings = Table(
    "bug_filings",
    metadata,
    # One row per effect: filing the same effect again finds it and changes nothing.
    Column("workspace_id", SafeText, primary_key=True),
    Column("effect_key", SafeText, primary_key=True),
    Column("bug_id", SafeText, nullable=False),
    Column("is_new", Boolean, nullable=False),
    Column("similarity", Double),
    Column("at", UtcDateTime, nullable=False),
)


# --- knowledge ----------------------------------------------------------------------------------------------

kb_generations = Table(
    "kb_generations",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("generation_id", SafeText, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("status", SafeText, nullable=False),
    Column("articles", Integer, nullable=False, server_default="0"),
    Column("passages", Integer, nullable=False, server_default="0"),
    Column("embedder", SafeText),
    # One generation answers at a time.
    Index(
        "uq_kb_generations_live",
        "workspace_id",
        unique=True,
        sqlite_where=text("status = 'live'"),
        postgresql_where=text("status = 'live'"),
    ),
)

kb_articles = Table(
    "kb_articles",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("generation_id", SafeText, primary_key=True),
    Column("article_id", SafeText, primary_key=True),
    Column("title", SafeText, nullable=False),
    Column("url", SafeText),
    Column("area", SafeText),
    Column("plans", Json, nullable=False),
    Column("language", SafeText, nullable=False),
    Column("owner", SafeText),
    Column("last_reviewed", SafeText),
    Column("content_hash", SafeText, nullable=False),
    Column("body", SafeText, nullable=False),
    Column("source_path", SafeText),
    Column("published_on", SafeText),
    Column("from_tickets", Json, nullable=False, server_default="[]"),
)

kb_passages = Table(
    "kb_passages",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("generation_id", SafeText, primary_key=True),
    Column("passage_id", SafeText, primary_key=True),
    Column("article_id", SafeText, nullable=False),
    Column("section", SafeText, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("content_hash", SafeText, nullable=False),
    Index(None, "workspace_id", "generation_id", "article_id", "position"),
)

kb_questions = Table(
    "kb_questions",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("generation_id", SafeText, primary_key=True),
    Column("question_id", SafeText, primary_key=True),
    Column("article_id", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
)

kb_refusals = Table(
    "kb_refusals",
    metadata,
    Column("workspace_id", SafeText, primary_key=True),
    Column("generation_id", SafeText, primary_key=True),
    Column("source", SafeText, primary_key=True),
    Column("reason", SafeText, nullable=False),
)
