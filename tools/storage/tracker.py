"""The built-in bug tracker: one bug per bug, counted by conversations."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, Select, func, insert, or_, select, update

from agent.errors import ConnectorError, LeaseLost, NotFound
from agent.ports import BugReport, Embedder
from agent.types import BugDraft, BugTicket
from agent.wire import to_json
from tools.storage import tracker_views
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.schema import bug_counters, bug_filings, bug_occurrences, bugs, conversations
from tools.storage.scope import Scope
from tools.storage.word_overlap import Worded

logger = logging.getLogger(__name__)

BugStatus = Literal["open", "fixed", "dismissed"]
_GIST_CHARS = 2_000
_SAID_CHARS = 8000
SAME_WORDS = 0.35
"""From this overlap of words on, two reports without vectors are the same bug."""
# What a customer adds to a bug they have reported reads differently from the first report of it.
_OWN_BUG_EASE = 0.75


@dataclass(frozen=True, slots=True)
class _Match:
    bug_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class _Gist:
    """What a report is compared by. `vector` is None when there is no embedder, or it failed."""

    text: str
    vector: NDArray[np.float32] | None


class BuiltInTracker:
    """Implements `agent.ports.TicketTracker` over our own tables.

    Two reports are the same bug when their vectors' cosine reaches `same_bug_similarity`; without vectors, when
    their words overlap by `same_words_similarity` (see `word_overlap`). With `logged_only` only conversations report
    that are in the log: nothing of one that is erased comes back.
    """

    def __init__(
        self,
        db: Database,
        embedder: Embedder | None,
        *,
        same_bug_similarity: float = 0.62,
        same_words_similarity: float = SAME_WORDS,
        logged_only: bool = False,
    ) -> None:
        self._db = db
        self._embedder = embedder
        self._same_bug = same_bug_similarity
        self._same_words = same_words_similarity
        self._logged_only = logged_only

    async def find_same(self, report: BugReport) -> BugTicket | None:
        """Return the open bug that this report is about, or None.

        Raises:
            DatabaseAway: the database can't be read.
        """
        if not await self._any_open(report.workspace_id):
            return None
        gist = await self._gist(report.workspace_id, report.draft)
        async with self._db.reading() as conn:
            match = await self._best_match(conn, report, gist)
            if match is None:
                return None
            return await _ticket(conn, report.workspace_id, match.bug_id, False, match.similarity)

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        """Whether a report was filed under this key.

        Raises:
            DatabaseAway: the database can't be reached.
        """
        async with self._db.reading() as conn:
            return await _filed(conn, workspace_id, effect_key) is not None

    async def file(self, report: BugReport) -> BugTicket:
        """Count the report on the same open bug, else open one; once per `effect_key`, in one transaction.

        A conversation counts once per bug; its later reports add to what it said, and give details that it hadn't.

        Raises:
            DatabaseAway: the database can't be written, or nobody knows whether it was. It is the log's own, so there
                is no going on without it either.
            LeaseLost: the conversation was erased meanwhile.
        """
        gist = await self._gist(report.workspace_id, report.draft)
        # It reads all open bugs.
        async with self._db.transaction(lengthy=True) as conn:
            # Before the line of filings, as erasing does: each would wait for the other.
            if self._logged_only and not await _logged(conn, report):
                raise LeaseLost(f"conversation {report.conversation_id!r} is erased")
            number = await self._lock(conn, report.workspace_id)
            earlier = await _filed(conn, report.workspace_id, report.effect_key)
            if earlier is not None:
                return await _ticket(conn, report.workspace_id, earlier.bug_id, earlier.is_new, earlier.similarity)
            match = await self._best_match(conn, report, gist)
            if match is None:
                bug_id = await self._open_bug(conn, report, gist, number + 1)
            else:
                bug_id = match.bug_id
                await _seen_again(conn, report, bug_id)
            await self._count(conn, report, bug_id)
            similarity = match.similarity if match else None
            await conn.execute(
                insert(bug_filings).values(
                    workspace_id=report.workspace_id,
                    effect_key=report.effect_key,
                    bug_id=bug_id,
                    is_new=match is None,
                    similarity=similarity,
                    at=report.reported_at,
                )
            )
            ticket = await _ticket(conn, report.workspace_id, bug_id, match is None, similarity)
        logger.info("bug filed bug_id=%s new=%s occurrences=%d", bug_id, ticket.is_new, ticket.occurrences)
        return ticket

    async def bugs(self, scope: Scope, *, limit: int = 500) -> list[dict[str, Any]]:
        """Return the workspace's bugs, the most reported first; see `tracker_views`. For people on the team."""
        scope.require_staff()
        async with self._db.reading() as conn:
            return await tracker_views.bugs_of(conn, scope.workspace_id, limit=limit)

    async def bug(self, scope: Scope, bug_id: str) -> dict[str, Any]:
        """Return one bug with its draft and all reports; see `tracker_views`.

        Raises:
            NotFound: no such bug in the workspace, or the scope isn't the team's.
        """
        scope.require_staff()
        async with self._db.reading() as conn:
            return await tracker_views.bug(conn, scope.workspace_id, bug_id)

    async def set_status(self, scope: Scope, bug_id: str, status: BugStatus) -> None:
        """Open or close a bug. A closed one isn't found any more: the next report of it opens a new bug.

        Raises:
            NotFound: no such bug in the workspace, or the scope isn't the team's.
        """
        scope.require_staff()
        statement = (
            update(bugs)
            .where(bugs.c.workspace_id == scope.workspace_id, bugs.c.bug_id == bug_id)
            .values(status=status)
            .returning(bugs.c.bug_id)
        )
        async with self._db.transaction() as conn:
            if (await conn.execute(statement)).one_or_none() is None:
                raise NotFound("no such bug")

    async def _any_open(self, workspace_id: str) -> bool:
        query = select(bugs.c.bug_id).where(*_comparable(workspace_id)).limit(1)
        async with self._db.reading() as conn:
            return (await conn.execute(query)).first() is not None

    async def _gist(self, workspace_id: str, draft: BugDraft) -> _Gist:
        """Embed the report, and first whatever bugs another embedder (or none) left without a usable vector."""
        text = gist_of(draft)
        if self._embedder is None:
            return _Gist(text, None)
        try:
            vector = (await self._embedder.embed([text]))[0].astype(np.float32)
            await self._renew_vectors(workspace_id, self._embedder, size=vector.nbytes)
            return _Gist(text, vector)
        except ConnectorError as exc:
            # A report isn't lost because a model is down: words decide, and the vector is made later.
            logger.warning("embedder failed, comparing words error=%s", type(exc).__name__)
            return _Gist(text, None)

    async def _renew_vectors(self, workspace_id: str, embedder: Embedder, *, size: int) -> None:
        """`size` is that of a vector in bytes: an endpoint may have another model under the name it had before."""
        query = select(bugs.c.bug_id, bugs.c.gist).where(
            *_comparable(workspace_id),
            or_(bugs.c.embedder.is_distinct_from(embedder.name), func.length(bugs.c.vector) != size),
        )
        async with self._db.reading() as conn:
            old = (await conn.execute(query)).all()
        if not old:
            return
        vectors = await embedder.embed([row.gist for row in old])
        async with self._db.transaction() as conn:
            for row, vector in zip(old, vectors, strict=True):
                await conn.execute(
                    update(bugs)
                    .where(bugs.c.workspace_id == workspace_id, bugs.c.bug_id == row.bug_id)
                    .values(embedder=embedder.name, vector=vector.astype(np.float32).tobytes())
                )
        logger.info("bug vectors renewed count=%d", len(old))

    async def _best_match(self, conn: Connection, report: BugReport, gist: _Gist) -> _Match | None:
        own = await _reported_by(conn, report)
        query: Select[Any] = (
            select(bugs.c.bug_id, bugs.c.gist, bugs.c.embedder, bugs.c.vector)
            .where(*_comparable(report.workspace_id))
            .order_by(bugs.c.first_seen, bugs.c.bug_id)
        )
        known = (await conn.execute(query)).all()
        # Thousands may be open, and streams go on meanwhile.
        return None if not known else await asyncio.to_thread(self._nearest, known, own, gist)

    def _nearest(self, known: Sequence[Row[Any]], own: set[str], gist: _Gist) -> _Match | None:
        cosines: dict[str, float] = {}
        ours = [row for row in known if self._comparable_by_vector(row, gist)]
        if gist.vector is not None and ours:
            matrix = np.frombuffer(b"".join(row.vector for row in ours), dtype=np.float32).reshape(len(ours), -1)
            cosines = dict(zip((row.bug_id for row in ours), (matrix @ gist.vector).tolist(), strict=True))
        worded = Worded.of(gist.text)
        best: tuple[float, _Match] | None = None
        for row in known:
            if row.bug_id in cosines:
                similarity, threshold = cosines[row.bug_id], self._same_bug
            else:
                similarity, threshold = worded.overlap(row.gist), self._same_words
            if row.bug_id in own:
                threshold *= _OWN_BUG_EASE
            # The two scales differ, so bugs compete by how far they are past their own threshold.
            excess = (similarity - threshold) / (1 - threshold)
            if excess >= 0 and (best is None or excess > best[0]):
                best = (excess, _Match(row.bug_id, round(similarity, 4)))
        return best[1] if best else None

    def _comparable_by_vector(self, row: Row[Any], gist: _Gist) -> bool:
        if gist.vector is None or self._embedder is None or row.embedder != self._embedder.name:
            return False
        return len(row.vector) == gist.vector.nbytes

    async def _lock(self, conn: Connection, workspace_id: str) -> int:
        """Put filings of a workspace in a line and return the last bug's number."""
        await conn.execute(
            self._db.insert(bug_counters)
            .values(workspace_id=workspace_id, last_number=0)
            .on_conflict_do_nothing(index_elements=["workspace_id"])
        )
        locked = await conn.execute(
            select(bug_counters.c.last_number).where(bug_counters.c.workspace_id == workspace_id).with_for_update()
        )
        return int(locked.scalar_one())

    async def _open_bug(self, conn: Connection, report: BugReport, gist: _Gist, number: int) -> str:
        bug_id = f"BUG-{number}"
        await conn.execute(
            update(bug_counters).where(bug_counters.c.workspace_id == report.workspace_id).values(last_number=number)
        )
        draft = report.draft
        await conn.execute(
            insert(bugs).values(
                workspace_id=report.workspace_id,
                bug_id=bug_id,
                title=draft.title,
                status="open",
                severity=draft.severity,
                feature=draft.feature,
                page=draft.page,
                draft=to_json(draft),
                gist=gist.text,
                embedder=self._embedder.name if self._embedder and gist.vector is not None else None,
                vector=gist.vector.tobytes() if gist.vector is not None else None,
                first_seen=report.reported_at,
                last_seen=report.reported_at,
            )
        )
        return bug_id

    async def _count(self, conn: Connection, report: BugReport, bug_id: str) -> None:
        earlier = (
            await conn.execute(
                select(bug_occurrences.c.said, bug_occurrences.c.draft).where(
                    bug_occurrences.c.workspace_id == report.workspace_id,
                    bug_occurrences.c.bug_id == bug_id,
                    bug_occurrences.c.conversation_id == report.conversation_id,
                )
            )
        ).one_or_none()
        said, draft = report.said.render_plain(), to_json(report.draft)
        if earlier is not None:
            said = _together(earlier.said, said)
            draft = tracker_views.filled(earlier.draft, draft)
        context = {
            "account_id": report.account_id,
            "account_tier": report.account_tier,
            "said": said,
            "draft": draft,
            "at": report.reported_at,
        }
        await conn.execute(
            self._db.insert(bug_occurrences)
            .values(
                workspace_id=report.workspace_id,
                bug_id=bug_id,
                conversation_id=report.conversation_id,
                first_at=report.reported_at,
                **context,
            )
            .on_conflict_do_update(index_elements=["workspace_id", "bug_id", "conversation_id"], set_=context)
        )


