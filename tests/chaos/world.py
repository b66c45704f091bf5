"""The installation under attack: one server on SQLite, or two on one PostgreSQL."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx

from graphs.running import find_running
from tests.chaos import processes
from tests.chaos.disk import SmallDisk, limit_files, unlimit_files
from tests.chaos.endpoint import Endpoint
from tests.chaos.plan import Database
from tests.chaos.postgres import Postgres
from tests.chaos.receiver import Receiver
from tests.installed import EXAMPLE, copy_of
from tests.loopback import NO_TLS
from tests.serving import START_S
from tools.storage.hooks import KINDS

# Everybody comes from one address here.
_LIMITS = {
    "HELPGRAPH_MESSAGES_PER_MINUTE": "100000",
    "HELPGRAPH_SESSIONS_PER_MINUTE": "100000",
    "HELPGRAPH_STREAMS_PER_ADDRESS": "10000",
    "HELPGRAPH_STREAMS_PER_OWNER": "100",
    "HELPGRAPH_WEBHOOK_SECRET": "the master secret of a chaotic installation",
}


class World:
    """Servers that can be killed and come back. `start` before use, `close` after.

    Around `steady` ones nothing fails by itself: no model's endpoint, no receiver of webhooks.
    """

    def __init__(
        self, database: Database, folder: Path, installed: Path, *, small_disk: bool = False, steady: bool = False
    ) -> None:
        self.database = database
        self.servers: list[processes.Server | None] = []
        self.endpoint = Endpoint(steady=steady)
        self.receiver = Receiver(steady=steady)
        self.postgres = Postgres() if database == "postgres" else None
        self._disk = SmallDisk(folder / "disk") if small_disk else None
        where = self._disk.folder if self._disk is not None else folder
        self._folders = [copy_of(installed, where / f"server-{n}") for n in range(2 if self.postgres else 1)]
        self._turn = count()
        self._model = False
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

    async def start(self, *, model: bool = False) -> None:
        """Start every server, one after the other: the first fills the database."""
        await self.endpoint.__aenter__()
        await self.receiver.__aenter__()
        self._model = model
        for n in range(len(self._folders)):
            self.servers.append(None)
            await self.restart(n)
        self.receiver.secret = await self._subscribe()

    async def _subscribe(self) -> str:
        """Have the receiver told of everything, as an operator's command does; the secret of its signatures."""
        server = find_running(self._folders[0])
        assert server is not None
        body: dict[str, object] = {"do": "add", "name": "team", "url": self.receiver.url, "kinds": list(KINDS)}
        said = [line async for line in server.stream("/v1/admin/acts/webhooks", body)]
        return str(said[-1]["report"]["secret"])

    async def use_model(self, model: bool) -> None:
        """Have every server ask the model's endpoint, or none, from a start anew on if need be."""
        if model != self._model:
            self._model = model
            for n in range(len(self.servers)):
                await self.terminate(n)
            await asyncio.gather(*(self.restart(n) for n in range(len(self.servers))))

    def _launch(self, n: int) -> processes.Server:
        model = self.endpoint.environment if self._model else {}
        return processes.launch(self._folders[n], "--workspace", str(EXAMPLE), **self._env, **model)

    def address(self) -> str:
        """The address of a server that isn't known to be dead, each in turn."""
        alive = [server for server in self.servers if server is not None]
        # A port that nobody listens on: the client is refused, and asks again.
        return alive[next(self._turn) % len(alive)].url if alive else "http://127.0.0.1:9"

    def kill(self, n: int) -> None:
        """Kill a server; clients know soon enough."""
        server = self.servers[n]
        if server is not None:
            server.kill()
            self.servers[n] = None

    async def kill_in_its_start(self, n: int, after_s: float) -> None:
        """Start a server that was killed and kill it so much later, ready or not."""
        server = self._launch(n)
        await asyncio.sleep(after_s)
        if server.process.is_alive():
            server.kill()

    async def terminate(self, n: int) -> None:
        """Stop a server as an operator does."""
        server = self.servers[n]
        if server is not None:
            await server.terminate()
            self.servers[n] = None

    async def restart(self, n: int) -> None:
        """Start a server that was killed or stopped, on its folder; again if its database was away, as a service is."""
        deadline = time.monotonic() + START_S
        while self.servers[n] is None:
            server = self._launch(n)
            try:
                await server.ready()
                self.servers[n] = server
            except processes.Died:
                if time.monotonic() > deadline or self.postgres is None:
                    raise
            except BaseException:
                server.process.kill()
                raise

    def fill_disk(self) -> None:
        """Let no server write to a file any more."""
        if self._disk is not None:
            self._disk.fill()
            return
        for server in self.servers:
            if server is not None:
                limit_files(server.pid)

    def free_disk(self) -> None:
        """Let every server write again."""
        if self._disk is not None:
            self._disk.free()
            return
        for server in self.servers:
            if server is not None:
                unlimit_files(server.pid)

    async def close_bugs(self) -> None:
        """Mark every bug as fixed, so that the next report of one opens a new ticket."""
        async with httpx.AsyncClient(base_url=self.address(), trust_env=False, verify=NO_TLS, timeout=30) as client:
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
            # Whoever was interrupted while it killed one doesn't know that it is dead.
            with suppress(ProcessLookupError):
                self.kill(n)
        await self.endpoint.__aexit__()
        await self.receiver.__aexit__()
        if self.postgres is not None:
            await asyncio.to_thread(self.postgres.close)
        if self._disk is not None:
            self._disk.close()
