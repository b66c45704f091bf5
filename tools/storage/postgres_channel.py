"""Wakeups between processes over PostgreSQL's LISTEN/NOTIFY."""

from collections.abc import AsyncGenerator

import psycopg
from psycopg import AsyncConnection, Notify

from agent.errors import ConnectorError

_CHANNEL = "helpgraph"


class PostgresChannel:
    """Two connections of its own: one listens, one sends. Both reconnect when next used after a failure."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._sender: AsyncConnection | None = None
        self._listener: AsyncConnection | None = None
        self._notifies: AsyncGenerator[Notify] | None = None

    async def send(self, payloads: list[str]) -> None:
        """Send hints to every process that listens, this one included.

        Raises:
            ConnectorError: the server can't be reached; the hints are lost.
        """
        try:
            if self._sender is None:
                self._sender = await AsyncConnection.connect(self._conninfo, autocommit=True)
            await self._sender.execute(
                "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", (_CHANNEL, payloads)
            )
        except psycopg.Error as exc:
            await self._drop_sender()
            raise ConnectorError("wakeups can't be sent", retryable=True) from exc

    async def receive(self) -> str:
        """Return the next hint.

        Raises:
            ConnectorError: the connection broke; hints sent meanwhile are lost.
        """
        try:
            if self._notifies is None:
                self._listener = await AsyncConnection.connect(self._conninfo, autocommit=True)
                await self._listener.execute(f"LISTEN {_CHANNEL}")
                self._notifies = self._listener.notifies()
            return (await anext(self._notifies)).payload
        except (psycopg.Error, StopAsyncIteration) as exc:
            await self._drop_listener()
            raise ConnectorError("wakeups can't be received", retryable=True) from exc

    async def close(self) -> None:
        """Close both connections."""
        await self._drop_sender()
        await self._drop_listener()

    async def _drop_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.close()

    async def _drop_listener(self) -> None:
        notifies, self._notifies = self._notifies, None
        if notifies is not None:
            await notifies.aclose()
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
