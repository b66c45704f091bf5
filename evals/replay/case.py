"""The log of one replayed ticket: what scoring and reports read. One JSON line per case, in the order of the tickets.

The lines hold no clock: the same tickets, articles, models and settings give the same bytes with the local engine.
How long things took stands in a file of its own, keyed by `ticket_id`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.wire import JsonObject

CASE_FORMAT = 1

Ending = Literal[
    "end",  # every customer message of the ticket was replayed
    "handed_off",  # our agent handed over: what comes after is a person's
    "diverged",  # the customer's next message answered something else than what our agent said
    "failed",  # infrastructure: our own process or a service broke; says nothing about the agent
    "leaked",  # it can't be replayed honestly: the articles or the model were made from this very ticket
]


class _Logged(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Logged):
    """A sentence that claims something, with the passages it cites and how far these support it, in [0, 1].

    The support is estimated by the local engine's score whichever engine answered, when the case was replayed.
    """

    text: str
    cites: tuple[str, ...] = ()
    from_tool: str | None = None
    support: float | None = None


class Found(_Logged):
    """A passage that was retrieved for the turn; `rank` counts from 0."""

    passage_id: str
    article_id: str
    rank: int
    score: float


class Cited(_Logged):
    """A source as the customer saw it."""

    n: int
    article_id: str
    passage_id: str


class Turn(_Logged):
    """One turn: what the customer said, and what our agent did with it.

    `turn` counts from 1; `texts` are the customer's messages answered together; `human_reply` is what an agent wrote
    then, up to the customer's next message, for comparison. `outcome` and `route` are the wire's values. `evidence` is
    the engine's promise that the passages answer, in [0, 1]. `decision` is the staff's DECISION event. `agreement` is
    how alike our reply and the human's are, in [0, 1] (None without one); `same_article` whether ours cites an article
    that theirs linked to. `solved` is whether the customer's next recorded message, where it still fits, says that it
    is solved (True), that it isn't (False), or neither (None).
    """

    turn: int = Field(ge=1)
    texts: tuple[str, ...]
    outcome: str
    route: str | None
    reply: str
    path: tuple[str, ...]
    category: str
    kind: str
    language: str
    evidence: float
    decision: JsonObject
    found: tuple[Found, ...] = ()
    citations: tuple[Cited, ...] = ()
    claims: tuple[Claim, ...] = ()
    held_back: int = 0
    broken_off: str | None = None
    tools: tuple[str, ...] = ()
    engine: JsonObject = {}
    human_reply: str | None = None
    agreement: float | None = None
    same_article: bool | None = None
    solved: bool | None = None


class Effect(_Logged):
    """A side effect that went into a fake: `handoff` (with queue and priority) or `bug` (filed or counted)."""

    turn: int
    kind: Literal["handoff", "bug"]
    queue: str | None = None
    priority: str | None = None
    reason: str | None = None
    bug_id: str | None = None
    is_new: bool | None = None
    title: str | None = None


class Failure(_Logged):
    """What broke, by type and message; never a customer's words."""

    error: str
    message: str
    attempts: int = 1


class Case(_Logged):
    """Everything a replay recorded of one ticket. `why` says in one line why it ended where it did.

    `customer_messages` is how many there were, `replayed_messages` how many were played. `as_of` says what was used
    for the ticket's date: the model's id and whether articles were left out as younger. `run` counts the repetitions
    of a run with a model, from 1.
    """

    format: int = CASE_FORMAT
    ticket_id: str
    run: int = 1
    created_at: str
    channel: str | None = None
    language: str | None = None
    page: str | None = None
    account_tier: str | None = None
    customer_key: str | None = None
    turns: tuple[Turn, ...] = ()
    effects: tuple[Effect, ...] = ()
    ending: Ending
    why: str | None = None
    customer_messages: int
    replayed_messages: int
    as_of: JsonObject = {}
    failure: Failure | None = None


class Timing(_Logged):
    """How long one case took: per turn, seconds to the first words that the customer would have seen and in all."""

    ticket_id: str
    run: int = 1
    first_words_s: tuple[float | None, ...] = ()
    turn_s: tuple[float, ...] = ()
