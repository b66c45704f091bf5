"""The names on the wire. A name here is a promise: it is never reused for something else.

Streams speak AG-UI; these are the names of our own facts, sent as AG-UI `CUSTOM` events `{name, value}`.
docs/events.md describes each value; a test compares the two.
"""

from enum import StrEnum


class Custom(StrEnum):
    """Names of CUSTOM events."""

    MESSAGE = "helpgraph.message.v1"
    GUIDANCE = "helpgraph.guidance.v1"
    MODE = "helpgraph.mode.v1"
    TICKET = "helpgraph.ticket.v1"
    OUTCOME = "helpgraph.outcome.v1"
    DECISION = "helpgraph.decision.v1"
    EVIDENCE = "helpgraph.evidence.v1"
    HANDOFF = "helpgraph.handoff.v1"
    RATING = "helpgraph.rating.v1"
    FEEDBACK = "helpgraph.feedback.v1"
    JOINED = "helpgraph.joined.v1"
    NOTICE = "helpgraph.notice.v1"
    ENGINE = "helpgraph.engine.v1"
    CONTACT = "helpgraph.contact.v1"


STAFF_ONLY = frozenset({Custom.DECISION, Custom.EVIDENCE, Custom.HANDOFF, Custom.ENGINE, Custom.CONTACT})
"""Facts for people on the team; a customer's stream never carries them."""
