"""What a ticket shows of how it went, read once for all rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from evals.labels.phrases import Verdict, phrases
from evals.tickets.articles import sent_articles
from evals.tickets.ticket import Ticket

# A conversation of thousands of messages is a system writing to itself; what people did stands in the first ones.
_MAX_REPLIES = 40
_TRACKERS = re.compile(
    r"https?://(?:[\w.-]+\.atlassian\.net/browse/(?P<jira>[A-Z][A-Z0-9]+-\d+)"
    r"|linear\.app/[^/\s]+/issue/(?P<linear>[A-Z][A-Z0-9]*-\d+)"
    r"|(?P<host>github\.com|gitlab\.com|bitbucket\.org)/(?P<project>[\w./-]+?)/(?:-/)?issues/(?P<number>\d+))",
    re.IGNORECASE,
)
# No single quotes: they are apostrophes far more often.
_QUOTED = re.compile(r"[\"“„«»‹](?P<title>[^\"“”„«»‹›\n]{3,120})[\"”“«»›]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules know of the workspace: articles by what tickets call them, and by title in small letters.

    `categories` are the workspace's category ids by what tags call them.
    """

    names: Mapping[str, str]
    titles: Mapping[str, str]
    categories: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signs:
    """What a ticket shows.

    `last_word` is what the customer's message after the last reply says. `replies` counts what people wrote, up to
    forty. `acts` are reasons for a person for which one did something. `linked` and `titled` are articles that people
    sent by address, or named in quotes; `tracked` issues of trackers. `answered` says that it was solved after a
    person's reply, `smooth` that nothing went wrong on the way: not reopened, nor passed on, nor complained about.
    """

    replies: int
    last_word: Verdict | None
    acts: tuple[str, ...]
    linked: tuple[str, ...]
    titled: tuple[str, ...]
    tracked: tuple[str, ...]
    asks_for_person: bool
    category: str | None
    answered: bool
    smooth: bool


def read_signs(ticket: Ticket, reading: Reading) -> Signs:
    """Read a ticket. Gold labels are not looked at."""
    said = phrases()
    replies = ticket.replies[:_MAX_REPLIES]
    words = [said.verdict(text) for text in _after_reply(ticket)]
    last_word = words[-1] if words and ticket.entries[-1].author == "customer" else None
    titles = (found["title"].strip(" .,:;!?").lower() for reply in replies for found in _QUOTED.finditer(reply))
    return Signs(
        replies=len(replies),
        last_word=last_word,
        acts=said.acts(replies),
        linked=sent_articles(ticket, reading.names),
        titled=tuple(dict.fromkeys(reading.titles[title] for title in titles if title in reading.titles)),
        tracked=_tracked(ticket),
        asks_for_person=said.asks_for_person(ticket.text),
        category=_category(ticket, reading),
        answered=bool(replies) and ticket.resolved_by in ("agent", "customer"),
        smooth=(
            not ticket.reopened and not ticket.transfers and ticket.satisfaction != "bad" and "unsolved" not in words
        ),
    )


def _after_reply(ticket: Ticket) -> list[str]:
    """What the customer wrote after the first reply, the newest last."""
    replied = False
    texts = []
    for entry in ticket.entries:
        replied = replied or entry.author == "agent"
        if replied and entry.author == "customer":
            texts.append(entry.text)
    return texts[-_MAX_REPLIES:]


def _tracked(ticket: Ticket) -> tuple[str, ...]:
    """Issues of trackers that people's replies link to, each once."""
    links = (link for entry in ticket.entries if entry.author == "agent" for link in entry.links)
    found = (_TRACKERS.match(link) for link in links)
    return tuple(dict.fromkeys(_issue(match) for match in found if match is not None))


def _issue(match: re.Match[str]) -> str:
    key = match["jira"] or match["linear"]
    return key.upper() if key else f"{match['project'].lower()}#{match['number']}"


def _category(ticket: Ticket, reading: Reading) -> str | None:
    """The one category that the ticket is tagged with."""
    tagged = {reading.categories[key] for tag in ticket.tags if (key := tag_key(tag)) in reading.categories}
    return tagged.pop() if len(tagged) == 1 else None


def tag_key(name: str) -> str:
    """A tag or category by its letters and digits alone: `How-to: Time` and `how_to_time` are the same."""
    return re.sub(r"[\W_]+", "", name.lower())
