"""NLBSE 2024: is an issue report a bug, a wish or a question? One classifier per repository, as the task wants it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from agent.errors import BadTurn, Misconfigured
from agent.types import Kind, PageContext, Source, Untrusted
from evals.bench.arena import Arena, Progress, open_arena
from evals.bench.inputs import read_csv
from evals.bench.report import BenchResult, Part
from evals.learning.lessons import Lessons, prepare
from evals.learning.teach import learn_kind
from evals.statistics.measured import bootstrap
from evals.tickets.ticket import MAX_TEXT_CHARS, Entry, Gold, Ticket
from tools.learned.model import LearnedModel

NAME = "nlbse24"
_COLUMNS = ("repo", "created_at", "label", "title", "body")
_KINDS = {"bug": Kind.BUG, "feature": Kind.FEATURE_REQUEST, "question": Kind.HOW_TO}
_FOLDS = 5


def splits(data: Path) -> list[str]:
    """`folds` of the training file, and `test` when `issues_test.csv` stands beside it."""
    if not (data / "issues_train.csv").is_file():
        raise Misconfigured(f"{data}: no issues_train.csv in it")
    return ["folds", "test"] if (data / "issues_test.csv").is_file() else ["folds"]


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Learn each repository's kinds as `helpgraph learn` does, and have the engine understand the other issues."""
    train = _read(data / "issues_train.csv")
    measured = []
    async with open_arena([], on_progress=on_progress) as arena:
        scratch = arena.runtime.settings.data_dir / "learning"
        lessons = await prepare(train, arena.runtime.embedder, scratch, on_progress)
        for part in parts:
            if part == "folds":
                asked, found = train, await _by_folds(arena, lessons, on_progress)
            else:
                asked = _read(data / "issues_test.csv")
                found = await _by_repository(arena, lessons, asked, on_progress)
            measured.append(_score(part, asked, found))
    return BenchResult(NAME, measured)


def _read(path: Path) -> list[Ticket]:
    tickets = []
    for number, row in enumerate(read_csv(path, _COLUMNS), 1):
        if row["label"] not in _KINDS:
            raise Misconfigured(f"{path}: row {number}: the label {row['label']!r} is none of {', '.join(_KINDS)}")
        tickets.append(
            Ticket(
                ticket_id=str(number),
                created_at=datetime(2023, 1, 1, tzinfo=UTC),
                entries=(Entry("customer", f"{row['title'].strip()}\n{row['body']}"[:MAX_TEXT_CHARS]),),
                gold=Gold(category=row["repo"], kind=_KINDS[row["label"]]),
            )
        )
    return tickets


async def _by_folds(arena: Arena, lessons: Lessons, on_progress: Progress) -> list[Kind]:
    found: list[Kind] = [Kind.HOW_TO] * len(lessons)
    done = 0
    for places in _repositories(lessons.tickets).values():
        labels = np.array([kind_of(lessons.tickets[place]) for place in places])
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        for learnt, left_out in folds.split(places, labels):
            await _teach(arena, lessons.take(places[learnt]))
            for place in places[left_out]:
                found[place] = await _understood(arena, lessons.tickets[place])
                done += 1
                on_progress("folds", done, len(lessons))
    return found


async def _by_repository(arena: Arena, lessons: Lessons, asked: Sequence[Ticket], on_progress: Progress) -> list[Kind]:
    found: list[Kind] = [Kind.HOW_TO] * len(asked)
    known, done = _repositories(lessons.tickets), 0
    for repository, places in _repositories(asked).items():
        if repository not in known:
            raise Misconfigured(f"issues_test.csv: no issue of {repository} in issues_train.csv")
        await _teach(arena, lessons.take(known[repository]))
        for place in places:
            found[place] = await _understood(arena, asked[place])
            done += 1
            on_progress("test", done, len(asked))
    return found


async def _teach(arena: Arena, lessons: Lessons) -> None:
    kind = learn_kind(lessons)
    if kind is None:
        raise BadTurn("a repository needs five issues of two labels at least")
    embedder = arena.runtime.embedder
    arena.runtime.learn(LearnedModel(embedder.name if embedder else "", kind=kind))


async def _understood(arena: Arena, ticket: Ticket) -> Kind:
    text = Untrusted.of(ticket.text, Source.CUSTOMER, limit=MAX_TEXT_CHARS)
    return (await arena.runtime.engine.understand((text,), (), PageContext())).kind


def _score(part: str, asked: Sequence[Ticket], found: Sequence[Kind]) -> Part:
    truth = np.array([kind_of(ticket) for ticket in asked])
    said = np.array([kind.value for kind in found])
    repositories = np.array([ticket.gold.category for ticket in asked])
    names = sorted(set(repositories))

    def across(drawn: NDArray[np.int64]) -> float:
        return float(np.mean([_f1(truth, said, drawn[repositories[drawn] == name]) for name in names]))

    each = {str(name): round(_f1(truth, said, np.flatnonzero(repositories == name)), 4) for name in names}
    return Part(part, {"macro_f1": bootstrap(len(asked), across)}, notes={"macro_f1_by_repository": each})


def _f1(truth: NDArray[np.str_], said: NDArray[np.str_], places: NDArray[np.int64]) -> float:
    labels = [kind.value for kind in _KINDS.values()]
    return float(f1_score(truth[places], said[places], labels=labels, average="macro", zero_division=0.0))


def kind_of(ticket: Ticket) -> str:
    """The issue's label, as the engine calls it."""
    return ticket.gold.kind.value if ticket.gold.kind else ""


def _repositories(tickets: Sequence[Ticket]) -> dict[str, NDArray[np.int64]]:
    places: dict[str, list[int]] = {}
    for place, ticket in enumerate(tickets):
        places.setdefault(ticket.gold.category or "", []).append(place)
    return {name: np.array(found) for name, found in sorted(places.items())}
