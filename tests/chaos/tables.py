"""The database as plain rows, read with nothing of the product: `sqlite3` or `psycopg`, and SQL written here."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.chaos.transcript import Told

Row = dict[str, Any]

_BY_CONVERSATION = ("events", "turns", "client_messages", "handoffs", "desk_replies", "deliveries")
_WHOLE = ("bugs", "bug_counters", "bug_filings", "bug_occurrences")
_JSON = {"event", "handoff", "identity", "body"}
_ORDER = {"events": "conversation_id, seq", "turns": "conversation_id, first_seq"}


@dataclass
class Tables:
    """Rows of some conversations, and all bugs. `now` is the database's clock, `open_threads` have checkpoints.

    `damage` is what SQLite finds wrong with the file. `told` is what the team's own system was told, None when it isn't
    listened to, and `forged` counts requests to it that nobody of ours signed.
    """

    conversations: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    turns: list[Row] = field(default_factory=list)
    client_messages: list[Row] = field(default_factory=list)
    handoffs: list[Row] = field(default_factory=list)
    desk_replies: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    bugs: list[Row] = field(default_factory=list)
    bug_counters: list[Row] = field(default_factory=list)
    bug_filings: list[Row] = field(default_factory=list)
    bug_occurrences: list[Row] = field(default_factory=list)
    told: list[Told] | None = None
    forged: int = 0
    open_threads: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    now: float = 0.0


def read_tables(where: str, checkpoints: str, conversation_ids: Sequence[str] | None = None) -> Tables:
    """Read what is kept of these conversations, or of all; `where` is a SQLite file or PostgreSQL's URL."""
    tables = Tables()
    mine = None if conversation_ids is None else set(conversation_ids)
    if where.startswith("postgres"):
        with psycopg.connect(where, row_factory=dict_row) as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _fill(tables, lambda sql: conn.execute(sql.encode()).fetchall(), mine)
            tables.now = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8 AS now").fetchall()[0][
                "now"
            ]
            tables.open_threads = [
                row["thread_id"] for row in conn.execute("SELECT DISTINCT thread_id FROM checkpoints").fetchall()
            ]
        return tables
    with closing(_open(where)) as file:
        file.execute("BEGIN")
        _fill(tables, lambda sql: [dict(row) for row in file.execute(sql)], mine)
        tables.damage = [row[0] for row in file.execute("PRAGMA quick_check") if row[0] != "ok"]
        tables.now = file.execute("SELECT (julianday('now') - 2440587.5) * 86400.0").fetchone()[0]
    if Path(checkpoints).exists():
        with closing(_open(checkpoints)) as file:
            tables.open_threads = [row[0] for row in file.execute("SELECT DISTINCT thread_id FROM checkpoints")]
    return tables


def _open(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    file.row_factory = sqlite3.Row
    return file


def _fill(tables: Tables, query: Any, mine: set[str] | None) -> None:
    listed = "" if mine is None else "(" + ", ".join(f"'{_plain(name)}'" for name in sorted(mine) or [""]) + ")"
    chosen = f" WHERE conversation_id IN {listed}" if mine is not None else ""
    for name in ("conversations", *_BY_CONVERSATION):
        order = f" ORDER BY {_ORDER[name]}" if name in _ORDER else ""
        setattr(tables, name, _parsed(query(f"SELECT * FROM {name}{chosen}{order}")))  # noqa: S608  # Own names.
    for name in _WHOLE:
        setattr(tables, name, _parsed(query(f"SELECT * FROM {name}")))  # noqa: S608  # Own names.


def _plain(name: str) -> str:
    assert name.isalnum() or name == "", name
    return name


def _parsed(rows: Iterable[Row]) -> list[Row]:
    return [
        {name: json.loads(value) if name in _JSON and isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]
