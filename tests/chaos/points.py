"""`make chaos-points`: a kill after every point of every turn, one after the other, until a turn passes untouched.

Points of a server are what it makes last (a call of fdatasync, by which SQLite makes a commit last) and what it sends;
points of PostgreSQL are what that makes last. On SQLite the disk's errors come last.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from rich.console import Console

from tests.chaos.disk_errors import LASTING, LOCKS_S, ONCE, Broken, DiskError, break_disk, lock_file
from tests.chaos.halting import missing
from tests.chaos.plan import Database
from tests.chaos.routes import ROUTES, Route
from tests.chaos.settling import prepare
from tests.chaos.strikes import NEVER, POINTS, Points, Struck, strike
from tests.chaos.tally import percentile
from tests.chaos.world import World
from tests.forking import ROOT
from tests.installed import installed_once

Kind = Points | Literal["disk"]
KINDS: dict[Database, tuple[Kind, ...]] = {"sqlite": (*POINTS["sqlite"], "disk"), "postgres": POINTS["postgres"]}


@dataclass
class Sum:
    """What came of all points of one kind in one turn: what was done at each, and how long until all was over."""

    route: str
    kind: Kind
    out: Path
    done: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    findings: int = 0
    whole: bool = False

    def line(self) -> str:
        """The sums in words."""
        kinds = ", ".join(f"{number} {name}" for name, number in Counter(self.done).most_common())
        stopped = "" if self.whole else ", not all that there are"
        said = f"{self.route} {self.kind}: {len(self.done)} points{stopped} ({kinds}), findings {self.findings}"
        if not self.seconds:
            return said
        return f"{said}; all over after p50 {percentile(self.seconds, 0.5):.1f} s, at worst {max(self.seconds):.1f} s"

    def report(self, result: Struck | Broken, console: Console) -> None:
        """Count what was found, print it, and keep all that it was found in."""
        self.findings += len(result.findings)
        for finding in result.findings[:10]:
            console.print(f"  {finding.invariant} {finding.kind}: {finding.where}: {finding.what}", markup=False)
        if result.findings:
            self.out.mkdir(parents=True, exist_ok=True)
            path = self.out / f"point-{self.route}-{self.kind}-{len(self.done)}.json"
            path.write_text(json.dumps(asdict(result), default=str, indent=1))
            console.print(f"  all of it: {path}", markup=False)


async def go_through(world: World, total: Sum, console: Console, *, first: int) -> None:
    """Go through all points of one kind in one turn, from the `first` on."""
    route = ROUTES[total.route]
    if total.kind == "disk":
        await _errors(world, route, total, console)
    else:
        await _kills(world, route, total.kind, total, console, first=first)
    total.whole = first == 1


async def _kills(world: World, route: Route, points: Points, total: Sum, console: Console, *, first: int) -> None:
    """Kill after each point, until a turn passes untouched twice: their number isn't quite the same each time."""
    await prepare(world, route)
    whole = await strike(world, route, points, NEVER)
    total.report(whole, console)
    progress = Progress(total, console, len(whole.labels), first)
    at, untouched = first, 0
    while untouched < 2:
        await prepare(world, route)
        result = await strike(world, route, points, at)
        total.report(result, console)
        if result.struck:
            progress.done(f"{result.labels[-1]}", result.recovery_s)
            at, untouched = at + 1, 0
        else:
            untouched += 1


async def _errors(world: World, route: Route, total: Sum, console: Console) -> None:
    """Let calls fail one after the other, until a turn comes to its end before it makes so many; then for longer."""
    progress = Progress(total, console, None, 1)
    for call, error, step in ONCE:
        at, failures = 1, 1
        while failures:
            await prepare(world, route)
            result = await break_disk(world, route, DiskError(call, error, at))
            total.report(result, console)
            failures = result.failures
            if failures:
                progress.done(f"{call} {error}", result.seconds)
            at += step
    for fault in LASTING:
        await prepare(world, route)
        result = await break_disk(world, route, fault)
        total.report(result, console)
        progress.done(f"{fault.call} {fault.error} for 2 s", result.seconds)
    for lasts_s in LOCKS_S:
        await prepare(world, route)
        result = await lock_file(world, route, lasts_s)
        total.report(result, console)
        progress.done(f"locked for {lasts_s:g} s", result.seconds)


