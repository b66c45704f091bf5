"""One bug per bug, counted by conversations, whatever races or fails."""

import asyncio
import threading
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import ConnectorError, NotFound
from agent.ports import BugReport, Embedder, TicketTracker
from agent.types import BugDraft, Source, Untrusted
from tests.tools.storage.arrange import ADA, NOW, OTHER_STAFF, STAFF
from tools.storage import tracker as tracker_module
from tools.storage.database import Database
from tools.storage.tracker import BuiltInTracker
from tools.storage.word_overlap import Worded, word_overlap

SAID = (
    "Export fails",
    "Login loops forever",
    "Invoice lacks address",
    "Search hangs",
    "Avatar vanished",
    "Map is black",
)


class BagOfWords:
    """An embedder whose meaning is the words themselves."""

    dimensions = 256

    def __init__(self, name: str = "bag", *, sign: float = 1.0) -> None:
        self.name = name
        self.sign = sign
        self.broken = False
        self.embedded = 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectorError("down", retryable=True)
        self.embedded += len(texts)
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().split():
                row[zlib.crc32(f"{self.name}{word}".encode()) % self.dimensions] += self.sign
            row /= np.linalg.norm(row)
        return rows


def report(
    n: int,
    title: str = "Export button does nothing",
    *,
    effect: str | None = None,
    workspace_id: str = "orrery",
    at_s: float = 0,
    account: str | None = None,
    said: str = "the export button is dead",
) -> BugReport:
    draft = BugDraft(
        title=title,
        doing="exporting a report to CSV",
        expected="a file",
        actual="nothing happens after clicking the export button",
        steps=("Open Reports", "Click Export"),
        page="/reports",
        environment="Firefox",
        feature="reports",
        severity="high",
    )
    return BugReport(
        workspace_id=workspace_id,
        conversation_id=f"conversation-{n}",
        effect_key=effect or f"effect-{n}",
        draft=draft,
        said=Untrusted.of(said, Source.CUSTOMER),
        reported_at=NOW + timedelta(seconds=at_s),
        account_id=account,
    )


def other_bug(n: int) -> BugReport:
    known = report(n)
    draft = BugDraft(
        title="Invoice shows wrong currency",
        doing="looking at March billing",
        expected="euros",
        actual="dollars are printed everywhere",
        steps=(),
        page="/billing",
        environment="",
        feature="billing",
        severity="low",
    )
    return BugReport(known.workspace_id, known.conversation_id, f"other-{n}", draft, known.said, NOW)


@pytest.fixture(params=["vectors", "words"])
def embedder(request: pytest.FixtureRequest) -> Embedder | None:
    return BagOfWords() if request.param == "vectors" else None


async def test_same_bug_is_counted_and_another_is_opened(database: Database, embedder: Embedder | None) -> None:
    tracker: TicketTracker = BuiltInTracker(database, embedder)
    assert await tracker.find_same(report(1)) is None
    first = await tracker.file(report(1))
    again = await tracker.file(report(2, "The export button does nothing at all"))
    other = await tracker.file(other_bug(3))

    assert (first.bug_id, first.is_new, first.occurrences) == ("BUG-1", True, 1)
    assert (again.bug_id, again.is_new, again.occurrences, again.status) == ("BUG-1", False, 2, "open")
    assert again.similarity is not None
    assert (other.bug_id, other.is_new) == ("BUG-2", True)
    same = await tracker.find_same(report(4))
    assert same is not None
    assert (same.bug_id, same.occurrences) == ("BUG-1", 2)


async def test_hundred_concurrent_reports_are_one_bug(database: Database, embedder: Embedder | None) -> None:
    tracker = BuiltInTracker(database, embedder)
    tickets = await asyncio.gather(*(tracker.file(report(n)) for n in range(100)))
    assert {t.bug_id for t in tickets} == {"BUG-1"}
    assert sum(t.is_new for t in tickets) == 1
    assert sorted(t.occurrences for t in tickets) == list(range(1, 101))


