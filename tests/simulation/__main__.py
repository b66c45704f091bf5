"""`make simulate`: many simulated rounds, what they came to, and the bound that this gives."""

import argparse
import gc
import logging
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import get_args

from rich.console import Console

from tests.chaos.checker import Kind
from tests.simulation.plan import draw
from tests.simulation.rounds import Result, play
from tests.simulation.template import make_template

_MEMORY = Path("/dev/shm")  # The folder in it is our own.
_LOOKED_THROUGH_EVERY = 25
_SAID_EVERY_S = 10.0
_FINDINGS_SAID = 10


@dataclass
class Tally:
    """The sums of rounds."""

    rounds: int = 0
    kills: int = 0
    in_flight: int = 0
    messages: int = 0
    restarted: int = 0
    simulated_s: float = 0.0
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count a round in."""
        self.rounds += 1
        self.kills += result.kills
        self.in_flight += sum(result.struck)
        self.messages += result.messages
        self.restarted += result.restarted
        self.simulated_s += result.simulated_s
        self.steps += result.steps
        self.faults.update(result.plan.faults)
        self.outcomes += result.outcomes
        self.deeds += result.deeds
        self.refusals += result.refusals
        self.told += result.told
        self.kinds.update(finding.kind for finding in result.findings)
        if result.findings:
            self.failed.append(result.plan.seed)

    def lines(self) -> list[str]:
        """The sums in words."""
        harm = ", ".join(f"{self.kinds[kind]} {kind}" for kind in get_args(Kind))
        said = [
            f"rounds {self.rounds} ({_counts(self.faults)}), kills {self.kills}",
            f"messages {self.messages}, in flight when something broke {self.in_flight}",
            f"turns: {_counts(self.outcomes)}; {self.restarted} ran again",
            f"people: {_counts(self.deeds)}; refused: {_counts(self.refusals)}; deliveries: {_counts(self.told)}",
            f"simulated hours {self.simulated_s / 3600:.1f}, steps {self.steps}",
            f"found: {harm}",
        ]
        if self.failed:
            return [*said, f"rounds with findings: {', '.join(self.failed)}"]
        trials = (("rounds", self.rounds), ("kills", self.kills), ("messages in flight", self.in_flight))
        return [
            *said,
            *(f"none in {number} {name}: less than {3 / number:.3%} (95 %)" for name, number in trials if number >= 3),
        ]


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(of.items())) or "none"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Play the durable turn machinery in one process, on a fake clock, and let it die anywhere.",
        epilog="A round is played again by its seed and number: --seed SEED --first N --rounds 1.",
    )
    parser.add_argument("--rounds", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", default=None, help="any text; chosen and printed when not given")
    parser.add_argument("--first", type=int, default=0, help="the number of the first round (default 0)")
    parser.add_argument("--out", type=Path, default=Path("var/simulation"), help="where evidence of findings is kept")
    return parser.parse_args()


def run(given: argparse.Namespace, tally: Tally, console: Console, stop: Event) -> None:
    """Play the rounds that the command line asks for, or until told to stop, and count them in."""
    seed = given.seed or secrets.token_hex(4)
    console.print(f"seed {seed}, {given.rounds} rounds from {given.first} on")
    with tempfile.TemporaryDirectory(prefix="simulation", dir=_MEMORY if _MEMORY.is_dir() else None) as made:
        template = make_template(Path(made) / "template")
        # What is there now stays; only what a round leaves is looked through after it.
        gc.collect()
        gc.freeze()
        gc.disable()
        began = said = time.monotonic()
        for number in range(given.first, given.first + given.rounds):
            with tempfile.TemporaryDirectory(prefix="round", dir=made) as folder:
                result = play(draw(f"{seed}-{number}"), template, Path(folder))
            tally.add(result)
            if tally.rounds % _LOOKED_THROUGH_EVERY == 0:
                # What outlived the look after its round, and nothing holds any more.
                gc.collect()
            if result.findings:
                _say_findings(result, seed, number, given.out, console)
            if stop.is_set():
                return
            now = time.monotonic()
            if now - said > _SAID_EVERY_S:
                said, each_s = now, (now - began) / tally.rounds
                left_min = each_s * (given.rounds - tally.rounds) / 60
                console.print(
                    f"{tally.rounds}/{given.rounds}: {tally.kills} kills, {len(tally.failed)} rounds with findings, "
                    f"{1000 * each_s:.0f} ms each, {left_min:.0f} min left"
                )


def _say_findings(result: Result, seed: str, number: int, out: Path, console: Console) -> None:
    console.print(f"round {number} ({' '.join(result.plan.faults)}):")
    for finding in result.findings[:_FINDINGS_SAID]:
        console.print(f"  {finding.invariant} {finding.kind}: {finding.where}: {finding.what}", markup=False)
    console.print(f"  all of it: {result.write(out)}", markup=False)
    console.print(f"  once more: make simulate SEED={seed} FIRST={number} ROUNDS=1", markup=False)


def main() -> int:
    """Run, print the sums (of what was played until Ctrl-C as well), and return 1 when anything was found."""
    given = arguments()
    console = Console(highlight=False, soft_wrap=True)
    # Asked after each round: an exception in the middle of one might be taken for a fault of what is played.
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Machines that die say much.
    logging.disable(logging.CRITICAL)
    tally = Tally()
    try:
        run(given, tally, console, stop)
    finally:
        # What was played is worth its hours, however it ended.
        for line in tally.lines():
            console.print(line, markup=False)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
