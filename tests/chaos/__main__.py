"""`make chaos`: many rounds, what they came to, and the bound that this gives."""

import argparse
import asyncio
import secrets
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args

from rich.console import Console

from tests.chaos.checker import check
from tests.chaos.plan import Database
from tests.chaos.rounds import play
from tests.chaos.tables import read_tables
from tests.chaos.tally import Tally
from tests.chaos.world import World
from tests.forking import ROOT
from tests.installed import installed_once

_PRUNED_S = 60.0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kill real servers at random moments of many conversations, and look at what is left.",
        epilog="A round is repeated by its seed: --seed SEED --first N --rounds 1 plays round N of that seed alone.",
    )
    parser.add_argument("--database", choices=get_args(Database), default="sqlite", help="one server, or two on one")
    parser.add_argument("--rounds", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seed", default=None, help="any text; chosen and printed when not given")
    parser.add_argument("--first", type=int, default=0, help="the number of the first round (default 0)")
    parser.add_argument("--conversations", type=int, default=10, help="at once in a round (default 10)")
    parser.add_argument(
        "--small-disk",
        action="store_true",
        help="SQLite on a disk of its own, which is filled up (root only); else a limit on files stands for that",
    )
    parser.add_argument("--out", type=Path, default=Path("var/chaos"), help="where the evidence of findings is kept")
    return parser.parse_args()


async def run(given: argparse.Namespace, tally: Tally, console: Console) -> None:
    """Play the rounds that the command line asks for and count them in."""
    seed = given.seed or secrets.token_hex(4)
    console.print(
        f"seed {seed}, {given.rounds} rounds on {given.database}, {given.conversations} conversations in each"
    )
    models = ROOT / "var" / "chaos-models"
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        console.print("installing the example (a minute at the first time) ...")
        installed = await asyncio.to_thread(installed_once, Path(folder) / "installed", models, embedding="off")
        world = World(given.database, Path(folder), installed, small_disk=given.small_disk)
        try:
            await world.start()
            await _rounds(world, given, seed, tally, console)
            await _in_the_end(world, tally, console)
        finally:
            await world.close()


async def _rounds(world: World, given: argparse.Namespace, seed: str, tally: Tally, console: Console) -> None:
    began = time.monotonic()
    for number in range(given.first, given.first + given.rounds):
        result = await play(world, f"{seed}-{number}", conversations=given.conversations)
        tally.add(result)
        passed_s = time.monotonic() - began
        left_s = passed_s / tally.rounds * (given.rounds - tally.rounds)
        model = ", with a model" if result.plan.model else ""
        console.print(
            f"round {number} ({tally.rounds}/{given.rounds}): {' '.join(result.plan.faults)}{model}, "
            f"{sum(result.in_flight)} in flight, {result.seconds:.1f} s; "
            f"{tally.kills} kills, {passed_s / max(1, tally.kills):.1f} s each, {left_s / 60:.1f} min left"
        )
        for finding in result.findings[:10]:
            console.print(f"  {finding.invariant} {finding.kind}: {finding.where}: {finding.what}", markup=False)
        if result.findings:
            console.print(f"  all of it: {result.write(given.out)}", markup=False)


async def _in_the_end(world: World, tally: Tally, console: Console) -> None:
    """Look at the whole database once more, after a start that cleans up what kills have left."""
    await world.terminate(0)
    await world.restart(0)
    deadline = time.monotonic() + _PRUNED_S
    while True:
        tables = await asyncio.to_thread(read_tables, world.where, world.checkpoints)
        findings = check(tables, [], whole=True)
        if not findings or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    tally.found(findings)
    if findings:
        tally.failed.append("the end")
    console.print(f"in the end: {len(tables.conversations)} conversations, {len(tables.events)} events looked at again")
    for finding in findings[:20]:
        console.print(f"  {finding.invariant} {finding.kind}: {finding.where}: {finding.what}", markup=False)


def main() -> int:
    """Run, print the sums (of what was played until Ctrl-C as well), and return 1 when anything was found."""
    given = arguments()
    console = Console(highlight=False, soft_wrap=True)
    # Whoever stops us as a service does is no reason to leave servers behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tally = Tally()
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(run(given, tally, console))
    finally:
        # What was played is worth its hours, however it ended.
        for line in tally.lines():
            console.print(line, markup=False)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
