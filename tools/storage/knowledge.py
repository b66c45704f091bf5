"""The knowledge base's texts: generations of articles and passages, of which one is live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update

from tools.storage.database import Database
from tools.storage.schema import kb_articles, kb_generations, kb_passages, kb_questions, kb_refusals

_ROWS_PER_INSERT = 400
_SOURCE_CHARS = 500


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """A stored article. `published_on` is an ISO date; `from_tickets` are ids of tickets that it was written from."""

    article_id: str
    title: str
    url: str | None
    area: str | None
    plans: tuple[str, ...]
    language: str
    owner: str | None
    last_reviewed: str | None
    content_hash: str
    body: str
    source_path: str
    published_on: str | None = None
    from_tickets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A stored passage."""

    passage_id: str
    article_id: str
    section: str
    position: int
    text: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question that an article is known to answer."""

    question_id: str
    article_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A whole knowledge base as of one ingest. `embedder` is None when it has no vectors."""

    generation_id: str
    created_at: datetime
    articles: int
    passages: int
    embedder: str | None


class KnowledgeRows:
    """One workspace's generations."""

    def __init__(self, db: Database, workspace_id: str) -> None:
        self._db = db
        self._workspace_id = workspace_id

    async def live(self) -> Generation | None:
        """Return the generation that answers now, or None before the first ingest."""
        query = select(kb_generations).where(
            kb_generations.c.workspace_id == self._workspace_id, kb_generations.c.status == "live"
        )
        async with self._db.reading() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        return Generation(row.generation_id, row.created_at, row.articles, row.passages, row.embedder)

    async def articles(self, generation_id: str) -> list[ArticleRow]:
        """Return a generation's articles by id."""
        query = (
            select(kb_articles)
            .where(kb_articles.c.workspace_id == self._workspace_id, kb_articles.c.generation_id == generation_id)
            .order_by(kb_articles.c.article_id)
        )
        async with self._db.reading() as conn:
            return [
                ArticleRow(
                    article_id=row.article_id,
                    title=row.title,
                    url=row.url,
                    area=row.area,
                    plans=tuple(row.plans),
                    language=row.language,
                    owner=row.owner,
                    last_reviewed=row.last_reviewed,
                    content_hash=row.content_hash,
                    body=row.body,
                    source_path=row.source_path,
                    published_on=row.published_on,
                    from_tickets=tuple(row.from_tickets),
                )
                for row in await conn.execute(query)
            ]

    async def passages(self, generation_id: str) -> list[PassageRow]:
        """Return a generation's passages, by article and position."""
        query = (
            select(kb_passages)
            .where(kb_passages.c.workspace_id == self._workspace_id, kb_passages.c.generation_id == generation_id)
            .order_by(kb_passages.c.article_id, kb_passages.c.position)
        )
        async with self._db.reading() as conn:
            return [
                PassageRow(row.passage_id, row.article_id, row.section, row.position, row.text, row.content_hash)
                for row in await conn.execute(query)
            ]

    async def questions(self, generation_id: str) -> list[QuestionRow]:
        """Return a generation's known questions by id."""
        query = (
            select(kb_questions)
            .where(kb_questions.c.workspace_id == self._workspace_id, kb_questions.c.generation_id == generation_id)
            .order_by(kb_questions.c.question_id)
        )
        async with self._db.reading() as conn:
            return [QuestionRow(row.question_id, row.article_id, row.text) for row in await conn.execute(query)]

    async def build(
        self,
        generation_id: str,
        articles: Sequence[ArticleRow],
        passages: Sequence[PassageRow],
        questions: Sequence[QuestionRow],
        refused: Sequence[tuple[str, str]],
        *,
        embedder: str | None,
    ) -> None:
        """Store a generation that doesn't answer yet."""
        key = {"workspace_id": self._workspace_id, "generation_id": generation_id}
        async with self._db.transaction(lengthy=True) as conn:
            await conn.execute(
                insert(kb_generations).values(
                    **key,
                    created_at=datetime.now(UTC),
                    status="building",
                    articles=len(articles),
                    passages=len(passages),
                    embedder=embedder,
                )
            )
        article_rows = [
            {**key, **{name: getattr(row, name) for name in ArticleRow.__slots__}, **_lists(row)} for row in articles
        ]
        passage_rows = [{**key, **{name: getattr(row, name) for name in PassageRow.__slots__}} for row in passages]
        question_rows = [{**key, **{name: getattr(row, name) for name in QuestionRow.__slots__}} for row in questions]
        # PostgreSQL keeps no key that is much longer; a path may be.
        named = {source[:_SOURCE_CHARS]: reason for source, reason in refused}
        refusal_rows = [{**key, "source": source, "reason": reason} for source, reason in named.items()]
        for table, rows in (
            (kb_articles, article_rows),
            (kb_passages, passage_rows),
            (kb_questions, question_rows),
            (kb_refusals, refusal_rows),
        ):
            # Short transactions: turns write to the same database meanwhile.
            for start in range(0, len(rows), _ROWS_PER_INSERT):
                async with self._db.transaction(lengthy=True) as conn:
                    await conn.execute(insert(table), rows[start : start + _ROWS_PER_INSERT])

    async def swap(self, generation_id: str) -> None:
        """Make a built generation the live one, and the live one retired, in one transaction."""
        mine = kb_generations.c.workspace_id == self._workspace_id
        async with self._db.transaction(lengthy=True) as conn:
            await conn.execute(
                update(kb_generations).where(mine, kb_generations.c.status == "live").values(status="retired")
            )
            await conn.execute(
                update(kb_generations)
                .where(mine, kb_generations.c.generation_id == generation_id)
                .values(status="live")
            )

    async def set_embedder(self, generation_id: str, embedder: str | None) -> None:
        """Say which model a generation's vectors are of; None when it has none."""
        async with self._db.transaction(lengthy=True) as conn:
            await conn.execute(
                update(kb_generations)
                .where(
                    kb_generations.c.workspace_id == self._workspace_id,
                    kb_generations.c.generation_id == generation_id,
                )
                .values(embedder=embedder)
            )

    async def leftovers(self) -> list[str]:
        """Return generations that don't answer: retired ones, and what an interrupted ingest left."""
        query = select(kb_generations.c.generation_id).where(
            kb_generations.c.workspace_id == self._workspace_id, kb_generations.c.status != "live"
        )
        async with self._db.reading() as conn:
            return list((await conn.execute(query)).scalars())

    async def drop(self, generation_id: str) -> None:
        """Delete a generation that isn't live."""
        async with self._db.transaction(lengthy=True) as conn:
            for table in (kb_passages, kb_articles, kb_questions, kb_refusals, kb_generations):
                await conn.execute(
                    delete(table).where(
                        table.c.workspace_id == self._workspace_id, table.c.generation_id == generation_id
                    )
                )


def _lists(row: ArticleRow) -> dict[str, list[str]]:
    """Its tuples as JSON has them."""
    return {"plans": list(row.plans), "from_tickets": list(row.from_tickets)}
