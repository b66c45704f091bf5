"""Bugs as people see them. Counts come from the rows of reports, never from a counter."""

from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from agent.errors import NotFound
from tools.storage.connection import Connection
from tools.storage.schema import bug_occurrences, bugs


async def bugs_of(conn: Connection, workspace_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the bugs with `occurrences` (conversations) and `customers` (accounts, or conversations without one).

    Open ones come first, then by occurrences and by when they were last seen.
    """
    query = (
        _counted(workspace_id)
        .order_by((bugs.c.status != "open"), func.count().desc(), bugs.c.last_seen.desc())
        .limit(limit)
    )
    return [_row(row) for row in await conn.execute(query)]


async def bug(conn: Connection, workspace_id: str, bug_id: str) -> dict[str, Any]:
    """Return a bug with `draft` and `reports` (conversation_id, account_id, tier, said, at), newest first.

    What the draft lacks is taken from the reports, the oldest that has it. Those of customers whose data was erased are
    counted, and not among them.

    Raises:
        NotFound: no such bug in the workspace.
    """
    row = await counted(conn, workspace_id, bug_id)
    found = await conn.execute(
        select(bug_occurrences)
        .where(
            bug_occurrences.c.workspace_id == workspace_id,
            bug_occurrences.c.bug_id == bug_id,
            bug_occurrences.c.said != "",
        )
        .order_by(bug_occurrences.c.at.desc())
    )
    reports = found.all()
    draft = row.draft
    for report in sorted(reports, key=attrgetter("first_at")):
        draft = filled(draft, report.draft)
    return {
        **_row(row),
        "draft": draft,
        "reports": [
            {
                "conversation_id": report.conversation_id,
                "account_id": report.account_id,
                "tier": report.account_tier,
                "said": report.said,
                "at": report.at.isoformat(),
            }
            for report in reports
        ],
    }


def filled(draft: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a draft with the details that it lacks and another has; `missing` names what is left."""
    if not draft or not other:
        return draft
    whole = {name: value or other.get(name, value) for name, value in draft.items()}
    return {**whole, "missing": [name for name in draft.get("missing", ()) if not whole.get(name)]}


async def reported_in(conn: Connection, workspace_id: str, conversation_id: str) -> list[dict[str, Any]]:
    """Return the bugs that were reported in a conversation (bug_id, title, status), in the order they were reported."""
    found = await conn.execute(
        select(bugs.c.bug_id, bugs.c.title, bugs.c.status)
        .join(
            bug_occurrences,
            and_(
                bug_occurrences.c.workspace_id == bugs.c.workspace_id,
                bug_occurrences.c.bug_id == bugs.c.bug_id,
            ),
        )
        .where(
            bug_occurrences.c.workspace_id == workspace_id,
            bug_occurrences.c.conversation_id == conversation_id,
        )
        .order_by(bug_occurrences.c.first_at, bugs.c.bug_id)
    )
    return [{"bug_id": row.bug_id, "title": row.title, "status": row.status} for row in found]


async def counted(conn: Connection, workspace_id: str, bug_id: str) -> Row[Any]:
    """Return the bug's row with its counts.

    Raises:
        NotFound: no such bug in the workspace.
    """
    row: Row[Any] | None = (await conn.execute(_counted(workspace_id).where(bugs.c.bug_id == bug_id))).one_or_none()
    if row is None:
        raise NotFound("no such bug")
    return row


def _counted(workspace_id: str) -> Select[Any]:
    customer = func.coalesce(bug_occurrences.c.account_id, bug_occurrences.c.conversation_id)
    return (
        select(
            bugs,
            func.count().label("occurrences"),
            func.count(customer.distinct()).label("customers"),
        )
        .join(
            bug_occurrences,
            and_(
                bug_occurrences.c.workspace_id == bugs.c.workspace_id,
                bug_occurrences.c.bug_id == bugs.c.bug_id,
            ),
        )
        .where(bugs.c.workspace_id == workspace_id)
        .group_by(bugs.c.workspace_id, bugs.c.bug_id)
    )


def _row(row: Row[Any]) -> dict[str, Any]:
    return {
        "bug_id": row.bug_id,
        "title": row.title,
        "status": row.status,
        "severity": row.severity,
        "occurrences": row.occurrences,
        "customers": row.customers,
        "feature": row.feature,
        "page": row.page,
        "first_seen": row.first_seen.isoformat(),
        "last_seen": row.last_seen.isoformat(),
    }
