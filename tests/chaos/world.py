"""The installation under attack: one server on SQLite, or two on one PostgreSQL."""

import asyncio
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import httpx

from tests.chaos import processes
from tests.chaos.plan import Database
from tests.chaos.postgres import Postgres
from tests.installed import EXAMPLE, copy_of

# Everybody comes from one address here.
_LIMITS = {
    "HELPGRAPH_MESSAGES_PER_MINUTE": "100000",
    "HELPGRAPH_SESSIONS_PER_MINUTE": "100000",
    "HELPGRAPH_STREAMS_PER_ADDRESS": "10000",
    "HELPGRAPH_STREAMS_PER_OWNER": "100",
}
_STILL_S = 40.0


class World:
    """Servers that can be killed and come back. `start` before use, `close` after."""

    def __init__(self, database: Database, folder: Path, installed: Path) -> None:
        self.database = database
        self.servers: list[processes.Server | None] = []
        self.postgres = Postgres() if database == "postgres" else None
        self._folders = [copy_of(installed, folder / f"server-{n}") for n in range(2 if self.postgres else 1)]
        self._turn = count()
        self._env = dict(_LIMITS)
        if self.postgres is not None:
            self._env["HELPGRAPH_DATABASE_URL"] = self.postgres.url

    @property
    def where(self) -> str:
        """Where the checker finds the log: a file, or the URL of a PostgreSQL database."""
        return self.postgres.url if self.postgres is not None else str(self._folders[0] / "helpgraph.db")

    @property
    def checkpoints(self) -> str:
        """Where the checkpoints are."""
        return self.postgres.url if self.postgres is not None else str(self._folders[0] / "checkpoints.db")

    async def start(self) -> None:
        """Start every server, one after the other: the first fills the database."""
        for folder in self._folders:
            self.servers.append(await self._started(folder))

    async def _started(self, folder: Path) -> processes.Server:
        return await processes.start(folder, "--workspace", str(EXAMPLE), **self._env)

    def address(self) -> str:
        """The address of a server that isn't known to be dead, each in turn."""
        alive = [server for server in self.servers if server is not None]
        # A port that nobody listens on: the client is refused, and asks again.
        return alive[next(self._turn) % len(alive)].url if alive else "http://127.0.0.1:9"

    def kill(self, n: int) -> None:
        """Kill a server; clients know soon enough."""
        server = self.servers[n % len(self.servers)]
        if server is not None:
            server.kill()
            self.servers[n % len(self.servers)] = None

    async def terminate(self, n: int) -> None:
        """Stop a server as an operator does."""
        server = self.servers[n % len(self.servers)]
        if server is not None:
            await server.terminate()
            self.servers[n % len(self.servers)] = None

    async def restart(self, n: int) -> None:
        """Start a server that was killed or stopped, on its folder."""
        n %= len(self.servers)
        if self.servers[n] is None:
            self.servers[n] = await self._started(self._folders[n])

    async def close_bugs(self) -> None:
        """Mark every bug as fixed, so that the next report of one opens a new ticket."""
        async with httpx.AsyncClient(base_url=self.address(), trust_env=False, timeout=30) as client:
            answer = await client.get("/v1/inbox/bugs")
            answer.raise_for_status()
            for bug in answer.json()["bugs"]:
                if bug["status"] == "open":
                    path = f"/v1/inbox/bugs/{bug['bug_id']}/status"
                    (await client.post(path, json={"status": "fixed"})).raise_for_status()

    def said(self) -> Iterable[str]:
        """What the servers printed."""
        return [(folder / "said").read_text() for folder in self._folders]

    async def close(self) -> None:
        """Kill what runs and clean up."""
        for n in range(len(self.servers)):
            self.kill(n)
        if self.postgres is not None:
            await asyncio.to_thread(self.postgres.close)
