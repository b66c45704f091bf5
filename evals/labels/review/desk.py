"""What the review screen shows and does, for one labeller and one file of tickets."""

import re
import threading
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from agent.errors import NotFound
from agent.policy import Policy
from agent.types import Kind
from agent.wire import JsonObject
from evals.labels.file import Hand, HandLabels
from evals.labels.label import Known
from evals.labels.labelling import Labelling, Titled
from evals.labels.review.sampling import stratified
from evals.tickets.ticket import Ticket

Show = Literal["unlabelled", "labelled", "disputed", "all"]

# So many addresses of tickets fit in a page without a wait.
MAX_LISTED = 20_000
_MAX_FOUND = 12
_WORD = re.compile(r"\w+")
REASONS = (
    "account_change",
    "angry_high_value",
    "complaint",
    "data_loss",
    "explicit_wish",
    "identity",
    "investigation",
    "legal",
    "money_dispute",
    "security",
    "unanswered",
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What is on disk now, after saving or taking back."""

    ticket_id: str
    label: Hand | None


class ReviewDesk:
    """Tickets to label, oldest first. May be used from several threads.

    What other labellers said is never shown: it would be repeated, and the agreement would measure nothing. That they
    said something else is, on request.
    """

    def __init__(
        self,
        tickets: Sequence[Ticket],
        hand: HandLabels,
        labeller: str,
        policy: Policy,
        articles: Sequence[Titled] = (),
        *,
        blind: bool = False,
    ) -> None:
        self.labeller = labeller
        self._tickets = {ticket.ticket_id: ticket for ticket in tickets}
        self._hand = hand
        self._policy = policy
        self._articles = [(f"{article.title} {article.article_id}".lower(), article) for article in articles]
        self._labelling = Labelling(policy, articles)
        self._blind = blind
        self._strata: dict[str, list[str]] | None = None
        self._lock = threading.Lock()

    def setup(self) -> JsonObject:
        """What the page needs before the first ticket."""
        return {
            "labeller": self.labeller,
            "categories": [{"id": c.category_id, "name": c.name} for c in self._policy.categories],
            "kinds": [kind.value for kind in Kind],
            "reasons": list(REASONS),
            "has_articles": bool(self._articles),
            "blind": self._blind,
        }

    def order(self, show: Show, *, sample: int, seed: int) -> JsonObject:
        """Ids of the tickets to go through: all of the filter, or a sample of so many stratified by category.

        The sample is drawn from all tickets, then filtered: a labelled ticket doesn't change who else is in it.
        """
        with self._lock:
            self._hand.refresh()
            chosen = stratified(self._by_category(), sample, seed=seed) if sample else list(self._tickets)
            mine = self._hand.by(self.labeller)
            shown = self._shown(show, mine)
            kept = [one for one in chosen if one in shown]
            return {
                "ticket_ids": kept[:MAX_LISTED],
                "left_out": max(0, len(kept) - MAX_LISTED),
                "labelled": sum(one in mine for one in chosen),
                "total": len(chosen),
            }

    def ticket(self, ticket_id: str) -> JsonObject:
        """A ticket, what is known of it, and what this labeller says.

        Raises:
            NotFound: there is no such ticket.
        """
        ticket = self._find(ticket_id)
        with self._lock:
            said = self._hand.of(ticket_id, self.labeller)
        return {
            "ticket_id": ticket.ticket_id,
            "facts": _facts(ticket),
            "entries": [
                {"author": entry.author, "at": entry.at.isoformat() if entry.at else None, "text": entry.text}
                for entry in ticket.entries
            ],
            "known": [] if self._blind else self._known(ticket),
            "label": _plain(said),
        }

    def save(self, ticket_id: str, label: Hand) -> Saved:
        """Keep what the labeller says now.

        Raises:
            NotFound: there is no such ticket.
            Misconfigured: it can't be written.
        """
        self._find(ticket_id)
        with self._lock:
            self._hand.say(ticket_id, self.labeller, label)
            return Saved(ticket_id, self._hand.of(ticket_id, self.labeller))

    def undo(self) -> Saved:
        """Take back what the labeller did last, on whichever ticket.

        Raises:
            NotFound: there is nothing to take back.
            Misconfigured: it can't be written.
        """
        with self._lock:
            ticket_id = self._hand.last(self.labeller)
            if ticket_id is None:
                raise NotFound("there is nothing to take back")
            return Saved(ticket_id, self._hand.undo(ticket_id, self.labeller))

    def find_articles(self, query: str) -> list[JsonObject]:
        """Articles whose titles or ids have words beginning like those of `query`, the best first."""
        words = _WORD.findall(query.lower())[:10]
        scored = []
        for text, article in self._articles:
            own = _WORD.findall(text)
            hits = sum(any(one.startswith(word) for one in own) for word in words)
            if hits:
                scored.append((-hits, len(own), article.article_id, article.title))
        return [{"id": article_id, "title": title} for _, _, article_id, title in sorted(scored)[:_MAX_FOUND]]

    def _shown(self, show: Show, mine: Mapping[str, Hand]) -> Container[str]:
        match show:
            case "all":
                return self._tickets
            case "labelled":
                return mine
            case "unlabelled":
                return self._tickets.keys() - mine.keys()
            case "disputed":
                return mine.keys() & self._hand.disputed().keys()
            case _:
                assert_never(show)

    def _find(self, ticket_id: str) -> Ticket:
        ticket = self._tickets.get(ticket_id)
        if ticket is None:
            raise NotFound("no such ticket")
        return ticket

    def _by_category(self) -> dict[str, list[str]]:
        if self._strata is None:
            self._strata = {}
            for ticket in self._tickets.values():
                category = self._labelling.label(ticket).category or ""
                self._strata.setdefault(category, []).append(ticket.ticket_id)
        return self._strata

    def _known(self, ticket: Ticket) -> list[JsonObject]:
        """What gold labels and rules say; `sure` is false where rules contradict each other."""
        label = self._labelling.label(ticket)
        decided = dict(label.known)
        known = [_one(name, getattr(label, name), it, sure=True) for name, it in label.known]
        for found in self._labelling.suggestions(ticket):
            # A reason is worth nothing where nobody is needed.
            if found.rule.field not in decided and found.rule.field != "needs_person_reason":
                it = Known("rule", found.rule.name, found.rule.confidence)
                known.append(_one(found.rule.field, found.value, it, sure=False))
        return known


def _one(name: str, value: object, known: Known, *, sure: bool) -> JsonObject:
    return {
        "field": name,
        "value": list(value) if isinstance(value, tuple) else value,
        "source": known.source,
        "rule": known.rule,
        "confidence": known.confidence,
        "sure": sure,
    }


def _facts(ticket: Ticket) -> JsonObject:
    return {
        "created": f"{ticket.created_at:%Y-%m-%d %H:%M}",
        "channel": ticket.channel,
        "language": ticket.language,
        "page": ticket.page,
        "status": ticket.status,
        "resolved_by": ticket.resolved_by,
        "reopened": ticket.reopened,
        "transfers": ticket.transfers,
        "satisfaction": ticket.satisfaction,
        "bug": ticket.bug_id,
        "tags": ", ".join(ticket.tags) or None,
    }


def _plain(hand: Hand | None) -> JsonObject | None:
    return hand.model_dump(mode="json") if hand is not None else None
