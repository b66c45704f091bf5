"""The values that a turn is made of.

Types kept in graph state live in this module and stay here: stored conversations record their import path.
All are frozen; times are timezone-aware UTC; a `score` or `confidence` lies in [0, 1] unless it says otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from agent.untrusted import Source as Source
from agent.untrusted import Untrusted as Untrusted

Language = Literal["en", "de", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "es")


# --- who and where -----------------------------------------------------------------------------------------------


class IdentityLevel(StrEnum):
    """How sure we are of who is asking. Claimed equals anonymous for everything but display."""

    ANONYMOUS = "anonymous"
    CLAIMED = "claimed"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking. Ids are set only when `level` is VERIFIED; reads of account data take them from here alone."""

    level: IdentityLevel = IdentityLevel.ANONYMOUS
    user_id: str | None = None
    account_id: str | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class PageElement:
    """An element of the page that can be pointed at. `element_id` is the page map's id or the widget's own."""

    element_id: str
    selector: str
    label: Untrusted
    description: str = ""
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WalkStep:
    """One step of a guided walk over the page: which element, and what to do there."""

    element_id: str
    selector: str
    text: str


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the widget said about the page, bounded, joined with the workspace's page map.

    `route` is the page map's pattern when one matches (then `known` is true), else the cleaned path itself.
    `page_name` is the map's own name of it, which may be quoted. `elements` are those of the map that the widget
    reported as present. `language` is the one that page and browser are in, or else the workspace's first.
    """

    route: str | None = None
    page_name: str | None = None
    title: Untrusted | None = None
    area: str | None = None
    known: bool = False
    elements: tuple[PageElement, ...] = ()
    recent_actions: tuple[Untrusted, ...] = ()
    errors: tuple[Untrusted, ...] = ()
    article_ids: tuple[str, ...] = ()
    truncated: bool = False
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class ClockOrder:
    """An order of the account, as its shop knows it."""

    order_id: str
    status: str
    ordered_on: str
    expected_on: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    items: str = ""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the account lookup knows about the verified account. `stale` marks facts older than their time box."""

    account_id: str
    name: Untrusted
    plan: str | None = None
    tier: str | None = None
    billing_status: str | None = None
    renewal_on: str | None = None
    seats: int | None = None
    seats_used: int | None = None
    health: float | None = None
    user_role: str | None = None
    recent_events: tuple[Untrusted, ...] = ()
    orders: tuple[ClockOrder, ...] = ()
    open_tickets: int | None = None
    stale: bool = False


# --- the conversation --------------------------------------------------------------------------------------------


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    PERSON = "person"


class Mode(StrEnum):
    """Who speaks to the customer. The moves between modes are a table in `agent/handoff.py`."""

    BOT = "bot"
    WAITING = "waiting"
    WITH_PERSON = "with_person"
    HANDED_BACK = "handed_back"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of an answer. `n` counts from 1 within the message; `url` is http or https, of whatever host."""

    n: int
    article_id: str
    title: str
    section: str
    url: str | None
    passage_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation as it stands in the log. `route` is the decision behind a bot's message."""

    message_id: str
    author: Author
    text: Untrusted
    at: datetime
    route: str | None = None
    author_name: str | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """What models were paid for: tokens in and out together, and money in the currency of the price settings."""

    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """Everything a turn starts from. Evals and the server build the same one.

    `texts` are the customer's messages answered by this turn, in order (a burst is one turn). `page` is what the
    widget sent, not yet understood: JSON of at most 32 KB. `history` is older than `texts`. `wish_for_person` is set
    when the customer pressed the button that asks for one. `reply_message_id` names the message this turn will write.
    `spent` is what the conversation's earlier turns cost.
    """

    turn_id: str
    conversation_id: str
    workspace_id: str
    reply_message_id: str
    texts: tuple[Untrusted, ...]
    identity: Identity
    now: datetime
    mode: Mode = Mode.BOT
    page: dict[str, object] | None = None
    history: tuple[Message, ...] = ()
    asked_email: bool = False
    contact_email: str | None = None
    interface_language: str | None = None
    wish_for_person: bool = False
    handbacks: int = 0
    spent: Spent = Spent()


# --- understanding and evidence ----------------------------------------------------------------------------------


