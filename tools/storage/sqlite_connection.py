"""A SQLite connection whose statement takes one trip to its thread.

aiosqlite takes one each for making a cursor, executing, fetching and closing. A turn makes some forty statements, and
the trips were most of what they cost.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite


class Connection(aiosqlite.Connection):
    """As `aiosqlite.Connection`, as far as SQLAlchemy uses it."""

    _beginning: str | None = None
    _begun = False

    def begin(self, statement: str) -> None:
        """Begin a transaction: `statement` goes with the first one in it, which raises what either has to."""
        self._beginning = statement

    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy enters it, which ours needs no trip for.
        """Make a cursor; nothing happens yet."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit what was begun, if anything was."""
        await self._end(super().commit)

    async def rollback(self) -> None:
        """Roll back what was begun, if anything was."""
        await self._end(super().rollback)

    async def run(self, work: Callable[[sqlite3.Cursor], None]) -> None:
        """Work with a cursor, in the transaction that is to begin, on the connection's thread."""
        beginning, self._beginning = self._beginning, None
        # Before it happens: who is cancelled meanwhile doesn't learn whether it did.
        self._begun = self._begun or beginning is not None
        await self._execute(_work, self._conn, beginning, work)  # type: ignore[no-untyped-call]

    async def _end(self, how: Callable[[], Awaitable[None]]) -> None:
        self._beginning = None
        if self._begun:
            await how()
            self._begun = False


class Cursor:
    """One statement at a time, and all of its rows."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement and fetch its rows."""
        await self._connection.run(partial(self._execute, operation, parameters))
        return self

    async def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute a statement once for each of `parameters`."""
        await self._connection.run(partial(self._execute_many, operation, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows that weren't fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def _execute(self, operation: str, parameters: Sequence[Any], cursor: sqlite3.Cursor) -> None:
        cursor.execute(operation, parameters)
        self._rows = cursor.fetchall()
        self._note(cursor)

    def _execute_many(self, operation: str, parameters: Iterable[Sequence[Any]], cursor: sqlite3.Cursor) -> None:
        cursor.executemany(operation, parameters)
        self._note(cursor)

    def _note(self, cursor: sqlite3.Cursor) -> None:
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid


def connect(path: str) -> Connection:
    """A connection, to be awaited, that leaves the beginning of transactions to its user."""
    connection = Connection(partial(sqlite3.connect, Path(path), isolation_level=None), iter_chunk_size=64)
    # Somebody who forgets to close it mustn't keep the process from ending.
    connection._thread.daemon = True
    return connection


def _work(connection: sqlite3.Connection, beginning: str | None, work: Callable[[sqlite3.Cursor], None]) -> None:
    cursor = connection.cursor()
    try:
        if beginning is not None:
            cursor.execute(beginning)
        work(cursor)
    finally:
        cursor.close()
