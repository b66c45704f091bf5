"""Bringing the base to what a source holds: whole or not at all, whatever happens on the way."""

import asyncio
import hashlib
import shutil
import signal
import zipfile
from collections.abc import Sequence
from contextlib import nullcontext
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from chromadb.api.shared_system_client import SharedSystemClient
from numpy.typing import NDArray

from agent.errors import BadTurn, KnowledgeError, Misconfigured
from tests.forking import FORKS
from tests.tools.engines.shop import HashedEmbedder
from tests.tools.knowledge.arrange import ARTICLES, ask, opened, write_articles
from tools.embedding.minilm import MiniLmEmbedder
from tools.knowledge import store as store_module
from tools.knowledge.held import VectorHit
from tools.knowledge.store import KnowledgeStore, Sharing
from tools.knowledge.vectors import VectorCollection, VectorStore
from tools.storage.database import Database
from tools.storage.knowledge import Generation, KnowledgeRows


async def test_an_empty_base_finds_nothing(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    async with opened(tmp_path, minilm) as store:
        assert await store.search(ask("invoices")) == []
        assert await store.passages(["nope"]) == []
        assert (await store.status()).articles == 0


async def test_ingesting_the_same_again_changes_nothing(
    database: Database, tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    store = await KnowledgeStore.open(database, tmp_path, minilm, "orrery")
    first = await store.ingest(write_articles(tmp_path / "kb"))
    again = await store.ingest(tmp_path / "kb")
    status = await store.status()
    await store.close()

    assert (first.added, first.changed, first.removed, first.unchanged) == (len(ARTICLES), 0, 0, 0)
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, len(ARTICLES))
    assert again.generation_id == first.generation_id == status.generation_id
    assert (status.articles, status.passages, status.dense) == (len(ARTICLES), first.passages, True)


async def test_what_is_gone_from_the_source_is_gone_from_the_base(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb"))
        changed = {k: v for k, v in ARTICLES.items() if k != "reset-password"} | {
            "pair-terminal": ("Connect the terminal to Wi-Fi", "It joins 5 GHz networks as well."),
            "dark-mode": ("Dark mode", "Choose **Dark** under **Settings > Appearance**."),
        }
        report = await store.ingest(write_articles(tmp_path / "kb", changed))
        gone = await store.search(ask("I forgot my password"))
        new = await store.search(ask("dark mode"))
        terminal = await store.search(ask("which networks does the terminal join"))

    assert (report.added, report.changed, report.removed) == (1, 1, 1)
    assert report.unchanged == len(ARTICLES) - 2
    assert "reset-password" not in {passage.article_id for passage in gone}
    assert new[0].article_id == "dark-mode"
    assert "5 GHz" in terminal[0].text.render_plain()


async def test_a_passage_added_above_leaves_the_ids_of_the_others(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    body = "## Two\n\nInvoices are under Billing.\n\n## Three\n\nReceipts as well."
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb", {"a": ("Invoices", body)}))
        before = {passage.passage_id for passage in await store.search(ask("invoices"))}
        await store.ingest(write_articles(tmp_path / "kb", {"a": ("Invoices", f"## One\n\nA new part.\n\n{body}")}))
        after = {passage.passage_id for passage in await store.search(ask("invoices"))}

    assert len(before) == 2
    assert before < after


async def test_a_source_that_is_mostly_broken_changes_nothing_unless_forced(
    tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    path = tmp_path / "kb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.md", "# Dark mode\n\nChoose it under Appearance.")
        archive.writestr("bomb.md", b"a " * 900_000)
        archive.writestr("broken.md", "---\n[\n---\n")

    async with opened(tmp_path, minilm) as store:
        first = await store.ingest(write_articles(tmp_path / "kb"))
        with pytest.raises(BadTurn, match="2 of 3 were refused"):
            await store.ingest(path)
        kept = (await store.status()).generation_id
        forced = await store.ingest(path, force=True)

    assert kept == first.generation_id
    assert (forced.added, forced.removed) == (1, len(ARTICLES))
    assert {refusal.source for refusal in forced.refused} == {"bomb.md", "broken.md"}
    assert forced.to_json()["refused"][0]["reason"]


async def test_a_refusal_is_kept_however_long_its_name_is(database: Database, tmp_path: Path) -> None:
    # PostgreSQL compresses a key before it finds it too long: this one can't be.
    name = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(90))
    with zipfile.ZipFile(tmp_path / "kb.zip", "w") as archive:
        archive.writestr("good.md", "# Dark mode\n\nChoose it under Appearance.")
        archive.writestr(f"{name}.md", "")

    store = await KnowledgeStore.open(database, tmp_path, None, "orrery")
    report = await store.ingest(tmp_path / "kb.zip")
    await store.close()

    assert (report.added, [refusal.source for refusal in report.refused]) == (1, [f"{name}.md"])


async def test_progress_is_told_by_stage(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    told: list[tuple[str, int, int]] = []

    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb"), lambda *step: told.append(step))

    assert len(dict.fromkeys(stage for stage, _, _ in told)) >= 2
    assert all(0 <= done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2]


async def test_what_ingests_leave_of_bases_before_is_gone_after_a_start(tmp_path: Path) -> None:
    held = {}
    async with opened(tmp_path, HashedEmbedder()) as store:
        for text in ("one", "another", "a third"):
            await store.ingest(write_articles(tmp_path / "kb", ARTICLES | {"x": ("X", f"{text} text")}))
            held[text] = len([path for path in (tmp_path / "vectors").iterdir() if path.is_dir()])
        before = await store.search(ask("download invoices"))
    SharedSystemClient.clear_system_cache()

    async with opened(tmp_path, HashedEmbedder()) as store:
        after = await store.search(ask("download invoices"))
        dense = (await store.status()).dense

    assert len([path for path in (tmp_path / "vectors").iterdir() if path.is_dir()]) == held["one"] < held["a third"]
    assert before == after
    assert dense


async def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    async with opened(tmp_path, None):
        with pytest.raises(Misconfigured, match="another process"):
            async with opened(tmp_path, None):
                pass
    async with opened(tmp_path, None) as store:
        assert (await store.status()).articles == 0


@pytest.mark.parametrize("damage", ["gone", "garbage"])
async def test_lost_vectors_are_rebuilt_while_words_answer(tmp_path: Path, minilm: MiniLmEmbedder, damage: str) -> None:
    async with opened(tmp_path, minilm) as store:
        assert (await store.ingest(write_articles(tmp_path / "kb"))).dense
    SharedSystemClient.clear_system_cache()
    if damage == "gone":
        shutil.rmtree(tmp_path / "vectors")
    else:
        (tmp_path / "vectors" / "chroma.sqlite3").write_bytes(b"garbage" * 1000)

    async with opened(tmp_path, minilm) as store:
        at_once = await store.search(ask("download invoices"))
        again = await store.ingest(tmp_path / "kb")
        later = await store.search(ask("download invoices"))

    assert at_once[0].article_id == later[0].article_id == "download-invoices"
    assert at_once[0].dense_score is None
    assert later[0].dense_score is not None
    assert again.dense


async def test_vectors_that_could_not_be_made_are_made_once_the_model_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_AGAIN_S", 0.01)
    async with opened(tmp_path, None) as store:
        await store.ingest(write_articles(tmp_path / "kb"))
    embedder = HashedEmbedder()
    embedder.broken = True

    async with opened(tmp_path, embedder) as store, asyncio.timeout(30):
        await store.settled()
        meanwhile = await store.search(ask("download invoices"))
        assert not (await store.status()).dense
        embedder.broken = False
        while not (await store.status()).dense:
            await asyncio.sleep(0.01)

    assert meanwhile[0].article_id == "download-invoices"


@pytest.mark.parametrize("known", [True, False])
async def test_vectors_of_another_size_under_the_same_name_are_made_anew(tmp_path: Path, *, known: bool) -> None:
    async with opened(tmp_path, HashedEmbedder()) as store:
        await store.ingest(write_articles(tmp_path / "kb"))
    # An endpoint's is 0 until it has answered once.
    smaller = Resized(32, known=known)

    async with opened(tmp_path, smaller) as store, asyncio.timeout(30):
        at_once = await store.search(ask("download invoices"))
        while not (await store.status()).dense:
            await asyncio.sleep(0.01)
        later = await store.search(ask("download invoices"))

    assert at_once[0].article_id == later[0].article_id == "download-invoices"
    assert at_once[0].dense_score is None
    assert later[0].dense_score is not None


async def test_vectors_of_another_size_are_no_part_of_the_next_base(tmp_path: Path) -> None:
    async with opened(tmp_path, HashedEmbedder()) as store:
        await store.ingest(write_articles(tmp_path / "kb"))
    more = ARTICLES | {"dark-mode": ("Dark mode", "Choose **Dark** under **Settings > Appearance**.")}

    async with opened(tmp_path, Resized(32, known=False)) as store:
        assert (await store.ingest(write_articles(tmp_path / "kb", more))).dense
        (found, *_) = await store.search(ask("dark mode appearance"))

    assert found.article_id == "dark-mode"
    assert found.dense_score is not None


@pytest.mark.parametrize(("every", "taken"), [(4, True), (1, False)])
async def test_an_index_may_miss_some_of_its_entries_and_not_most(
    database: Database, tmp_path: Path, every: int, *, taken: bool
) -> None:
    class Missing(VectorStore):
        def create(self, name: str) -> VectorCollection:
            return Missed(super().create(name)._collection)

    class Missed(VectorCollection):
        asked = 0

        def search(self, vector: NDArray[np.float32], *, limit: int) -> list[VectorHit]:
            self.asked += 1
            return [] if self.asked % every == 0 else super().search(vector, limit=limit)

    vectors = Missing.in_folder(tmp_path / "vectors")
    store = await KnowledgeStore.open(database, tmp_path, HashedEmbedder(), "orrery", sharing=Sharing(vectors=vectors))
    with nullcontext() if taken else pytest.raises(KnowledgeError, match="own passages"):
        await store.ingest(write_articles(tmp_path / "kb"))
    status = await store.status()
    await store.close()
    vectors.close()

    assert status.articles == (len(ARTICLES) if taken else 0)


class Resized(HashedEmbedder):
    """Of another size, which it doesn't say unless it is `known`."""

    def __init__(self, size: int, *, known: bool) -> None:
        super().__init__()
        self._size = size
        self.dimensions = size if known else 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.dimensions = self._size
        return await super().embed(texts)


async def test_a_base_taken_in_without_a_model_gets_its_vectors_when_there_is_one(
    tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    async with opened(tmp_path, None) as store:
        first = await store.ingest(write_articles(tmp_path / "kb"))

    async with opened(tmp_path, minilm) as store:
        for _ in range(100):
            if (await store.status()).dense:
                break
            await asyncio.sleep(0.1)
        found = await store.search(ask("the clock won't join our wireless network"))

    assert not first.dense
    assert found[0].article_id == "pair-terminal"
    assert found[0].dense_score is not None


async def test_a_first_article_in_another_language_has_all_vectors_made_anew(
    tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    english = {key: said for key, said in ARTICLES.items() if not key.startswith(("de-", "es-"))}
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb", english))
        before = await store.search(ask("the clock won't join our wireless network"))
        await store.ingest(write_articles(tmp_path / "kb"))
        after = await store.search(ask("the clock won't join our wireless network"))
        german = await store.search(ask("Ich komme nicht mehr rein", language="de"))
    async with opened(tmp_path, minilm) as store:
        again = await store.search(ask("Ich komme nicht mehr rein", language="de"))

    assert before[0].article_id == after[0].article_id == "pair-terminal"
    assert before[0].dense_score == pytest.approx(after[0].dense_score, abs=1e-5)
    assert german[0].article_id == again[0].article_id == "de-passwort"
    assert german[0].dense_score is not None


async def _ingest(data: Path, source: Path, steps: Connection) -> None:
    async with opened(data, HashedEmbedder()) as store:

        def told(stage: str, done: int, total: int) -> None:
            steps.send(stage)
            steps.recv()

        await store.ingest(source, told)


def _ingest_step_by_step(data: Path, source: Path, steps: Connection) -> None:
    asyncio.run(_ingest(data, source, steps))


def _kill_after(steps: int, data: Path, source: Path) -> None:
    """Ingest in a process of its own, and kill it when it has told of `steps` + 1 steps."""
    ours, theirs = FORKS.Pipe()
    child = FORKS.Process(target=_ingest_step_by_step, args=(data, source, theirs))
    child.start()
    theirs.close()
    for step in range(steps + 1):
        assert ours.recv()
        if step < steps:
            ours.send("go on")
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL


async def test_a_kill_at_any_step_leaves_the_old_base_answering(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with opened(data, HashedEmbedder()) as store:
        first = await store.ingest(write_articles(tmp_path / "kb"))
    other = write_articles(tmp_path / "other", {"dark-mode": ("Dark mode", "Choose it under Appearance.")})

    for steps in range(3):
        await asyncio.to_thread(_kill_after, steps, data, other)
        async with opened(data, HashedEmbedder()) as store:
            status = await store.status()
            found = await store.search(ask("where are my invoices"))
        assert (status.generation_id, status.dense) == (first.generation_id, True), steps
        assert found[0].article_id == "download-invoices"

    async with opened(data, HashedEmbedder()) as store:
        report = await store.ingest(other)
    assert (report.added, report.removed) == (1, len(ARTICLES))
    shutil.rmtree(data)


async def test_another_folder_than_the_one_meant_does_not_empty_the_base(tmp_path: Path) -> None:
    for folder, numbers in (("all", range(12)), ("half", range(6)), ("others", range(12, 20))):
        (tmp_path / folder).mkdir()
        for number in numbers:
            (tmp_path / folder / f"{number}.md").write_text(f"# Article {number}\n\nAbout {number}.\n")
    async with opened(tmp_path, None) as store:
        first = await store.ingest(tmp_path / "all")
        with pytest.raises(BadTurn, match=r"12 of the 12 articles .* would be removed, so nothing was changed"):
            await store.ingest(tmp_path / "others")
        kept = (await store.status()).generation_id
        halved = await store.ingest(tmp_path / "half")
        forced = await store.ingest(tmp_path / "others", force=True)

    assert kept == first.generation_id
    assert halved.removed == 6
    assert (forced.added, forced.removed) == (8, 6)


async def test_following_others_ingests_outlives_an_error_that_nothing_foresaw(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = KnowledgeRows.live
    failed = 0

    async def fail_once(self: KnowledgeRows) -> Generation | None:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise RuntimeError("unforeseen")
        return await live(self)

    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here = await KnowledgeStore.open(database, tmp_path / "here", None, "orrery")
    there = await KnowledgeStore.open(database, tmp_path / "there", None, "orrery")
    await there.ingest(write_articles(tmp_path / "kb"))
    monkeypatch.setattr(store_module, "_FOLLOW_S", 0.01)
    monkeypatch.setattr(KnowledgeRows, "live", fail_once)
    following = asyncio.create_task(here.follow())
    async with asyncio.timeout(30):
        while (await here.status()).articles == 0:
            await asyncio.sleep(0.02)
    following.cancel()
    for store in (here, there):
        await store.close()

    assert failed > 1
    assert (await here.status()).articles == len(ARTICLES)
