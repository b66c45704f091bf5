"""Which cases a report shows: all of a small run; of a big one, what went wrong first, then a fair sample."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from agent.wire import JsonObject
from evals.report.lines import side_by_side
from evals.report.verdicts import MISTAKEN, VERDICTS, Verdict, verdict_of

# More mistakes than this share leave no room to see what goes well.
_MISTAKES_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a run one page may carry: so many cases, and so many bytes of their details."""

    cases: int = 2_000
    size_bytes: int = 15_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at all cases shows. `places` are those to be shown, the most important first.

    `tickets` is how many they are of; `verdicts` and `categories` count all cases; `first_day` and `last_day` are when
    the tickets were created.
    """

    cases: int
    tickets: int
    verdicts: dict[Verdict, int]
    categories: dict[str | None, int]
    first_day: str | None
    last_day: str | None
    places: tuple[int, ...]


@dataclass
class _Book:
    """A few bytes of each case: its group, what it cost, a number drawn for it, and how long its lines are."""

    groups: "array[int]" = field(default_factory=lambda: array("l"))
    costs: "array[float]" = field(default_factory=lambda: array("d"))
    drawn: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    names: dict[tuple[Verdict, str | None], int] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)


def survey(
    folder: Path, scored: Iterable[JsonObject], *, pinned: Collection[tuple[str, int]], limits: Limits, seed: int
) -> Survey:
    """Look at all cases once and choose those to show.

    Args:
        folder: of the run.
        scored: its scores, in the cases' order.
        pinned: tickets with their run that other parts of the report point at: shown whatever they are.
        limits: of what is shown.
        seed: of the draw; the same seed draws the same cases.
    """
    book, wanted = _Book(), frozenset(pinned)
    categories: Counter[str | None] = Counter()
    days: list[str] = []
    tickets = 0
    for place, (line, one) in enumerate(side_by_side(folder, scored)):
        score = one["score"]
        verdict, category = verdict_of(score), score["category"]
        cost = score["mistake_cost"]["value"] if score["mistake_cost"] else 0.0
        name = f"{seed}\x1f{one['ticket_id']}\x1f{one['run']}"
        book.groups.append(book.names.setdefault((verdict, category), len(book.names)))
        book.costs.append(cost)
        book.drawn.append(int.from_bytes(hashlib.sha256(name.encode(errors="replace")).digest()[:8]))
        book.sizes.append(len(line))
        if (one["ticket_id"], one["run"]) in wanted:
            book.pinned.append(place)
        tickets += one["run"] == 1
        categories[category] += 1
        day = str(orjson.loads(line)["created_at"])[:10]
        days = [min([day, *days[:1]]), max([day, *days[1:]])] if days else [day, day]
    verdicts: Counter[Verdict] = Counter()
    names = list(book.names)
    for group in book.groups:
        verdicts[names[group][0]] += 1
    return Survey(
        cases=len(book.groups),
        tickets=tickets,
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        categories=dict(sorted(categories.items(), key=lambda item: (-item[1], str(item[0])))),
        first_day=days[0] if days else None,
        last_day=days[1] if days else None,
        places=_chosen(book, names, limits),
    )


def _chosen(book: _Book, names: list[tuple[Verdict, str | None]], limits: Limits) -> tuple[int, ...]:
    mistaken = [names[group][0] in MISTAKEN for group in book.groups]
    worst = sorted(
        (place for place, wrong in enumerate(mistaken) if wrong),
        key=lambda place: (names[book.groups[place]][0] == "handed_needlessly", -book.costs[place], book.drawn[place]),
    )
    if len(mistaken) > limits.cases:
        worst = worst[: int(limits.cases * _MISTAKES_SHARE)]
    chosen: dict[int, None] = dict.fromkeys([*book.pinned, *worst, *_stratified(book)])
    kept: list[int] = []
    size_bytes = 0
    for place in chosen:
        size_bytes += book.sizes[place]
        if len(kept) == limits.cases or size_bytes > limits.size_bytes:
            break
        kept.append(place)
    return tuple(kept)


def _stratified(book: _Book) -> list[int]:
    """All places, in an order of which each beginning has the groups in their proportions, one of each first."""
    groups: dict[int, list[int]] = {}
    for place in sorted(range(len(book.groups)), key=lambda place: book.drawn[place]):
        groups.setdefault(book.groups[place], []).append(place)
    keyed = [
        (rank > 0, (rank + 0.5) / len(places), book.drawn[place], place)
        for places in groups.values()
        for rank, place in enumerate(places)
    ]
    return [place for *_, place in sorted(keyed)]
