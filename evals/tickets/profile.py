"""What historical tickets are about, and which categories to automate first."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agent.policy import CategoryPolicy
from agent.ports import Embedder
from agent.types import Source, Untrusted
from evals.statistics.measured import Measured, bootstrap
from evals.tickets.clusters import Cluster, clusters_of
from evals.tickets.index import TicketIndex
from evals.tickets.ticket import MAX_TEXT_CHARS, Ticket
from graphs.assembly import Runtime
from tools.language import identify

OnProgress = Callable[[str, int, int], None]
Complexity = Literal["simple", "moderate", "complex"]
_T = TypeVar("_T")

TOP = 10
MAX_HEARD = 2000
MAX_REPLIES = 60
_MAX_LINKS = 500
_HEARD_SURE = 0.5
_MIN_TICKETS, _MIN_REPLIES = 10, 5
_FEWEST, _MOST = 3, 5
# A fourth and a fifth category are proposed when they promise at least this share of what the third does.
_WORTH = 0.5
_MOST_NEEDING_A_PERSON = 0.3
_SEED = 0
_NEAR, _NEAR_AT_MOST = 0.95, 0.75
_EMBED_BATCH = 64
_REPORT_EVERY = 2000


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """A category's tickets and what people answered there.

    `tickets` is an estimate where categories were heard in a sample. `alike` says how much more alike its human replies
    are than replies of different categories: 0 no more, 1 the same reply each time. `repeated` is the share of them
    that say nearly what another of them says. Both are None without an embedding model or with too few replies.
    `same_article` is the share of tickets with a reply where a reply links the category's most linked article,
    `needs_person` the share that needed a person; None where no ticket tells.
    """

    category: str | None
    name: str
    tickets: int
    share: float
    complexity: Mapping[str, float]
    alike: Measured | None = None
    repeated: Measured | None = None
    same_article: float | None = None
    article: str | None = None
    needs_person: float | None = None
    replies: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A category to begin with: `promise` is the share of all tickets that are simple ones of it and repeat."""

    category: str
    name: str
    promise: float
    why: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The whole picture. `heard` counts the tickets whose category the engine was asked for, `uncategorised` those of
    them with none; `hours` are counts by weekday (Monday first) and hour in `timezone`; `told` is what was refused."""

    tickets: int
    first: datetime
    last: datetime
    categories: tuple[CategoryProfile, ...]
    proposed: tuple[Proposal, ...]
    clusters: tuple[Cluster, ...]
    heard: int
    uncategorised: int
    languages: Mapping[str, int]
    channels: Mapping[str, int]
    timezone: str
    hours: tuple[tuple[int, ...], ...]
    told: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON, with rates rounded to four places."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


@dataclass(slots=True)
class _Tally:
    """What is counted of a category; a ticket out of a sample counts for those it stands for."""

    tickets: float = 0.0
    complexity: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    needing: float = 0.0
    needing_told: float = 0.0
    replied: int = 0
    links: Counter[str] = field(default_factory=Counter)
    replies: "_Sample[str]" = field(default_factory=lambda: _Sample(MAX_REPLIES))

    def add(self, ticket: Ticket, weight: float) -> None:
        self.tickets += weight
        self.complexity[complexity_of(ticket)] += weight
        if ticket.gold.needs_person is not None:
            self.needing_told += weight
            self.needing += weight * ticket.gold.needs_person
        if ticket.replies:
            self.replied += 1
            self.replies.add(ticket.replies[0])
            links = {link for entry in ticket.entries if entry.author == "agent" for link in entry.links}
            self.links.update(links if len(self.links) < _MAX_LINKS else links & self.links.keys())


class _Sample(Generic[_T]):
    """So many of all that come, each with the same chance, the same ones every time.

    Source: Vitter, "Random sampling with a reservoir", ACM Trans. Math. Softw. 11 (1985), 37-57, algorithm R.
    """

    def __init__(self, most: int) -> None:
        self.kept: list[_T] = []
        self.seen = 0
        self._most = most
        self._random = random.Random(_SEED)  # noqa: S311

    def add(self, item: _T) -> None:
        self.seen += 1
        if len(self.kept) < self._most:
            self.kept.append(item)
        elif (place := self._random.randrange(self.seen)) < self._most:
            self.kept[place] = item


def complexity_of(ticket: Ticket) -> Complexity:
    """How hard it was to resolve: as labelled, else by what it took.

    One reply and done is simple; a ticket that came back, or went to somebody else and took more than one reply, or
    took more than three, is complex.
    """
    if ticket.gold.complexity is not None:
        return ticket.gold.complexity
    replies = len(ticket.replies)
    if ticket.reopened or replies > 3 or (ticket.transfers and replies > 1):
        return "complex"
    return "simple" if replies <= 1 and not ticket.transfers else "moderate"


async def profile(
    runtime: Runtime, index: TicketIndex, *, told: Sequence[str] = (), on_progress: OnProgress
) -> Profile:
    """Profile all tickets of an index. Holds samples, never the tickets.

    Raises:
        ConnectorError: the embedder or the engine failed.
    """
    policy = runtime.deps.policy
    zone = policy.business_hours.timezone
    tallies: dict[str | None, _Tally] = {}
    unlabelled: _Sample[Ticket] = _Sample(MAX_HEARD)
    languages: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    hours = np.zeros((7, 24), dtype=np.int64)
    first = last = index.get(0).created_at

    def count() -> datetime:
        at = first
        for done, ticket in enumerate(index, 1):
            at = ticket.created_at
            local = at.astimezone(ZoneInfo(zone))
            hours[local.weekday(), local.hour] += 1
            languages[ticket.language or identify(ticket.text[:1000]).language] += 1
            channels[ticket.channel or "unknown"] += 1
            if ticket.gold.category:
                tallies.setdefault(ticket.gold.category, _Tally()).add(ticket, 1.0)
            else:
                unlabelled.add(ticket)
            if done % _REPORT_EVERY == 0 or done == len(index):
                on_progress("counting tickets", done, len(index))
        return at

    last = await asyncio.to_thread(count)
    nameless = await _hear(runtime, unlabelled, tallies, on_progress)
    known = {category.category_id: category for category in policy.categories}
    ordered = sorted(tallies, key=lambda each: (each is None, -tallies[each].tickets, each or ""))
    embedder = runtime.embedder
    spread = await _spread({c: tallies[c].replies.kept for c in ordered[:TOP] if c}, embedder, on_progress)
    categories = tuple(_category(each, tallies[each], known, spread.get(each), len(index)) for each in ordered)
    found: tuple[Cluster, ...] = ()
    if embedder is not None and nameless:
        texts = [ticket.text for ticket in nameless]
        vectors = await _embedded(texts, embedder, "grouping what has no category", on_progress)
        found = await asyncio.to_thread(clusters_of, nameless, vectors, unlabelled.seen / len(unlabelled.kept))
    return Profile(
        tickets=len(index),
        first=first,
        last=last,
        categories=categories,
        proposed=_proposed(categories, known),
        clusters=found,
        heard=len(unlabelled.kept),
        uncategorised=len(nameless),
        languages=dict(languages.most_common()),
        channels=dict(channels.most_common()),
        timezone=zone,
        hours=tuple(tuple(int(n) for n in row) for row in hours),
        told=tuple(told),
    )


async def _hear(
    runtime: Runtime, sample: _Sample[Ticket], tallies: dict[str | None, _Tally], on_progress: OnProgress
) -> list[Ticket]:
    """Count the tickets without a category where the engine hears one; return those where it hears none."""
    nameless = []
    known = {category.category_id for category in runtime.deps.policy.categories}
    weight = sample.seen / len(sample.kept) if sample.kept else 0.0
    for done, ticket in enumerate(sample.kept, 1):
        page = runtime.pages.locate({"route": ticket.page} if ticket.page else None)
        text = Untrusted.of(ticket.text, Source.CUSTOMER, limit=MAX_TEXT_CHARS)
        heard = await runtime.learner.understand((text,), (), page)
        sure = heard.category in known and heard.category_confidence >= _HEARD_SURE
        tallies.setdefault(heard.category if sure else None, _Tally()).add(ticket, weight)
        if not sure:
            nameless.append(ticket)
        on_progress("hearing categories", done, len(sample.kept))
    return nameless


@dataclass(frozen=True, slots=True)
class _Spread:
    alike: Measured
    repeated: Measured


async def _spread(
    replies: Mapping[str, Sequence[str]], embedder: Embedder | None, on_progress: OnProgress
) -> dict[str | None, _Spread]:
    """How the replies of each category lie among themselves, against how those of different categories lie."""
    enough = {category: texts for category, texts in replies.items() if len(texts) >= _MIN_REPLIES}
    if embedder is None or len(enough) < 2:
        return {}
    vectors = await _embedded(
        [text for each in enough.values() for text in each], embedder, "comparing replies", on_progress
    )
    likeness = vectors @ vectors.T
    of = np.repeat(np.arange(len(enough)), [len(each) for each in enough.values()])
    same = of[:, None] == of[None, :]
    np.fill_diagonal(likeness, -1.0)
    apart = float(likeness[~same].mean())
    # Nearly the same: nearer than replies of different categories come, but for one in twenty.
    near = float(np.quantile(np.where(same, -1.0, likeness).max(axis=1), _NEAR))
    # Where categories share replies word for word, that border says nothing.
    near = min(near, apart + _NEAR_AT_MOST * (1 - apart))
    found: dict[str | None, _Spread] = {}
    for number, category in enumerate(enough):
        block = likeness[np.ix_(of == number, of == number)]
        alike = ((block.sum(axis=1) + 1) / (len(block) - 1) - apart) / max(1e-6, 1 - apart)
        repeated = (block.max(axis=1) >= near).astype(np.float64)
        found[category] = _Spread(
            bootstrap(len(block), partial(_mean_rate, alike)), bootstrap(len(block), partial(_mean_rate, repeated))
        )
    return found


def _mean_rate(rates: NDArray[np.float64], drawn: NDArray[np.int64]) -> float:
    return float(np.clip(rates[drawn].mean(), 0, 1))


async def _embedded(
    texts: Sequence[str], embedder: Embedder, stage: str, on_progress: OnProgress
) -> NDArray[np.float32]:
    rows = []
    for start in range(0, len(texts), _EMBED_BATCH):
        rows.append(await embedder.embed([text[:2000] for text in texts[start : start + _EMBED_BATCH]]))
        on_progress(stage, min(start + _EMBED_BATCH, len(texts)), len(texts))
    return np.vstack(rows)


def _category(
    category: str | None, tally: _Tally, known: Mapping[str, CategoryPolicy], spread: "_Spread | None", total: int
) -> CategoryProfile:
    article, linked = next(iter(tally.links.most_common(1)), (None, 0))
    policy = known.get(category or "")
    return CategoryProfile(
        category=category,
        name=policy.name if policy else category or "none",
        tickets=round(tally.tickets),
        share=tally.tickets / total,
        complexity={level: tally.complexity[level] / tally.tickets for level in ("simple", "moderate", "complex")},
        alike=spread.alike if spread else None,
        repeated=spread.repeated if spread else None,
        same_article=linked / tally.replied if tally.replied else None,
        article=article,
        needs_person=tally.needing / tally.needing_told if tally.needing_told else None,
        replies=tally.replied,
    )


def _proposed(categories: Sequence[CategoryProfile], known: Mapping[str, CategoryPolicy]) -> tuple[Proposal, ...]:
    """Three to five categories with many simple tickets whose answers repeat, and that people aren't needed for."""
    found = []
    for each in categories:
        if each.category is None or not _may_begin(each, known.get(each.category)):
            continue
        repeatable, simple = _repeatable(each), each.complexity["simple"]
        repeats = "how repeatable isn't known" if repeatable is None else f"answers {repeatable:.0%} repeatable"
        why = f"{each.share:.0%} of all tickets, {simple:.0%} of them simple, {repeats}"
        promise = each.share * simple * (1.0 if repeatable is None else repeatable)
        if promise > 0:
            found.append(Proposal(each.category, each.name, promise, why))
    found.sort(key=lambda each: (-each.promise, each.category))
    enough = found[_FEWEST - 1].promise * _WORTH if len(found) >= _FEWEST else 0.0
    return tuple(each for n, each in enumerate(found[:_MOST]) if n < _FEWEST or each.promise >= enough)


def _may_begin(each: CategoryProfile, policy: CategoryPolicy | None) -> bool:
    if each.tickets < _MIN_TICKETS or (each.needs_person or 0.0) > _MOST_NEEDING_A_PERSON:
        return False
    return policy is None or not (policy.needs_person or policy.scope == "off")


def _repeatable(each: CategoryProfile) -> float | None:
    """By whichever says more, what replies say or the article they link to; None when nothing was measured."""
    if each.repeated is None:
        return each.same_article or None
    return max(each.repeated.value, each.same_article or 0.0)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value
