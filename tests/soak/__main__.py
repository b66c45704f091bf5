"""`make soak`: minutes of steady load on a real server, and whether it is at their end what it was."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import httpx
from rich.console import Console

from tests.chaos.postgres import Postgres
from tests.forking import ROOT
from tests.installed import EXAMPLE, copy_of, installed_once
from tests.serving import Process, served_anew
from tests.soak.customers import Customers
from tests.soak.processes import take_sample
from tests.soak.verdict import LIMIT_MB, Finding, Sample, judge

EVERY_S = 5.0
_RESTS_S = 30.0
Look = Callable[[float, int], Sample]
_LIMITS = {
    "HELPGRAPH_MESSAGES_PER_MINUTE": "1000000",
    "HELPGRAPH_SESSIONS_PER_MINUTE": "1000000",
    "HELPGRAPH_STREAMS_PER_ADDRESS": "10000",
}


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Put a steady load on a real server and look whether it stays the same.",
    )
    parser.add_argument("--minutes", type=_minutes, default=10.0, help="how long (default 10)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="postgres: two workers")
    parser.add_argument("--customers", type=int, default=6, help="at once (default 6)")
    parser.add_argument("--embedding", choices=("minilm", "off"), default="minilm", help="default minilm")
    parser.add_argument("--limit", type=float, default=LIMIT_MB, help=f"MB for 1,000 turns (default {LIMIT_MB:g})")
    parser.add_argument("--leak", action="store_true", help="serve with a leak, to see that it is found")
    return parser.parse_args(given)


def _minutes(text: str) -> float:
    minutes = float(text)
    # Below that there are too few samples for a verdict.
    if not 2 <= minutes <= 24 * 60:
        raise argparse.ArgumentTypeError("from 2 minutes to a day")
    return minutes


@contextmanager
def installation(given: argparse.Namespace) -> Iterator[tuple[Process, str | None, dict[str, str]]]:
    """A server of the example product, its database's URL, and the environment of commands beside it."""
    models = ROOT / "var" / "chaos-models"
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data_dir = copy_of(installed_once(folder / "installed", models, embedding=given.embedding), folder / "data")
        options, settings = [], {"HELPGRAPH_WORKSPACE": str(EXAMPLE), "HELPGRAPH_EMBEDDING": given.embedding}
        url = None
        if given.database == "postgres":
            postgres = Postgres()
            stack.callback(postgres.close)
            options, url = ["--workers", "2"], postgres.url
            settings["HELPGRAPH_DATABASE_URL"] = postgres.url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
        module = "tests.soak.leaky" if given.leak else "graphs.cli"
        server = stack.enter_context(served_anew(data_dir, *options, module=module, **_LIMITS, **settings))
        yield server, url, {**kept, **settings}
        server.stop(signal.SIGTERM)


async def soak(
    server: Process, look: Look, given: argparse.Namespace, environment: dict[str, str], tell: Callable[[str], None]
) -> tuple[list[Sample], Sample, Customers]:
    """Load the server for the time asked for; samples on the way, one when all is at rest, and who was there."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=120, trust_env=False, limits=limits) as http:
        customers, until = Customers(http, Random(0)), asyncio.Event()  # noqa: S311  # Repeatable, not secret.
        samples: list[Sample] = []
        began = time.monotonic()
        async with asyncio.TaskGroup() as crowd:
            for _ in range(given.customers):
                crowd.create_task(customers.come_and_go(until))
            crowd.create_task(customers.erase_now_and_then(until, server.data_dir, environment))
            while (passed_s := time.monotonic() - began) < 60 * given.minutes:
                await asyncio.sleep(EVERY_S - passed_s % EVERY_S)
                samples.append(await asyncio.to_thread(look, time.monotonic() - began, customers.turns))
                tell(_progress(samples[-1], 60 * given.minutes))
            until.set()
        rest = await asyncio.to_thread(look, time.monotonic() - began, customers.turns)
        deadline = time.monotonic() + _RESTS_S
        while time.monotonic() < deadline and not (await _open_streams(http) == rest.checkpoints == 0):
            await asyncio.sleep(1)
            rest = await asyncio.to_thread(look, time.monotonic() - began, customers.turns)
        return samples, rest, customers


async def _open_streams(http: httpx.AsyncClient) -> int:
    told = (await http.get("/metrics")).raise_for_status().text
    line = next(line for line in told.splitlines() if line.startswith("helpgraph_open_streams "))
    return int(float(line.split()[1]))


def at_rest(rest: Sample) -> Finding:
    """Nothing of a turn is left when none runs."""
    return Finding(rest.checkpoints == 0, f"at rest: {rest.checkpoints} checkpoints, {rest.files} open files")


def _progress(now: Sample, all_s: float) -> str:
    return (
        f"{now.at_s:5.0f} s of {all_s:.0f}: {now.turns} turns, {now.resident_mb:.1f} MB, {now.files} files, "
        f"{now.threads} threads, {now.checkpoints} checkpoints, database {now.database_mb:.1f} MB"
    )


def main() -> int:
    """Run; 0 when the server stayed the same."""
    given = arguments()
    console = Console(highlight=False, soft_wrap=True)
    # Whoever stops us as a service does is no reason to leave a server behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.print(f"{given.minutes:g} minutes on {given.database}, {given.customers} customers at once")
    console.print("installing the example (minutes at the first time) ...")
    with installation(given) as (server, url, environment):

        def look(at_s: float, turns: int) -> Sample:
            return take_sample(server.pid, server.data_dir, url, at_s=at_s, turns=turns)

        samples, rest, customers = asyncio.run(soak(server, look, given, environment, console.print))
        console.print(", ".join(f"{name}: {number}" for name, number in sorted(customers.counts.items())))
        grown = 1024 * (samples[-1].database_mb - samples[0].database_mb) / (samples[-1].turns - samples[0].turns)
        console.print(f"database: {grown:+.1f} KB for each turn")
        findings = [*judge(samples, limit_mb=given.limit), at_rest(rest)]
    for finding in findings:
        console.print(finding.line, markup=False)
    return 0 if all(finding.steady for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
