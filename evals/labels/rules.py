"""The rules that label a ticket from its outcome. docs/labels.md lists them with what was measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from agent.types import Kind
from evals.labels.signs import Reading, Signs, read_signs
from evals.tickets.ticket import Ticket

Field = Literal[
    "category",
    "kind",
    "articles",
    "needs_person",
    "needs_person_reason",
    "complexity",
    "queue",
    "is_bug",
    "bug_id",
    "returned",
    "first_contact",
    "satisfied",
]
FIELDS: tuple[Field, ...] = get_args(Field)
Value = str | bool | Kind | tuple[str, ...]
# Two rules that contradict each other and are nearly as sure leave the field unknown.
NEARLY = 0.1
_SHORT_WORDS = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule says about one field. `read` gives None where the rule says nothing.

    `confidence` is about how often the rule is right: the low end of the 95 % interval of what was measured on the
    example's gold labels where that has any to compare with (`measured`), else a careful estimate, or 1 where the
    field is the fact itself.
    """

    name: str
    field: Field
    confidence: float
    read: Callable[[Ticket, Signs], Value | None]
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A rule's word on a ticket."""

    rule: Rule
    value: Value


def apply_rules(ticket: Ticket, reading: Reading) -> tuple[Found, ...]:
    """Everything that the rules say of a ticket, contradictions included. Gold labels are not looked at."""
    signs = read_signs(ticket, reading)
    found = ((rule, rule.read(ticket, signs)) for rule in RULES)
    return tuple(Found(rule, value) for rule, value in found if value is not None)


def decide(found: tuple[Found, ...], field: Field) -> Found | None:
    """The surest word on a field; None when there is none, or when one nearly as sure contradicts it."""
    words = sorted((one for one in found if one.rule.field == field), key=lambda one: -one.rule.confidence)
    if not words:
        return None
    best = words[0]
    against = [one for one in words if one.value != best.value]
    if against and best.rule.confidence - against[0].rule.confidence < NEARLY:
        return None
    return best


def _told_how(ticket: Ticket, signs: Signs) -> bool | None:
    """One reply that was enough, and nothing done in it that an article couldn't."""
    enough = signs.answered and signs.replies == 1 and signs.smooth and not signs.acts and not signs.asks_for_person
    return False if enough and (ticket.satisfaction == "good" or signs.last_word == "solved") else None


def _one_reply(ticket: Ticket, signs: Signs) -> bool | None:
    enough = signs.answered and signs.replies == 1 and signs.smooth and not signs.acts and not signs.asks_for_person
    return False if enough and ticket.satisfaction is None and signs.last_word is None else None


def _alone(ticket: Ticket, signs: Signs) -> bool | None:
    """Helped themselves, with or without a word of ours."""
    return False if ticket.resolved_by == "customer" and not ticket.reopened and not signs.acts else None


def _article_enough(ticket: Ticket, signs: Signs) -> bool | None:
    enough = signs.answered and signs.smooth and not signs.acts and not signs.asks_for_person
    return False if enough and (signs.linked or signs.titled) else None


def _first_contact(ticket: Ticket, signs: Signs) -> bool | None:
    if ticket.resolved_by != "agent" or not signs.replies:
        return None
    people = {entry.author_key for entry in ticket.entries if entry.author == "agent"}
    known = ticket.reopened is False and ticket.transfers == 0
    return True if known and len(people) == 1 and signs.smooth else None


def _wish(ticket: Ticket, signs: Signs) -> str | None:
    return "explicit_wish" if signs.asks_for_person else None


def _short_question(ticket: Ticket, signs: Signs) -> str | None:
    short = len(ticket.text.split()) < _SHORT_WORDS and signs.replies == 1 and signs.answered and signs.smooth
    return "simple" if short and not signs.acts else None


def _when(sign: object, value: Value) -> Value | None:
    return value if sign else None


def _one(issues: tuple[str, ...]) -> str | None:
    """Of two bugs that a reply links to, nobody knows which one it is."""
    return issues[0] if len(issues) == 1 else None


RULES: tuple[Rule, ...] = (
    Rule("tag", "category", 0.8, lambda t, s: s.category),
    Rule("bug_link", "bug_id", 1.0, lambda t, s: t.bug_id),
    Rule("bug_link", "is_bug", 0.85, lambda t, s: _when(t.bug_id, True), measured=True),
    Rule("bug_link", "kind", 0.85, lambda t, s: _when(t.bug_id, Kind.BUG), measured=True),
    Rule("tracker_link", "bug_id", 0.7, lambda t, s: _one(s.tracked)),
    Rule("tracker_link", "is_bug", 0.7, lambda t, s: _when(s.tracked, True)),
    Rule("article_sent", "articles", 0.7, lambda t, s: _when(s.linked and s.smooth, s.linked)),
    Rule("article_named", "articles", 0.6, lambda t, s: _when(s.titled and s.smooth, s.titled), measured=True),
    Rule("solved_alone", "needs_person", 0.85, _alone, measured=True),
    Rule("told_how", "needs_person", 0.9, _told_how, measured=True),
    Rule("one_reply", "needs_person", 0.8, _one_reply, measured=True),
    Rule("article_enough", "needs_person", 0.6, _article_enough, measured=True),
    Rule("person_acted", "needs_person", 0.9, lambda t, s: _when(s.acts, True), measured=True),
    Rule("person_acted", "needs_person_reason", 0.6, lambda t, s: s.acts[0] if s.acts else None, measured=True),
    Rule("asks_for_person", "needs_person", 0.65, lambda t, s: _when(s.asks_for_person, True), measured=True),
    Rule("asks_for_person", "needs_person_reason", 0.65, _wish, measured=True),
    Rule("transferred", "needs_person", 0.75, lambda t, s: _when(t.transfers, True), measured=True),
    Rule("short_question", "complexity", 0.85, _short_question, measured=True),
    Rule("reopened", "returned", 0.8, lambda t, s: _when(t.reopened, True)),
    Rule("transferred", "first_contact", 1.0, lambda t, s: _when(t.transfers, False)),
    Rule("reopened", "first_contact", 1.0, lambda t, s: _when(t.reopened, False)),
    Rule("one_person", "first_contact", 0.9, _first_contact),
    Rule("rated", "satisfied", 1.0, lambda t, s: _when(t.satisfaction, t.satisfaction == "good")),
    Rule("thanks", "satisfied", 0.9, lambda t, s: _when(s.last_word == "solved", True), measured=True),
)
# Rules that look further than the ticket: docs/labels.md says at what.
SECOND_TICKET = Rule("second_ticket", "returned", 0.7, lambda t, s: None)
NO_SECOND_TICKET = Rule("no_second_ticket", "returned", 0.8, lambda t, s: None)
CATEGORY_QUEUE = "category_queue"
CATEGORY_POLICY = "category_policy"
