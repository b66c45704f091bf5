"""Servers in processes of their own, as an operator starts them, and what they cost the machine."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from graphs.running import FILE_NAME

_START_S = 180.0
_TICKS = os.sysconf("SC_CLK_TCK")
# Nothing that protects a server from strangers is to be measured here.
_OPEN = {
    "HELPGRAPH_MESSAGES_PER_MINUTE": "1000000",
    "HELPGRAPH_SESSIONS_PER_MINUTE": "1000000",
    "HELPGRAPH_STREAMS_PER_OWNER": "100000",
    "HELPGRAPH_STREAMS_PER_ADDRESS": "100000",
    "HELPGRAPH_CONCURRENT_TURNS": "200",
    # A crowd on a slow machine waits, and the waiting is what is measured.
    "HELPGRAPH_TURN_TIMEOUT_S": "300",
    "HELPGRAPH_MODEL_TURN_S": "280",
    "HELPGRAPH_MODEL_CALL_S": "270",
    "HELPGRAPH_MODEL_FIRST_TOKEN_S": "200",
    "HELPGRAPH_MODEL_TOKEN_GAP_S": "200",
}


@dataclass(frozen=True, slots=True)
class Process:
    """A server's process."""

    url: str
    process: asyncio.subprocess.Process

    def cpu_s(self) -> float:
        """Its processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    async def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def helpgraph(workspace: Path, data_dir: Path, **settings: str) -> AsyncIterator[Process]:
    """`helpgraph serve` on a folder that exists, ready to be asked; without an embedding model unless one is set.

    Raises:
        RuntimeError: it didn't start; with what it said.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    said = data_dir / "said"
    with open(said, "ab") as output:  # noqa: ASYNC230  # Nothing else happens meanwhile.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "graphs.cli", "serve", "--port", "0", "--log-level", "error"),
            *("--workspace", str(workspace), "--data-dir", str(data_dir)),
            env={**kept, "HELPGRAPH_EMBEDDING": "off", **_OPEN, **settings},
            stdout=output,
            stderr=output,
            # Ctrl-C is for the one that started it.
            start_new_session=True,
        )
    try:
        yield Process(await _address(process, data_dir, said), process)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process, data_dir: Path, said: Path) -> str:
    deadline = asyncio.get_running_loop().time() + _START_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while asyncio.get_running_loop().time() < deadline and process.returncode is None:
            with suppress(OSError, ValueError, KeyError, httpx.TransportError):
                announced = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
                if announced["pid"] == process.pid:
                    url = str(announced["url"])
                    if (await client.get(f"{url}/readyz")).status_code == 200:
                        return url
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the server didn't start: {_end_of(said)}")


def _end_of(said: Path) -> str:
    return said.read_text(encoding="utf-8", errors="replace")[-2000:]


@asynccontextmanager
async def relaying(endpoint: str) -> AsyncIterator[Process]:
    """The bare relay of an endpoint.

    Raises:
        RuntimeError: it didn't start.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals.bench.relay", f"--endpoint={endpoint}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process started with pipes has them")
    try:
        port = (await process.stdout.readline()).decode().strip()
        if not port:
            raise RuntimeError("the relay didn't start")
        yield Process(f"http://127.0.0.1:{port}", process)
    finally:
        process.stdin.close()
        await process.wait()
