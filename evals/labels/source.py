"""What labelling reads: the tickets, the workspace's policy, and the articles of an installation when there is one."""

from collections.abc import Sequence
from pathlib import Path

from evals.tickets.formats import Format
from evals.tickets.jsonl import read_tickets
from evals.tickets.ticket import Ticket
from graphs.assembly import open_workspace
from graphs.settings import Settings
from tools.storage.database import Database
from tools.storage.knowledge import ArticleRow, KnowledgeRows


def tickets_of(path: Path, format_: Format | None = None) -> Sequence[Ticket]:
    """The tickets of a file, oldest first.

    Raises:
        Misconfigured: the file can't be read.
        BadTurn: it holds no ticket.
    """
    return read_tickets(path, format_=format_).tickets


async def articles_of(settings: Settings) -> list[ArticleRow]:
    """The articles of the installation that the settings name; none where nothing is installed.

    A server may be running on it meanwhile.
    """
    if settings.database_url is None and not (settings.data_dir / "helpgraph.db").exists():
        return []
    db = await Database.open(settings.database, data_dir=settings.data_dir)
    try:
        rows = KnowledgeRows(db, open_workspace(settings).workspace_id)
        live = await rows.live()
        return await rows.articles(live.generation_id) if live is not None else []
    finally:
        await db.close()
