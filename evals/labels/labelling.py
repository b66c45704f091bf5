"""One reference per ticket: hand labels win over gold labels, gold labels over rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.policy import Policy
from agent.types import Kind
from evals.labels.file import Hand, HandLabels, agree
from evals.labels.label import Known, Label
from evals.labels.returns import came_back
from evals.labels.rules import (
    CATEGORY_POLICY,
    CATEGORY_QUEUE,
    FIELDS,
    NO_SECOND_TICKET,
    SECOND_TICKET,
    Field,
    Found,
    apply_rules,
    decide,
)
from evals.labels.signs import Reading, tag_key
from evals.tickets.articles import Named, article_names
from evals.tickets.ticket import Gold, Ticket

_GOLD = Known("gold", "gold", 1.0)
_HAND = Known("hand", "hand", 1.0)


class Titled(Named, Protocol):
    """An article with a title."""

    @property
    def title(self) -> str:
        """Its title."""


@dataclass(slots=True)
class _Draft:
    """A label being made: values with where they come from."""

    values: dict[Field, Any] = field(default_factory=dict)
    known: dict[Field, Known] = field(default_factory=dict)

    def put(self, name: Field, value: Any, known: Known) -> None:
        """Say a field, unless it has been said."""
        if value is not None and name not in self.values:
            self.values[name] = value
            self.known[name] = known

    def forget(self, name: Field) -> None:
        """Leave a field unknown."""
        self.values.pop(name, None)
        self.known.pop(name, None)

    def done(self, ticket_id: str) -> Label:
        """The label."""
        known = tuple((name, self.known[name]) for name in FIELDS if name in self.known)
        return Label(ticket_id, **self.values, known=known)


class Labelling:
    """Makes labels for the tickets of one workspace.

    Args:
        policy: of the workspace; its categories give queues, and say where a person is always needed.
        articles: of the knowledge base, to recognise those that people sent; none is fine.
        hand: labels by hand.
        gold: whether the tickets' gold labels count. Without them one sees what rules alone say.
    """

    def __init__(
        self, policy: Policy, articles: Iterable[Titled] = (), hand: HandLabels | None = None, *, gold: bool = True
    ) -> None:
        articles = list(articles)
        self._policy = policy
        self._hand = hand
        self._gold = gold
        self.reading = Reading(
            article_names(articles),
            _by_title(articles),
            {tag_key(name): c.category_id for c in policy.categories for name in (c.name, c.category_id)},
        )

    def label(self, ticket: Ticket, *, returned: bool | None = None) -> Label:
        """Label a ticket. `returned` is what `came_back` says of it, when it was asked."""
        draft = _Draft()
        agreed = agree(self._hand.about(ticket.ticket_id)) if self._hand is not None else None
        if agreed is not None:
            self._say_hand(draft, agreed.label)
        if self._gold:
            self._say_gold(draft, ticket.gold, bug_id=ticket.bug_id)
        found = apply_rules(ticket, self.reading)
        self._say_rules(draft, found, returned)
        self._say_policy(draft)
        for name in agreed.disputed if agreed is not None else ():
            draft.forget(_field(name))
            if name == "kind" and draft.known.get("is_bug", _GOLD).source != "hand":
                draft.forget("is_bug")
        _make_consistent(draft)
        return draft.done(ticket.ticket_id)

    def suggestions(self, ticket: Ticket) -> tuple[Found, ...]:
        """Everything that rules say of a ticket, contradictions included."""
        return apply_rules(ticket, self.reading)

    def _say_hand(self, draft: _Draft, hand: Hand) -> None:
        for name, value in hand:
            draft.put(_field(name), self._ids(value) if name == "articles" and value else value, _HAND)
        if hand.is_bug is None and hand.kind is not None:
            draft.put("is_bug", hand.kind is Kind.BUG, _HAND)

    def _say_gold(self, draft: _Draft, gold: Gold, *, bug_id: str | None) -> None:
        draft.put("category", gold.category, _GOLD)
        # A reader that finds a bug's id says "bug" where nobody labelled anything: that is the rule `bug_link`.
        if not (bug_id and gold == Gold(kind=Kind.BUG)):
            draft.put("kind", gold.kind, _GOLD)
            draft.put("is_bug", None if gold.kind is None else gold.kind is Kind.BUG, _GOLD)
        if gold.article is not None:
            draft.put("articles", self._ids((gold.article,)), _GOLD)
        elif gold.labelled_article:
            draft.put("articles", (), _GOLD)
        draft.put("needs_person", gold.needs_person, _GOLD)
        draft.put("needs_person_reason", gold.needs_person_reason, _GOLD)
        draft.put("complexity", gold.complexity, _GOLD)

    def _ids(self, articles: Iterable[str]) -> tuple[str, ...]:
        """Ids of articles, whatever a person called them; what the knowledge base doesn't know keeps its name."""
        return tuple(dict.fromkeys(self.reading.names.get(article, article) for article in articles))

    def _say_rules(self, draft: _Draft, found: tuple[Found, ...], returned: bool | None) -> None:
        if returned:
            found = (*found, Found(SECOND_TICKET, True))
        elif returned is False and not any(one.rule.field == "returned" for one in found):
            found = (*found, Found(NO_SECOND_TICKET, False))
        for name in FIELDS:
            if (best := decide(found, name)) is not None:
                draft.put(name, best.value, Known("rule", best.rule.name, best.rule.confidence))

    def _say_policy(self, draft: _Draft) -> None:
        category_id = draft.values.get("category")
        category = next((one for one in self._policy.categories if one.category_id == category_id), None)
        if category is None:
            return
        sure = draft.known["category"]
        queue = category.queue or next(
            (one.queue_id for one in self._policy.queues if category.category_id in one.categories), None
        )
        draft.put("queue", queue, Known("rule", CATEGORY_QUEUE, sure.confidence))
        if category.needs_person:
            # The team's own decision, so it is stronger than any guess from what happened.
            if draft.known.get("needs_person", _GOLD).source == "rule":
                # What people did says why all the same, unless it says that nobody was needed.
                reason = draft.known.get("needs_person_reason", _GOLD)
                if reason.source == "rule" and draft.values["needs_person"] is not True:
                    draft.forget("needs_person_reason")
                draft.forget("needs_person")
            draft.put("needs_person", True, Known("rule", CATEGORY_POLICY, sure.confidence))


