"""What tickets call the articles of the knowledge base."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from evals.tickets.ticket import Ticket


class Named(Protocol):
    """An article of a catalogue."""

    @property
    def article_id(self) -> str:
        """Its id."""

    @property
    def url(self) -> str | None:
        """Its address, where it has one."""


def article_names(catalogue: Iterable[Named]) -> dict[str, str]:
    """Article ids by everything that a ticket may call them: the id, its last part, the address."""
    articles = list(catalogue)
    names: dict[str, str] = {}
    for article in articles:
        names[article.article_id.rsplit("/", 1)[-1]] = article.article_id
        if article.url:
            names[article.url] = article.article_id
    for article in articles:
        names[article.article_id] = article.article_id
    return names


def sent_articles(ticket: Ticket, names: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the articles whose addresses people put in their replies, in order, each once."""
    links = (link for entry in ticket.entries if entry.author == "agent" for link in entry.links)
    found = (names.get(link) or names.get(link.rstrip("/")) for link in links)
    return tuple(dict.fromkeys(article_id for article_id in found if article_id is not None))


def with_article(ticket: Ticket, names: Mapping[str, str]) -> Ticket:
    """Return the ticket with the article that a person sent, when nobody labelled one: the first address in a reply."""
    if ticket.gold.labelled_article or ticket.gold.article:
        return ticket
    sent = sent_articles(ticket, names)
    return ticket.answered_by(sent[0]) if sent else ticket
