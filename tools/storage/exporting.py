"""Everything that the database holds about somebody."""

from typing import Any

from sqlalchemy import select

from agent.wire import JsonObject, to_json
from tools.storage import bug_words
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.personal import HOLDINGS, Subject, conversations_of, rows_of
from tools.storage.schema import bugs


async def export(db: Database, workspace_id: str, subject: Subject) -> dict[str, list[JsonObject]]:
    """Return every row about the subject by table, as JSON; all tables that hold personal text are there."""
    async with db.reading() as conn:
        ids = await conversations_of(conn, workspace_id, subject)
        found: dict[str, list[JsonObject]] = {}
        for holding in HOLDINGS:
            rows = await _bugs(conn, workspace_id, ids) if holding.table is bugs else None
            if rows is None:
                mine = rows_of(holding.table, workspace_id, ids, subject.owner_id)
                query = select(holding.table).where(mine).order_by(*holding.table.primary_key.columns)
                rows = [dict(row) for row in (await conn.execute(query)).mappings()]
            found[holding.name] = [
                {str(column): to_json(value) for column, value in row.items() if column not in holding.withheld}
                for row in rows
            ]
    return found


async def _bugs(conn: Connection, workspace_id: str, ids: list[str]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await bug_words.told_by(conn, workspace_id, ids)]