def label_all(labelling: Labelling, read: Callable[[], Iterable[Ticket]]) -> Iterator[tuple[Ticket, Label]]:
    """Label every ticket, oldest first. `read` is called twice, so that no ticket is held: once to look ahead."""
    for ticket, returned in zip(read(), came_back(read()), strict=True):
        yield ticket, labelling.label(ticket, returned=returned)


def _make_consistent(draft: _Draft) -> None:
    """A reason needs someone who is needed; whether it is a bug follows from what kind it is, if that is surer."""
    if draft.values.get("needs_person") is not True:
        draft.forget("needs_person_reason")
    kind, bug = draft.known.get("kind"), draft.known.get("is_bug")
    if kind is None:
        return
    follows = draft.values["kind"] is Kind.BUG
    if bug is not None and bug.source == "hand" and draft.values["is_bug"] is not follows:
        draft.forget("kind")
        draft.put("kind", Kind.BUG if draft.values["is_bug"] else None, bug)
    elif bug is None or bug.source == "rule":
        draft.forget("is_bug")
        draft.put("is_bug", follows, kind)


def _by_title(articles: Iterable[Titled]) -> Mapping[str, str]:
    """Articles by title; titles that two share name neither."""
    titles: dict[str, str | None] = {}
    for article in articles:
        title = article.title.strip(" .,:;!?").lower()
        titles[title] = None if title in titles else article.article_id
    return {title: article_id for title, article_id in titles.items() if article_id is not None}


def _field(name: str) -> Field:
    return next(known for known in FIELDS if known == name)