async def test_many_open_bugs_are_compared_with_beside_the_loop(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    class Watched(Worded):
        __slots__ = ()

        def overlap(self, text: str) -> float:
            threads.add(threading.get_ident())
            return super().overlap(text)

    def about(n: int) -> BugReport:
        whole = report(n)
        return replace(whole, draft=replace(whole.draft, title=SAID[n % len(SAID)], doing="", actual=""))

    monkeypatch.setattr(tracker_module, "Worded", Watched)
    # Some have a vector of this embedder, some are known by their words alone, and the best is found among both.
    by_words, by_vectors = BuiltInTracker(database, None), BuiltInTracker(database, BagOfWords())
    for n in range(6):
        tracker = (by_vectors, by_words)[n % 2]
        assert (await tracker.file(about(n))).is_new
    found = [await by_vectors.find_same(about(n + len(SAID))) for n in range(6)]

    assert [ticket.bug_id for ticket in found if ticket is not None] == [f"BUG-{n}" for n in range(1, 7)]
    assert threads
    assert threading.get_ident() not in threads


async def test_a_model_whose_vectors_have_another_size_under_its_old_name_stops_no_filing(database: Database) -> None:
    smaller = BagOfWords()
    smaller.dimensions = 64
    await BuiltInTracker(database, BagOfWords()).file(report(1))

    ticket = await BuiltInTracker(database, smaller).file(report(2))

    assert (ticket.bug_id, ticket.occurrences) == ("BUG-1", 2)


async def test_filing_the_same_effect_again_changes_nothing(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    tickets = await asyncio.gather(*(tracker.file(report(1, effect="e")) for _ in range(20)))
    assert {(t.bug_id, t.is_new, t.occurrences) for t in tickets} == {("BUG-1", True, 1)}


async def test_what_was_filed_is_known_by_its_key_in_its_workspace(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(report(1, effect="e"))
    assert await tracker.already_filed("orrery", "e")
    assert not await tracker.already_filed("orrery", "other")
    assert not await tracker.already_filed("elsewhere", "e")


async def test_conversation_counts_once_and_its_words_come_together(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(report(1, effect="e1", said="first words"))
    again = await tracker.file(report(1, effect="e2", said="more words", at_s=60))
    assert (again.is_new, again.occurrences) == (False, 1)
    bug = await tracker.bug(STAFF, "BUG-1")
    assert [r["said"] for r in bug["reports"]] == ["first words\nmore words"]
    assert bug["last_seen"] == (NOW + timedelta(seconds=60)).isoformat()


async def test_details_that_come_later_stand_in_the_bug(database: Database) -> None:
    def lacking(n: int, effect: str, **given: Any) -> BugReport:
        whole = report(n, effect=effect, at_s=n)
        bare: dict[str, Any] = {"doing": "", "expected": "", "steps": (), "environment": "", **given}
        return replace(
            whole, draft=replace(whole.draft, missing=("doing", "steps", "environment"), **{**bare, **given})
        )

    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(lacking(1, "e1"))
    await tracker.file(lacking(1, "e2", environment="Chrome"))
    await tracker.file(lacking(2, "e3", environment="Firefox", steps=("Click Export",)))
    await tracker.file(lacking(2, "e4", environment="Safari"))

    draft = (await tracker.bug(STAFF, "BUG-1"))["draft"]
    assert (draft["environment"], draft["steps"], draft["doing"]) == ("Chrome", ["Click Export"], "")
    assert draft["missing"] == ["doing"]


async def test_closed_bug_is_not_found_again(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(report(1))
    await tracker.set_status(STAFF, "BUG-1", "fixed")
    assert await tracker.find_same(report(2)) is None
    assert (await tracker.file(report(2))).bug_id == "BUG-2"


async def test_workspaces_have_their_own_bugs(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(report(1))
    elsewhere = await tracker.file(report(2, workspace_id="elsewhere"))
    assert (elsewhere.bug_id, elsewhere.is_new) == ("BUG-1", True)
    assert len(await tracker.bugs(OTHER_STAFF)) == 1
    for stranger in (ADA, OTHER_STAFF):
        with pytest.raises(NotFound):
            await tracker.bug(stranger, "BUG-2")
    with pytest.raises(NotFound):
        await tracker.bugs(ADA)
    with pytest.raises(NotFound):
        await tracker.set_status(ADA, "BUG-1", "fixed")


async def test_new_embedder_compares_old_bugs_by_its_own_vectors(database: Database) -> None:
    await BuiltInTracker(database, BagOfWords("old")).file(report(1))
    newer = BagOfWords("new", sign=-1.0)
    tracker = BuiltInTracker(database, newer)
    assert (await tracker.file(report(2))).bug_id == "BUG-1"
    assert newer.embedded == 2
    await tracker.file(report(3))
    assert newer.embedded == 3


async def test_report_is_kept_when_the_embedder_is_down(database: Database) -> None:
    embedder = BagOfWords()
    embedder.broken = True
    tracker = BuiltInTracker(database, embedder)
    assert (await tracker.file(report(1))).is_new
    embedder.broken = False
    assert (await tracker.file(report(2))).bug_id == "BUG-1"


async def test_list_counts_conversations_and_customers(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(other_bug(9))
    for n, account in enumerate(["acct-1", "acct-1", "acct-2", None]):
        await tracker.file(report(n, account=account))
    listed: list[dict[str, Any]] = await tracker.bugs(STAFF)
    assert [(b["bug_id"], b["occurrences"], b["customers"]) for b in listed] == [("BUG-2", 4, 3), ("BUG-1", 1, 1)]
    assert (await tracker.bug(STAFF, "BUG-2"))["draft"]["steps"] == ["Open Reports", "Click Export"]


@pytest.mark.parametrize(("one", "other"), [("", "export"), ("", ""), ("a b", "a b")])
def test_texts_without_words_are_alike_to_nothing(one: str, other: str) -> None:
    assert word_overlap(one, other) == 0.0


def test_word_overlap_forgives_endings_and_typing_errors() -> None:
    assert word_overlap("Export fails", "export FAILS") == 1.0
    assert word_overlap("exporting reports fails", "export of report failed") > word_overlap(
        "exporting reports fails", "invoice currency wrong"
    )
