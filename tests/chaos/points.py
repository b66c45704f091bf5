"""`make chaos-points`: a kill at every durable point of a turn, one after the other, until a turn passes untouched.

A durable point is a call of fdatasync, by which SQLite makes a commit last. strace kills the server at the N-th one.
"""

import asyncio
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
from rich.console import Console

from tests.chaos.checker import Finding, check
from tests.chaos.client import SILENCE_S, Client
from tests.chaos.plan import BUGS, QUESTIONS, WISHES, Act, Customer
from tests.chaos.processes import Server
from tests.chaos.tables import read_tables
from tests.chaos.transcript import Talk
from tests.chaos.world import World
from tests.installed import installed_once
from tests.serving import ROOT

TURNS = {"a question": QUESTIONS[0], "a bug": BUGS[0], "a wish for a person": WISHES[0]}
_MOST = 60
_ATTACH_S = 20.0
_STILL_S = 30.0


async def strike(world: World, text: str, number: int) -> tuple[bool, list[Finding]]:
    """Say `text` to a server that dies at its N-th durable point; whether it did, and what the checker finds."""
    server = world.servers[0]
    assert server is not None
    tracer = await _attached(server, number)
    talks: list[Talk] = []
    async with httpx.AsyncClient(timeout=httpx.Timeout(SILENCE_S, connect=2.0), trust_env=False) as http:
        client = Client(http, world.address, lambda: None, Random(number))  # noqa: S311  # Not for secrets.
        customer = Customer((Act("plain", (text,), 0),), begins_after_s=0.0, watched=True)
        talking = asyncio.create_task(client.talk(customer, talks.append))
        struck = False
        while not talking.done():
            await asyncio.wait([talking], timeout=0.05)
            if not struck and not server.process.is_alive():
                struck = True
                server.process.join()
                world.servers[0] = None
                await world.restart(0)
        await talking
    with suppress(ProcessLookupError):
        tracer.terminate()
    await tracer.wait()
    return struck, await _findings(world, talks)


async def _attached(server: Server, number: int) -> asyncio.subprocess.Process:
    pid = server.process.pid
    options = ["-f", "-p", str(pid), "-e", "trace=fdatasync", "-e", f"inject=fdatasync:signal=SIGKILL:when={number}"]
    nowhere = asyncio.subprocess.DEVNULL
    tracer = await asyncio.create_subprocess_exec("strace", *options, stdout=nowhere, stderr=nowhere)
    async with asyncio.timeout(_ATTACH_S):
        while f"TracerPid:\t{tracer.pid}\n" not in await asyncio.to_thread(Path(f"/proc/{pid}/status").read_text):
            await asyncio.sleep(0.02)
    # Its other threads are taken one after the other.
    await asyncio.sleep(0.3)
    return tracer


async def _findings(world: World, talks: list[Talk]) -> list[Finding]:
    """What doesn't hold once nothing is being worked on."""
    mine = [talk.conversation_id for talk in talks]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _STILL_S
    while True:
        tables = await asyncio.to_thread(read_tables, world.where, world.checkpoints, mine)
        found = check(tables, talks, whole=False)
        if not found or loop.time() > deadline:
            return found
        await asyncio.sleep(0.2)


async def run(console: Console) -> int:
    """Go through the points of each turn, and return how many findings there were."""
    models = ROOT / "var" / "chaos-models"
    models.mkdir(parents=True, exist_ok=True)
    found = 0
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        installed = await asyncio.to_thread(installed_once, Path(folder) / "installed", models, embedding="off")
        world = World("sqlite", Path(folder), installed)
        try:
            await world.start()
            for name, text in TURNS.items():
                for number in range(1, _MOST + 1):
                    await world.close_bugs()
                    struck, findings = await strike(world, text, number)
                    found += len(findings)
                    for finding in findings:
                        console.print(f"  {finding.invariant} {finding.kind}: {finding.where}: {finding.what}")
                    if not struck:
                        console.print(f"{name}: {number - 1} points, each killed at once")
                        break
                    console.print(f"{name}: killed at point {number}", style="dim")
        finally:
            await world.close()
    console.print(f"findings: {found}")
    return found


def main() -> int:
    """Run, and return 1 when anything was found."""
    if shutil.which("strace") is None:
        print("strace is missing. On Debian: sudo apt-get install strace", file=sys.stderr)
        return 2
    return 1 if asyncio.run(run(Console(highlight=False, soft_wrap=True))) else 0


if __name__ == "__main__":
    sys.exit(main())
