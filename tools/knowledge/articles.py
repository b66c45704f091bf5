"""An article as it comes in, and why one may be refused."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.knowledge.faqs import asks

MAX_ARTICLE_BYTES = 2 * 1024 * 1024
_TABLE = re.compile(r"^[ \t|]*:?-+:?[ \t]*\|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Article:
    """A help article.

    `body` is Markdown; `last_reviewed` is an ISO date; `source` is the file or line it came from; `questions` are
    messages of customers that this article answers. `published_on` is an ISO date and `from_tickets` are ids of the
    tickets that it was written from: a replay of older tickets, or of these, does without the article.
    """

    article_id: str
    title: str
    body: str
    source: str
    url: str | None = None
    area: str | None = None
    plans: tuple[str, ...] = ()
    language: str = "en"
    owner: str | None = None
    last_reviewed: str | None = None
    questions: tuple[str, ...] = ()
    published_on: str | None = None
    from_tickets: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """Changes when anything does that a customer could see or that ranking uses."""
        parts = (self.title, self.body, self.url, self.area, *self.plans, self.language, self.last_reviewed, self.owner)
        parts += self.questions
        if self.published_on or self.from_tickets:
            parts += (f"published {self.published_on}", *(f"from {name}" for name in self.from_tickets))
        if _TABLE.search(self.body):
            # An installation that took tables as they stand reads these articles again.
            parts += ("tables by rows",)
        if asks(self.body):
            # And those whose questions have no heading.
            parts += ("questions as sections",)
        return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file or line that was not taken, and why."""

    source: str
    reason: str


class Refused(Exception):
    """This article can't be taken; the message is the reason."""


def path_id(path: PurePosixPath) -> str:
    """Return a path as an id; a part without a letter or digit of ASCII is told from others by a digest."""
    parts = [slug(part) or _digest(part) for part in path.parts]
    return "-".join(part for part in parts if part)[:120].strip("-")


def _digest(part: str) -> str:
    return hashlib.sha256(part.encode()).hexdigest()[:12] if any(char.isalnum() for char in part) else ""


def slug(text: str) -> str:
    """Return `text` as an id: lower case ASCII words joined by dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:120]
