"""Servers as real processes, which start quickly: each is forked from a process that has imported everything."""

import asyncio
import json
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from graphs.running import FILE_NAME
from tests.serving import ROOT, START_S, STOP_S

# Importing does nothing, so a fork after it is the same as a start; it saves many seconds of processor time.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.chaos.processes", "graphs.assembly", "chromadb", "tests.chaos.warm"])


@dataclass
class Server:
    """A process of `helpgraph serve` and its address."""

    process: BaseProcess
    data_dir: Path
    url: str = ""

    async def ready(self) -> None:
        """Wait until it can be asked.

        Raises:
            Died: its process ended.
        """
        self.url = await _address(self.process, self.data_dir)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process.pid is not None
        return self.process.pid

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, what)

    def kill(self) -> None:
        """Kill it and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.process.join(STOP_S)
        assert self.process.exitcode == -signal.SIGKILL, self.process.exitcode

    async def terminate(self) -> None:
        """Ask it to stop and wait until it has."""
        self.send(signal.SIGTERM)
        await asyncio.to_thread(self.process.join, STOP_S)
        assert self.process.exitcode == 0, f"exit code {self.process.exitcode}: {self.said()}"

    def said(self) -> str:
        """What it printed, and those before it on the same folder."""
        return (self.data_dir / "said").read_text()


class Died(Exception):
    """A server ended before it could be asked. Its message is what the server printed."""


def launch(data_dir: Path, *options: str, **env: str) -> Server:
    """Start a server on a free port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    arguments = ["serve", "--port", "0", "--data-dir", str(data_dir), "--log-level", "warning", *options]
    environment = {**kept, "HELPGRAPH_EMBEDDING": "off", **env}
    process = _FORKS.Process(target=_serve, args=(arguments, environment, str(data_dir / "said")), daemon=True)
    process.start()
    return Server(process, data_dir)


def _serve(arguments: list[str], environment: dict[str, str], said: str) -> None:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["helpgraph", *arguments]
    from graphs.cli import main

    main()


async def _address(process: BaseProcess, data_dir: Path) -> str:
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            if not process.is_alive():
                raise Died((data_dir / "said").read_text()[-2000:])
            try:
                announced = json.loads((data_dir / FILE_NAME).read_text())
                if announced["pid"] == process.pid:
                    ready = await client.get(f"{announced['url']}/readyz")
                    if ready.status_code == 200:
                        return str(announced["url"])
            except (OSError, ValueError, httpx.TransportError):
                pass
            await asyncio.sleep(0.05)
