"""From a draft to a ticket: bounded, cleaned, scrubbed, and with nobody's name in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from agent.types import Kind
from agent.untrusted import clean
from evals.tickets.draft import Draft, Message
from evals.tickets.markup import Plain, plain
from evals.tickets.scrub import Scrubber, link
from evals.tickets.ticket import MAX_TEXT_CHARS, Entry, Gold, Ticket

# The first say what it was about, the last how it ended.
FIRST_ENTRIES, LAST_ENTRIES = 301, 100
_MAX_SUBJECT_CHARS = 500
_MAX_TAGS, _MAX_TAG_CHARS = 50, 100
_MAX_LINKS = 50
_MARGIN_CHARS = 500
# A clock that is wrong, or a time without its zone, is no ticket from the future.
_AHEAD = timedelta(days=1)
_LINK = re.compile(r"https?://[^\s?#<>\"']+")

SHORTENED = f"more messages than {FIRST_ENTRIES + LAST_ENTRIES}: those in the middle left out"
CUT = f"a message longer than {MAX_TEXT_CHARS} characters: cut"
NO_THREAD = "no messages after the first came with it"


@dataclass(frozen=True, slots=True)
class Taken:
    """A ticket that was taken in, which version of it, and what was done to it that its owner should know."""

    ticket: Ticket
    updated_at: datetime | None
    remarks: tuple[str, ...] = ()


class Intake:
    """Makes tickets of drafts.

    `customers` gives a key for who a record says the customer is: the same for the same one, and not to be turned back.
    """

    def __init__(self, *, now: datetime, customers: Callable[[str], str]) -> None:
        self._latest = now + _AHEAD
        self._customers = customers

    def take(self, draft: Draft) -> Taken:
        """The draft as a ticket.

        Raises:
            ValueError: it can't be one; the message says why and quotes nothing.
        """
        if draft.created_at > self._latest:
            raise ValueError("created_at: in the future")
        if draft.created_at.year < 1990:
            raise ValueError("created_at: before 1990")
        scrubber = Scrubber(draft.people, language=draft.language)
        remarks = [] if draft.threaded else [NO_THREAD]
        authors: dict[tuple[str, str], str] = {}
        subject = clean(draft.subject or "", limit=_MAX_SUBJECT_CHARS).strip()
        begun = next((n for n, each in enumerate(draft.messages) if each.author == "customer"), len(draft.messages))
        kept = draft.messages[begun:]
        if len(kept) > FIRST_ENTRIES + LAST_ENTRIES:
            kept = (*kept[:FIRST_ENTRIES], *kept[-LAST_ENTRIES:])
            remarks.append(SHORTENED)
        read = [_read(message) for message in kept]
        if any(len(each.text) > MAX_TEXT_CHARS for each in read):
            remarks.append(CUT)
        bodies = [each.text for each in read]
        if bodies and subject:
            bodies[0] = f"{subject}\n{bodies[0]}"
        # Scrubbed before it is cut, so that no secret is cut in two and its half not known for one.
        bodies = [clean(body, limit=MAX_TEXT_CHARS + _MARGIN_CHARS).strip() for body in bodies]
        texts = [text[:MAX_TEXT_CHARS] for text in scrubber.texts(bodies)]
        entries = [
            Entry(message.author, text, message.at, _author_key(message, authors), _links(body, each.links))
            for message, each, body, text in zip(kept, read, bodies, texts, strict=True)
        ]
        if not entries or not any(char.isalnum() for char in entries[0].text):
            raise ValueError("the customer wrote nothing")
        ticket = Ticket(
            ticket_id=draft.ticket_id,
            created_at=draft.created_at,
            entries=tuple(entries),
            channel=_short(draft.channel),
            language=_short(draft.language),
            page=_page(draft.page, scrubber),
            account_id=draft.account_id,
            customer_key=self._customers(draft.customer) if draft.customer else None,
            status=_short(draft.status),
            resolved_by=draft.resolved_by,
            solved_at=draft.solved_at,
            reopened=draft.reopened,
            transfers=draft.transfers,
            satisfaction=draft.satisfaction,
            bug_id=_short(draft.bug_id),
            tags=tuple(scrubber.text(clean(tag, limit=_MAX_TAG_CHARS)) for tag in draft.tags[:_MAX_TAGS]),
            gold=_gold(draft),
        )
        return Taken(ticket, draft.updated_at, tuple(remarks))


def _read(message: Message) -> Plain:
    if not message.markup:
        return Plain(message.text, message.links)
    read = plain(message.text)
    return replace(read, links=message.links + read.links)


def _author_key(message: Message, authors: dict[tuple[str, str], str]) -> str | None:
    """Counted within the ticket: a hash of a name could be looked up by hashing names."""
    if not message.person:
        return None
    return authors.setdefault((message.author, message.person), f"{message.author}-{len(authors) + 1}")


def _links(text: str, linked: tuple[str, ...]) -> tuple[str, ...]:
    found = _LINK.findall(text) if "://" in text else []
    for address in linked:
        found += _LINK.findall(address)[:1]
    return tuple(dict.fromkeys(link(each.rstrip("()<>[].,;:!?\"'")) for each in found))[:_MAX_LINKS]


def _page(page: str | None, scrubber: Scrubber) -> str | None:
    """The route: no host, no query, and no address of somebody's in it."""
    if not page:
        return None
    try:
        path = urlsplit(page).path if "://" in page else re.split("[?#]", page, maxsplit=1)[0]
    except ValueError:
        return None
    return scrubber.address(clean(path, limit=2000)) or None


def _gold(draft: Draft) -> Gold:
    """The labels; a ticket that was linked to a bug is about one, unless somebody said otherwise."""
    return replace(draft.gold, kind=Kind.BUG) if draft.bug_id and draft.gold.kind is None else draft.gold


def _short(value: str | None) -> str | None:
    return clean(value, limit=100).strip() or None if value else None