class Progress:
    """Says where it is, and how long the rest will take."""

    def __init__(self, total: Sum, console: Console, expected: int | None, first: int) -> None:
        self._total = total
        self._console = console
        self._expected = expected
        self._at = first - 1
        self._began = time.monotonic()

    def done(self, what: str, seconds: float) -> None:
        """One more is done."""
        self._total.done.append(what)
        self._total.seconds.append(seconds)
        self._at += 1
        each_s = (time.monotonic() - self._began) / len(self._total.done)
        of = left = ""
        if self._expected is not None:
            of = f" of about {self._expected}"
            left = f", {max(0, self._expected - self._at) * each_s / 60:.1f} min left of these"
        name = f"{self._total.route} {self._total.kind} {self._at}{of}"
        self._console.print(
            f"{name}: {what}, {seconds:.1f} s; {each_s:.1f} s each{left}",
            style="dim",
            markup=False,
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.points",
        description="Kill a server after every single point of its turns, and look at what is left.",
        epilog="A run that was stopped goes on with --only ROUTE,... --points KIND --first N.",
    )
    parser.add_argument("--database", choices=get_args(Database), default="sqlite", help="one server, or two on one")
    parser.add_argument("--points", help="of one kind alone (default: all that there are)")
    parser.add_argument("--only", help=f"these turns, with commas between: {', '.join(ROUTES)} (default: all)")
    parser.add_argument("--first", type=int, default=1, help="the first turn's kill to begin with (default 1)")
    parser.add_argument("--out", type=Path, default=Path("var/chaos"), help="where the evidence of findings is kept")
    given = parser.parse_args()
    given.only = given.only.split(",") if given.only else list(ROUTES)
    if unknown := set(given.only) - ROUTES.keys():
        parser.error(f"no such turn: {', '.join(sorted(unknown))}")
    if given.points is not None and given.points not in KINDS[given.database]:
        parser.error(f"{given.database} has points of these kinds: {', '.join(KINDS[given.database])}")
    return given


async def run(given: argparse.Namespace, sums: list[Sum], console: Console) -> None:
    """Go through the points that the command line asks for."""
    models = ROOT / "var" / "chaos-models"
    models.mkdir(parents=True, exist_ok=True)
    first = given.first
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        console.print("installing the example (a minute at the first time) ...")
        installed = await asyncio.to_thread(installed_once, Path(folder) / "installed", models, embedding="off")
        world = World(given.database, Path(folder), installed, steady=True)
        try:
            await world.start()
            for kind in [given.points] if given.points else KINDS[given.database]:
                for name in given.only:
                    total = Sum(name, kind, given.out)
                    sums.append(total)
                    await go_through(world, total, console, first=first)
                    console.print(total.line(), markup=False)
                    first = 1
        finally:
            await world.close()


def main() -> int:
    """Run, print the sums (of what was tried until Ctrl-C as well), and return 1 when anything was found."""
    given = arguments()
    if (why := missing()) is not None:
        print(why, file=sys.stderr)
        return 2
    console = Console(highlight=False, soft_wrap=True)
    # Whoever stops us as a service does is no reason to leave servers behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sums: list[Sum] = []
    with suppress(KeyboardInterrupt):
        asyncio.run(run(given, sums, console))
    console.print(f"{given.database}:")
    for total in sums:
        console.print(f"  {total.line()}", markup=False)
    found = sum(total.findings for total in sums)
    console.print(f"points: {sum(len(total.done) for total in sums)}, findings: {found}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
