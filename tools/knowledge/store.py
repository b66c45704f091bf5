"""The knowledge base of one workspace, open in the one process that owns it, or in several on one Chroma server."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.errors import ConnectorError, KnowledgeError
from agent.ports import Embedder, SearchQuery
from agent.types import Passage
from tools.embedding.by_language import by_language
from tools.embedding.openai_compatible import ask_for_size
from tools.engines.local.gloss import Glossary
from tools.knowledge.gists import merged
from tools.knowledge.ingest import (
    Ingest,
    IngestReport,
    Progress,
    articles_name,
    passages_name,
    questions_name,
    titles_name,
    workspace_prefix,
)
from tools.knowledge.known import QuestionShelf, for_questions
from tools.knowledge.matching import Questions
from tools.knowledge.owner import Ownership
from tools.knowledge.searching import Collections, Dense, Embedded, Live, named, nearest, search
from tools.knowledge.vectors import VectorStore, open_vectors
from tools.storage.database import Database
from tools.storage.knowledge import ArticleRow, Generation, KnowledgeRows
from tools.storage.wakeups import Wakeups, knowledge_key

logger = logging.getLogger(__name__)

# A question that waits longer for its vector is searched by words alone.
_DENSE_DEADLINE_S = 2.0
# A hint of a new generation that was missed costs so long.
_FOLLOW_S = 10.0
# Between two attempts at vectors; an endpoint is paid for what it embeds.
_AGAIN_S, _MOST_AGAIN_S = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a base shares with others. By default one process owns the data folder, and one base the vectors in it.

    `owns_folder` is false for a worker whose parent owns it. Without `wakeups` no other process is told. `vectors` is
    the index of all bases of a process, whose folder and closing are that process's affair; of those bases only so
    many make a generation at a time as `making` lets.
    """

    chroma_url: str | None = None
    owns_folder: bool = True
    wakeups: Wakeups | None = None
    vectors: VectorStore | None = None
    making: asyncio.Semaphore | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """What is in the base. `dense` is false when search is by words alone."""

    articles: int
    passages: int
    generation_id: str | None
    dense: bool


