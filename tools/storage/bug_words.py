"""In whose words a bug is told, and telling it without them: the count of its reports stays."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, exists, or_, select, update

from agent.types import BugDraft
from agent.wire import to_json
from tools.storage.connection import Connection
from tools.storage.schema import bug_occurrences, bugs
from tools.storage.sql_functions import among
from tools.storage.tracker import gist_of, hold_filings

ERASED = "erased-"
"""What the conversation id of a report begins with once its customer's data is gone."""
BLANK_TITLE = "(erased)"
_BLANK = BugDraft(BLANK_TITLE, "", "", "", (), "", "", "", "medium")


async def told_by(
    conn: Connection, workspace_id: str, conversation_ids: Sequence[str], *, keep_open: bool = False
) -> list[Row[Any]]:
    """Return the bugs that may be told in words of these conversations; with `keep_open` only those that are closed.

    A bug that they reported is, unless the words are another report's that is still there.
    """
    reported = select(bug_occurrences.c.bug_id).where(
        bug_occurrences.c.workspace_id == workspace_id, among(bug_occurrences.c.conversation_id, conversation_ids)
    )
    found = await conn.execute(
        select(bugs).where(bugs.c.workspace_id == workspace_id, bugs.c.bug_id.in_(reported), bugs.c.gist != "")
    )
    theirs = []
    for bug in found.all():
        if not _vouched(bug, await _others(conn, bug, conversation_ids)):
            theirs.append(bug)
    return [bug for bug in theirs if not (keep_open and bug.status == "open")]


async def blank(
    conn: Connection, workspace_id: str, conversation_ids: Sequence[str], *, keep_open: bool = False
) -> int:
    """Blank the reports of these conversations, tell bugs in another report's words, and return how many bugs.

    With `keep_open` a bug that is open keeps its words; `retell_closed` takes them when it isn't any more.
    """
    await hold_filings(conn, workspace_id)
    theirs = await told_by(conn, workspace_id, conversation_ids, keep_open=keep_open)
    for bug in theirs:
        await _retell(conn, bug, without=conversation_ids)
    mine = (
        bug_occurrences.c.workspace_id == workspace_id,
        among(bug_occurrences.c.conversation_id, conversation_ids),
    )
    reports = (await conn.execute(select(bug_occurrences).where(*mine))).all()
    accounts: dict[tuple[str, str], str | None] = {}
    for report in reports:
        key = (report.bug_id, report.account_id)
        if report.account_id is not None and key not in accounts:
            accounts[key] = await _account_left(conn, report, conversation_ids)
        await conn.execute(
            update(bug_occurrences)
            .where(
                bug_occurrences.c.workspace_id == workspace_id,
                bug_occurrences.c.bug_id == report.bug_id,
                bug_occurrences.c.conversation_id == report.conversation_id,
            )
            .values(conversation_id=_nobody(), account_id=accounts.get(key), said="", draft={})
        )
    return len(theirs)


async def retell_closed(conn: Connection, workspace_id: str, *, limit: int) -> int:
    """Take from closed bugs the words that no report vouches for any more, and return from how many."""
    await hold_filings(conn, workspace_id)
    found = await conn.execute(_unvouched(workspace_id).order_by(bugs.c.bug_id).limit(limit))
    told = 0
    for bug in found.all():
        # The query compares drafts as they are written.
        if not _vouched(bug, await _others(conn, bug, ())):
            await _retell(conn, bug, without=())
            told += 1
    return told


async def any_closed_to_retell(conn: Connection, workspace_id: str) -> bool:
    """Whether `retell_closed` may have something to do."""
    return (await conn.execute(_unvouched(workspace_id).limit(1))).first() is not None


def _unvouched(workspace_id: str) -> Select[Any]:
    """Closed bugs with an erased report whose words are none of their other reports'; see `_vouched`.

    One statement, because most closed bugs are vouched for, each hour anew.
    """
    report = bug_occurrences.alias()
    of_bug = (report.c.workspace_id == bugs.c.workspace_id, report.c.bug_id == bugs.c.bug_id)
    erased = report.c.conversation_id.startswith(ERASED)
    return select(bugs).where(
        bugs.c.workspace_id == workspace_id,
        bugs.c.status != "open",
        bugs.c.gist != "",
        exists().where(*of_bug, erased),
        ~exists().where(*of_bug, ~erased, or_(report.c.draft == bugs.c.draft, report.c.first_at == bugs.c.first_seen)),
    )


async def _retell(conn: Connection, bug: Row[Any], *, without: Sequence[str]) -> None:
    """Give the bug the words of its earliest other report, or none. Its vector is made anew when it is needed."""
    others = await _others(conn, bug, without)
    told: dict[str, Any] = others[0].draft if others else to_json(_BLANK)
    draft = BugDraft(**{**told, "steps": tuple(told["steps"]), "missing": tuple(told["missing"])})
    await conn.execute(
        update(bugs)
        .where(bugs.c.workspace_id == bug.workspace_id, bugs.c.bug_id == bug.bug_id)
        .values(
            title=draft.title,
            page=draft.page,
            feature=draft.feature if others else "",
            draft=told,
            gist=gist_of(draft) if others else "",
            embedder=None,
            vector=None,
        )
    )


async def _others(conn: Connection, bug: Row[Any], without: Sequence[str]) -> list[Row[Any]]:
    """The bug's reports that still have their words, apart from those of these conversations, the earliest first."""
    found = await conn.execute(
        select(bug_occurrences)
        .where(
            bug_occurrences.c.workspace_id == bug.workspace_id,
            bug_occurrences.c.bug_id == bug.bug_id,
            ~among(bug_occurrences.c.conversation_id, without),
            ~bug_occurrences.c.conversation_id.startswith(ERASED),
        )
        .order_by(bug_occurrences.c.first_at, bug_occurrences.c.conversation_id)
    )
    return list(found.all())


def _vouched(bug: Row[Any], reports: Sequence[Row[Any]]) -> bool:
    """Whether the bug's words are one of these reports': it has the same draft, or opened the bug."""
    return any(report.draft == bug.draft or report.first_at == bug.first_seen for report in reports)


async def _account_left(conn: Connection, report: Row[Any], conversation_ids: Sequence[str]) -> str:
    """The account that stands in a blanked report: its own while somebody else of it reports the bug, else nobody's.

    One stand-in for all reports of the account, so that customers are counted as before.
    """
    another = await conn.execute(
        select(bug_occurrences.c.conversation_id)
        .where(
            bug_occurrences.c.workspace_id == report.workspace_id,
            bug_occurrences.c.bug_id == report.bug_id,
            bug_occurrences.c.account_id == report.account_id,
            ~among(bug_occurrences.c.conversation_id, conversation_ids),
        )
        .limit(1)
    )
    return str(report.account_id) if another.first() else _nobody()


def _nobody() -> str:
    return ERASED + secrets.token_hex(16)
