"""Servers as real processes, which start quickly and may be killed."""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from graphs.running import FILE_NAME
from tests.loopback import NO_TLS
from tests.serving import START_S, STOP_S, start


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
    return Server(start(data_dir, *options, **env), data_dir)


async def _address(process: BaseProcess, data_dir: Path) -> str:
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
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