class Kind(StrEnum):
    """What kind of message this is."""

    HOW_TO = "how_to"
    BUG = "bug"
    FEATURE_REQUEST = "feature_request"
    ACCOUNT_BILLING = "account_billing"
    COMPLAINT = "complaint"
    WANTS_PERSON = "wants_person"
    SMALL_TALK = "small_talk"
    ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the customer's message is.

    `sentiment` lies in [-1, 1] (negative is unhappy); `sentiment_trend` is its change over the conversation.
    `wish_for_person`, `risk` and `kind_confidence` are probabilities. `dissatisfied` says how the conversation goes,
    in [0, 1] with the border at 0.5: somebody polite who gets nowhere is dissatisfied too. `question` stands alone: a
    follow-up is completed from the conversation. `unspecific` is a report of trouble that doesn't say of what. `fault`
    is how likely trouble, if any is reported, is the software's own and not of the kind that articles explain (a
    setting, a permission, a limit, an expired link); 1 where that can't be told.
    """

    kind: Kind
    kind_confidence: float
    category: str
    category_confidence: float
    language: Language
    language_confidence: float
    sentiment: float
    sentiment_trend: float
    question: Untrusted
    wish_for_person: float = 0.0
    risk: float = 0.0
    is_follow_up: bool = False
    says_unsolved: float = 0.0
    says_solved: float = 0.0
    dissatisfied: float = 0.0
    unspecific: bool = False
    fault: float = 1.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article. `text` is Markdown; `score` is the fused relevance, comparable across queries.

    `dense_score` is cosine similarity, `lexical_score` is BM25 (unbounded); `rank` counts from 0, `position` is the
    passage's place in its article. `known` is the probability that the article answers, going by the questions that
    the team's articles are known to answer; None when the team has none. `on_page` says that the article is among
    those that the page map names for the customer's page.
    """

    passage_id: str
    article_id: str
    title: str
    section: str
    text: Untrusted
    url: str | None
    language: str
    score: float
    dense_score: float | None
    lexical_score: float | None
    rank: int
    area: str | None = None
    plans: tuple[str, ...] = ()
    last_reviewed: str | None = None
    owner: str | None = None
    position: int = 0
    known: float | None = None
    on_page: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure the engine is that the passages answer the question. `features` are what it looked at."""

    probability: float
    features: dict[str, float] = field(default_factory=dict)
    passage_ids: tuple[str, ...] = ()


# --- judgement ---------------------------------------------------------------------------------------------------


class Route(StrEnum):
    """Where the turn goes after judgement."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    BUG_REPORT = "bug_report"
    HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal behind a decision: a stable name, what was seen, how much it weighed and towards what."""

    name: str
    value: float | str
    weight: float
    towards: Route


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement: a route, the reasons as data, and what each route was expected to cost."""

    route: Route
    reasons: tuple[Reason, ...]
    expected_cost: dict[str, float]
    handoff_reason: str | None = None
    clarify_reason: str | None = None


# --- answers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a draft answer, as Markdown. `cites` are passage ids; `claim` is false for courtesies and questions.

    A claim from a tool result names it in `from_tool` instead of citing a passage.
    """

    text: str
    cites: tuple[str, ...] = ()
    claim: bool = True
    from_tool: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the engine asks for. Arguments never carry ids of customers: those come from the session.

    `arguments` are JSON as a model wrote them, not yet validated; `problem` says in one line why they can't even be
    read. `call_id` begins with the round it belongs to, counted from 1: `2:0` is the first call of the second.
    """

    call_id: str
    tool: str
    arguments: dict[str, Any]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool said, or in one line why it didn't. `passages` are further sources that a search found."""

    call_id: str
    tool: str
    ok: bool
    facts: dict[str, str]
    error: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something with an effect that the engine asked for in the middle of an answer.

    `route` is where it leads; unless `allowed` by what the customer said themselves, they are asked first.
    """

    route: Route
    allowed: bool


@dataclass(frozen=True, slots=True)
class Guidance:
    """What to point at on the customer's page: one element is a highlight, several are a walk."""

    title: str
    steps: tuple[WalkStep, ...]


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """What the answer node let out, and what it held back. `text` is the message exactly as it was streamed.

    `broken_off` says why the answer ended before its end: `unsupported` (a step without a source) or `cut` (the
    engine failed in the middle). `rewrites` counts the sentences that were looked for in their sources' words.
    """

    text: str
    sentences: tuple[Sentence, ...]
    held_back: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    guidance: Guidance | None = None
    broken_off: str | None = None
    rewrites: int = 0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Whether the draft may stand: how many claims were supported, and the verdict on the whole."""

    passed: bool
    claims: int
    supported: int
    reason: str | None = None


# --- bugs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BugDraft:
    """A bug as engineers need it. Empty strings are details that nobody gave; `missing` names them."""

    title: str
    doing: str
    expected: str
    actual: str
    steps: tuple[str, ...]
    page: str
    environment: str
    feature: str
    severity: Literal["low", "medium", "high"]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BugTicket:
    """A filed bug as the tracker knows it now."""

    bug_id: str
    title: str
    occurrences: int
    is_new: bool
    status: str
    similarity: float | None = None


# --- handoff -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handoff:
    """The whole story for the person who takes over."""

    wanted: str
    tried: tuple[str, ...]
    reason: str
    reasons: tuple[Reason, ...]
    sentiment: float
    queue_id: str
    priority: Literal["normal", "high", "urgent"]
    suggested_next_step: str
    language: Language
    account_id: str | None = None
    account_summary: str | None = None
    page: str | None = None
    links: tuple[str, ...] = ()
    bug_id: str | None = None
    promised_by: datetime | None = None
    in_business_hours: bool = True
    ask_email: bool = False


# --- the end of a turn -------------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """How a turn ended. Wire values: choose as if they can't be changed.

    ASKED is a question back (which is never an answer); DELIVERED is a message passed on to a person.
    """

    ANSWERED = "answered"
    ASKED = "asked"
    BUG_FILED = "bug_filed"
    BUG_COUNTED = "bug_counted"
    HANDED_OFF = "handed_off"
    DELIVERED = "delivered"
    CONTACT_TAKEN = "contact_taken"


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button under a message: what it shows and what it sends."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the turn leaves behind. `message_id` is None when nothing is said (a person has the conversation)."""

    outcome: Outcome
    mode: Mode
    message_id: str | None = None
    text: str = ""
    citations: tuple[Citation, ...] = ()
    guidance: Guidance | None = None
    quick_replies: tuple[QuickReply, ...] = ()
    handoff: Handoff | None = None
    ticket: BugTicket | None = None
    contact_email: str | None = None
    asked_email: bool = False