class KnowledgeStore:
    """Implements `KnowledgeBase`. Open it with `open`, close it with `close`."""

    def __init__(
        self,
        db: Database,
        vectors: VectorStore,
        embedder: Embedder | None,
        owner: Ownership | None,
        workspace_id: str,
        *,
        cache_dir: Path,
        taught: Questions | None,
        sharing: Sharing,
    ) -> None:
        self._db = db
        self._rows = KnowledgeRows(db, workspace_id)
        self._vectors = vectors
        self._embedder = embedder
        self._asking = for_questions(embedder) if embedder is not None else None
        self._owner = owner
        self._workspace_id = workspace_id
        self._cache_dir = cache_dir
        self._taught = taught
        self._wakeups = sharing.wakeups or Wakeups()
        self._owns_vectors = sharing.vectors is None
        self._making = sharing.making or asyncio.Semaphore(1)
        self._glossary = Glossary.load()
        self._live: Live | None = None
        self._ingesting = asyncio.Lock()
        self._rebuilding: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    @classmethod
    async def open(
        cls,
        db: Database,
        data_dir: Path,
        embedder: Embedder | None,
        workspace_id: str,
        *,
        taught: Questions | None = None,
        sharing: Sharing | None = None,
    ) -> "KnowledgeStore":
        """Take the data folder, clean up after an interrupted ingest, load the live generation.

        `taught` are questions of solved tickets, searched beside those that the articles name themselves.

        Raises:
            Misconfigured: another process owns the folder.
        """
        sharing = sharing or Sharing()
        owner = Ownership(data_dir) if sharing.owns_folder and sharing.vectors is None else None
        vectors = sharing.vectors
        try:
            if vectors is None:
                vectors = await open_vectors(data_dir, sharing.chroma_url)
            store = cls(
                db,
                vectors,
                embedder,
                owner,
                workspace_id,
                cache_dir=data_dir / "models",
                taught=taught,
                sharing=sharing,
            )
            await store._load()
            async with db.exclusive(store._section, wait=False) as alone:
                # What another process is making now isn't what an interruption left.
                if alone:
                    await store._clean_up_if_possible()
            if store._lacks_vectors() or await store._lacks_questions():
                store._rebuild()
        except BaseException:
            if vectors is not None and sharing.vectors is None:
                vectors.close()
            if owner is not None:
                owner.close()
            raise
        return store

    @property
    def _section(self) -> str:
        return f"knowledge:{self._workspace_id}"

    async def close(self) -> None:
        """Let go of the folder. Vectors that were being rebuilt are begun again at the next opening."""
        if self._rebuilding is not None:
            self._rebuilding.cancel()
            await asyncio.wait([self._rebuilding])
        if self._owns_vectors:
            await asyncio.to_thread(self._vectors.close)
        if self._owner is not None:
            self._owner.close()

    async def settled(self) -> None:
        """Wait until what is made in the background is there: vectors and known questions. For whoever measures.

        Where that fails it is tried again, and not waited for.
        """
        if self._rebuilding is not None:
            await self._tried.wait()

    async def status(self) -> KnowledgeStatus:
        """Say what is in the base now."""
        live = self._live
        if live is None:
            return KnowledgeStatus(0, 0, None, dense=self._embedder is not None)
        generation = live.generation
        return KnowledgeStatus(
            generation.articles, generation.passages, generation.generation_id, dense=live.vectors is not None
        )

    def catalogue(self) -> list[ArticleRow]:
        """Every article of the live generation, by id."""
        return list(self._live.shelf.articles.values()) if self._live is not None else []

    async def search(self, query: SearchQuery) -> list[Passage]:
        """Return the best passages; by words alone when the dense side is off or fails.

        Raises:
            KnowledgeError: the lexical side failed as well.
        """
        live = self._live
        text = query.text.render_plain().strip()
        if live is None or not text:
            return []
        found = await self._search(live, query, text)
        english = self._glossary.gloss(text, query.language)
        if english != text:
            found = merged(found, await self._search(live, replace(query, language="en"), english), query.limit)
        return [replace(p, on_page=True) if p.article_id in query.preferred_article_ids else p for p in found]

    async def _search(self, live: Live, query: SearchQuery, text: str) -> list[Passage]:
        vector_hits = await self._dense(live, query, text)
        try:
            return await asyncio.to_thread(search, live, query, text, vector_hits)
        except (ValueError, RuntimeError) as exc:
            raise KnowledgeError("the word index failed") from exc

    def mended(self, question: str) -> str:
        """Return the question with misspelt words as the articles spell them; see `Spelling.mended`."""
        return self._live.spelling.mended(question) if self._live is not None else question

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the named passages that the live generation has, in the order asked."""
        return named(self._live, passage_ids) if self._live is not None else []

    async def ingest(self, path: Path, on_progress: Progress | None = None, *, force: bool = False) -> IngestReport:
        """Bring the base to exactly what `path` holds; the old one answers until the new one is whole.

        Raises:
            BadTurn: `path` holds no article, or more than half was refused and `force` wasn't given.
            KnowledgeError: the new generation failed its own check; the old one still answers.
        """
        async with self._ingesting, self._making, self._db.exclusive(self._section):
            work = Ingest(self._rows, self._vectors, self._embedder, self._workspace_id)
            report = await work.run(path, on_progress or (lambda stage, done, total: None), force=force)
            await self._load()
            await self._complete(on_progress or (lambda stage, done, total: None))
            await self._clean_up()
        self._wakeups.notify(knowledge_key(self._workspace_id))
        return replace(report, dense=self._live is not None and self._live.vectors is not None)

    async def teach(self, taught: Questions | None, on_progress: Progress | None = None) -> None:
        """Search these questions of solved tickets from now on, in place of those before.

        Raises:
            ConnectorError: the embedder or the index failed; the old ones stay.
        """
        async with self._ingesting, self._making, self._db.exclusive(self._section):
            before, self._taught = self._taught, taught
            try:
                await self._load()
                await self._complete(on_progress or (lambda stage, done, total: None))
            except ConnectorError:
                self._taught = before
                raise
            await self._clean_up()

    async def _dense(self, live: Live, query: SearchQuery, text: str) -> Dense | None:
        """What is nearest by meaning, or None when search must do without."""
        if live.reading is None or live.vectors is None:
            return None
        try:
            async with asyncio.timeout(_DENSE_DEADLINE_S):
                rows = await live.reading.embed([text], query.language)
                if live.vectors.passages.dimensions not in (0, rows.shape[1]):
                    self._make_anew(live)
                    return None
                as_question = None
                if live.known is not None and self._asking is not None:
                    as_question = (await self._asking.embed([text]))[0]
                of = query.language
                embedded = Embedded(rows[0], as_question, live.reading.stretch(of), live.reading.read_by(of))
                return await asyncio.to_thread(nearest, live, live.vectors, query, text, embedded)
        except (ConnectorError, TimeoutError):
            logger.exception("dense search failed, going on by words alone")
            return None

    def _make_anew(self, live: Live) -> None:
        """The endpoint has another model under the name it had before, as its first vector has just shown."""
        if self._live is live:
            logger.warning("the vectors are of another size than the model's: search is by words alone until rebuilt")
            self._live = replace(live, vectors=None, known=None)
            if self._rebuilding is None or self._rebuilding.done():
                self._rebuild()

    def _lacks_vectors(self) -> bool:
        return self._embedder is not None and self._live is not None and self._live.vectors is None

    async def _lacks_questions(self) -> bool:
        live = self._live
        if live is None or live.known is not None:
            return False
        shelf = await self._questions(live)
        return shelf is not None and shelf.enough

    async def follow(self) -> None:
        """Take up what other processes ingest, for ever."""
        while True:
            await self._wakeups.wait(knowledge_key(self._workspace_id), timeout_s=_FOLLOW_S)
            try:
                async with self._ingesting:
                    newest, live = await self._rows.live(), self._live
                    if newest is not None and (live is None or live.generation.generation_id != newest.generation_id):
                        await self._load()
                        logger.info("another process's ingest is taken up generation_id=%s", newest.generation_id)
            except Exception:
                # Whatever it was: without this loop nothing new would be taken up before the next start.
                logger.exception("another process's ingest can't be taken up now; the old knowledge base answers")
            if self._lacks_vectors() and (self._rebuilding is None or self._rebuilding.done()):
                self._rebuild()

    def _rebuild(self) -> None:
        """Make in the background what the live generation lacks."""
        self._tried.clear()
        self._rebuilding = asyncio.create_task(self._rebuild_in_background())

    async def _rebuild_in_background(self) -> None:
        wait_s = _AGAIN_S
        while True:
            try:
                async with self._ingesting, self._making, self._db.exclusive(self._section):
                    # While this one waited, another process may have made them.
                    await self._load()
                    await self._complete(lambda stage, done, total: None)
                    await self._clean_up()
                return
            except Exception:
                # Whatever it was: without another attempt search would be by words alone until the next start.
                logger.exception("the vectors can't be rebuilt now: search is by words alone meanwhile")
            finally:
                self._tried.set()
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _MOST_AGAIN_S)

    async def _complete(self, on_progress: Progress) -> None:
        """Make what the live generation lacks: its vectors, and what is learnt from its known questions."""
        live = self._live
        if live is None or self._embedder is None:
            return
        if self._lacks_vectors():
            logger.info("rebuilding vectors passages=%d", live.generation.passages)
            work = Ingest(self._rows, self._vectors, self._embedder, self._workspace_id)
            await work.rebuild_vectors(live.generation, on_progress)
            await self._load()
        if await self._lacks_questions() and (live := self._live) is not None:
            shelf = await self._questions(live)
            if shelf is not None:
                name = questions_name(self._workspace_id, live.generation.generation_id, shelf.key)
                known = await shelf.prepare(self._vectors, name, on_progress)
                self._live = replace(live, known=known)

    async def _questions(self, live: Live) -> QuestionShelf | None:
        if self._asking is None or self._embedder is None:
            return None
        if self._taught is not None:
            await ask_for_size(self._embedder)
        rows = await self._rows.questions(live.generation.generation_id)
        kept = self._cache_dir / f"matcher-{workspace_prefix(self._workspace_id)}"
        return QuestionShelf(rows, live.shelf.articles, self._taught, self._asking, kept)

    async def _load(self) -> None:
        generation = await self._rows.live()
        if generation is None:
            self._live = None
            return
        articles = {row.article_id: row for row in await self._rows.articles(generation.generation_id)}
        passages = await self._rows.passages(generation.generation_id)
        languages = {row.language for row in articles.values()}
        reading = by_language(self._embedder, languages) if self._embedder is not None else None
        vectors = None
        if reading is not None and generation.embedder == reading.name:
            vectors = await asyncio.to_thread(self._open_vectors, generation)
        if vectors is not None:
            with_text = len({row.article_id for row in passages})
            usable = await asyncio.to_thread(_usable, vectors, len(passages), len(articles), with_text)
            size = reading.dimensions if reading is not None else 0
            held = vectors.passages.dimensions
            if not usable or (size and held and size != held):
                vectors = None
        if vectors is None and self._embedder is not None:
            logger.warning("the base has no whole vectors of this model: search is by words alone until rebuilt")
        live = await asyncio.to_thread(
            Live.arranged, generation, articles, passages, reading, vectors, cache_dir=self._cache_dir
        )
        questions = await self._questions(live) if vectors is not None else None
        if questions is not None and questions.enough:
            name = questions_name(self._workspace_id, generation.generation_id, questions.key)
            live = replace(live, known=await questions.open(self._vectors, name))
        self._live = live

    def _open_vectors(self, generation: Generation) -> Collections | None:
        of = (self._workspace_id, generation.generation_id)
        try:
            passages, titles, articles = (
                self._vectors.open(name) for name in (passages_name(*of), titles_name(*of), articles_name(*of))
            )
        except KnowledgeError:
            logger.exception("the vectors can't be read")
            return None
        if passages is None or titles is None or articles is None:
            return None
        return Collections(passages, titles, articles)

    async def _clean_up_if_possible(self) -> None:
        try:
            await self._clean_up()
        except KnowledgeError:
            logger.warning("the vector index can't be reached: what an interruption left in it is dropped later")

    async def _clean_up(self) -> None:
        """Drop retired generations and what an interruption left; the live one is never among them."""
        for generation_id in await self._rows.leftovers():
            await self._rows.drop(generation_id)
        live = await self._rows.live()
        names = (passages_name, titles_name, articles_name)
        keep = {name(self._workspace_id, live.generation_id) for name in names} if live else set()
        if self._live is not None and (questions := await self._questions(self._live)) is not None:
            keep.add(questions_name(self._workspace_id, self._live.generation.generation_id, questions.key))
        ours = (
            *(name(self._workspace_id, "") for name in names),
            questions_name(self._workspace_id, "", "").rstrip("-"),
        )
        for name in await asyncio.to_thread(self._vectors.names):
            if name.startswith(ours) and name not in keep:
                await asyncio.to_thread(self._vectors.drop, name)


def _usable(vectors: Collections, passages: int, titles: int, articles: int) -> bool:
    """Whether the vectors are whole and can be read; those that fit are in memory then."""
    if not vectors.whole(passages, titles, articles):
        return False
    try:
        vectors.hold()
    except KnowledgeError:
        logger.exception("the vectors can't be read: to be rebuilt")
        return False
    return True
