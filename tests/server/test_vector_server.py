"""Several stores on one Chroma server that dies and comes back, each with a copy of its own as in a process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from agent.errors import KnowledgeError
from agent.ports import SearchQuery
from agent.types import Source, Untrusted
from server.vector_server import ChromaServer
from tests.tools.engines.shop import HashedEmbedder
from tools.knowledge.store import KnowledgeStore, Sharing
from tools.storage.database import Database
from tools.storage.wakeups import Wakeups, knowledge_key


@asynccontextmanager
async def opened(db: Database, folder: Path, url: str, wakeups: Wakeups) -> AsyncIterator[KnowledgeStore]:
    store = await KnowledgeStore.open(
        db, folder, HashedEmbedder(), "example", sharing=Sharing(url, owns_folder=False, wakeups=wakeups)
    )
    following = asyncio.create_task(store.follow())
    try:
        yield store
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await store.close()


async def until_dense(store: KnowledgeStore, articles: int) -> None:
    async with asyncio.timeout(60):
        while (status := await store.status()) and (status.articles != articles or not status.dense):
            await asyncio.sleep(0.05)


def write(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"# The {name} button\n\nPress the {name} button to get there.\n")
    return folder


def connections(port: int | None) -> int:
    """How many connections to a port this process has open."""
    opened = psutil.Process().net_connections("tcp")
    return sum(bool(one.raddr) and one.raddr.port == port and one.status == "ESTABLISHED" for one in opened)


async def finds(store: KnowledgeStore, words: str) -> bool:
    query = SearchQuery(Untrusted.of(words, Source.CUSTOMER, limit=200), language="en", limit=5)
    return bool(await store.search(query))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A server that runs when a test begins, and has to when it ends; each start takes seconds of a processor."""
    folder = tmp_path_factory.mktemp("chroma")
    server = ChromaServer(folder / "vectors", folder / "chroma.log")
    server.start()
    yield server
    server.close()


async def test_the_server_may_die_while_everyone_goes_on_answering(chroma: ChromaServer, tmp_path: Path) -> None:
    articles = write(tmp_path / "articles", "teleport")
    db = await Database.open(None, data_dir=tmp_path)
    wakeups = Wakeups()
    try:
        async with (
            opened(db, tmp_path / "a", chroma.url, wakeups) as one,
            opened(db, tmp_path / "b", chroma.url, wakeups) as other,
        ):
            await one.ingest(articles)
            await until_dense(other, 1)

            await asyncio.to_thread(chroma.close)
            assert await finds(one, "teleport button")
            assert await finds(other, "teleport button")
            with pytest.raises(KnowledgeError):
                await one.ingest(write(articles, "submarine"))
            assert (await one.status()).articles == 1

            async with opened(db, tmp_path / "c", chroma.url, wakeups) as late:
                assert not (await late.status()).dense
                assert await finds(late, "teleport button")

                await asyncio.to_thread(chroma.start)
                # It looks again by itself after a while, and at once when there is news.
                wakeups.notify(knowledge_key("example"))
                await until_dense(late, 1)
            await one.ingest(articles)
            await until_dense(other, 2)
    finally:
        await db.close()


async def test_one_that_died_is_started_again(chroma: ChromaServer) -> None:
    process = chroma._process
    assert process is not None
    process.kill()
    process.wait()
    chroma.keep_alive()
    assert chroma._process is not process
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(chroma._answers):
            await asyncio.sleep(0.05)


async def test_nothing_stays_open_when_a_store_is_closed(chroma: ChromaServer, tmp_path: Path) -> None:
    db = await Database.open(None, data_dir=tmp_path)
    port = urlsplit(chroma.url).port
    try:
        async with opened(db, tmp_path / "a", chroma.url, Wakeups()) as store:
            await store.ingest(write(tmp_path / "articles", "teleport"))
            assert connections(port)
        assert not connections(port)
    finally:
        await db.close()