def gist_of(draft: BugDraft) -> str:
    """Return the text that two reports are compared by: what it is called, what happens, what one was doing."""
    parts = (part.strip() for part in (draft.title, draft.actual, draft.doing))
    return "\n".join(dict.fromkeys(part for part in parts if part))[:_GIST_CHARS]


def _together(earlier: str, said: str) -> str:
    """What a conversation said of a bug, its newest words at the end; the oldest are left out when it gets long."""
    return earlier if said in earlier else f"{earlier}\n{said}".strip()[-_SAID_CHARS:]


def _comparable(workspace_id: str) -> tuple[Any, ...]:
    """The bugs that a report may be the same as: open, and not erased."""
    return bugs.c.workspace_id == workspace_id, bugs.c.status == "open", bugs.c.gist != ""


async def hold_filings(conn: Connection, workspace_id: str) -> None:
    """Let no report be filed in a workspace until the transaction ends."""
    await conn.execute(
        select(bug_counters.c.last_number).where(bug_counters.c.workspace_id == workspace_id).with_for_update()
    )


async def _logged(conn: Connection, report: BugReport) -> bool:
    """Whether the report's conversation is there, and stays so until the transaction ends."""
    found = await conn.execute(
        select(conversations.c.conversation_id)
        .where(
            conversations.c.workspace_id == report.workspace_id,
            conversations.c.conversation_id == report.conversation_id,
        )
        .with_for_update(read=True, key_share=True)
    )
    return found.first() is not None


async def _filed(conn: Connection, workspace_id: str, effect_key: str) -> Row[Any] | None:
    found = await conn.execute(
        select(bug_filings).where(bug_filings.c.workspace_id == workspace_id, bug_filings.c.effect_key == effect_key)
    )
    return found.one_or_none()


async def _reported_by(conn: Connection, report: BugReport) -> set[str]:
    found = await conn.execute(
        select(bug_occurrences.c.bug_id).where(
            bug_occurrences.c.workspace_id == report.workspace_id,
            bug_occurrences.c.conversation_id == report.conversation_id,
        )
    )
    return set(found.scalars())


async def _seen_again(conn: Connection, report: BugReport, bug_id: str) -> None:
    await conn.execute(
        update(bugs)
        .where(
            bugs.c.workspace_id == report.workspace_id,
            bugs.c.bug_id == bug_id,
            bugs.c.last_seen < report.reported_at,
        )
        .values(last_seen=report.reported_at)
    )


async def _ticket(
    conn: Connection, workspace_id: str, bug_id: str, is_new: bool, similarity: float | None
) -> BugTicket:
    found = await tracker_views.counted(conn, workspace_id, bug_id)
    return BugTicket(bug_id, found.title, found.occurrences, is_new, found.status, similarity)
