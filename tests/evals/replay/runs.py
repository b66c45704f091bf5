"""`helpgraph replay` in a process of its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.evals.replay.forked import fork_replay
from tests.forking import ROOT, fork

ENOUGH_S = 240


@dataclass
class Run:
    """A replay's process. What it prints is in the file `log`."""

    process: BaseProcess
    log: Path

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.process.exitcode is not None

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, what)

    def end(self) -> tuple[int, str]:
        """Wait until it is gone, and return what it ended with and all that it said."""
        self.process.join(ENOUGH_S)
        assert self.process.exitcode is not None, self.said
        return self.process.exitcode, " ".join(self.said.split())


@dataclass
class Operator:
    """Starts replays of a data folder of their own."""

    env: Mapping[str, str]
    folder: Path
    begun: list[Run] = field(default_factory=list)

    def start(self, tickets: Path, out: Path, *options: str, forking: bool = False) -> Run:
        """Start a replay. It is forked; its workers are Pythons of their own unless it is `forking` them too."""
        log = self.folder / f"said-{len(self.begun)}"
        begin = fork_replay if forking else fork
        run = Run(begin(["replay", str(tickets), "--out", str(out), *options], self.env, log), log)
        self.begun.append(run)
        return run

    def run(self, tickets: Path, out: Path, *options: str) -> tuple[int, str]:
        """The exit code of a replay and all that it said."""
        return self.start(tickets, out, *options).end()


def operator(data_dir: Path, workspace: Path, folder: Path) -> Operator:
    """An operator whose settings are these alone; words, no embedding model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    env = {
        **kept,
        "HELPGRAPH_DATA_DIR": str(data_dir),
        "HELPGRAPH_WORKSPACE": str(workspace),
        "HELPGRAPH_EMBEDDING": "off",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    return Operator(env, folder)


def cases(out: Path) -> list[dict[str, Any]]:
    """The cases of a run."""
    return [json.loads(line) for line in (out / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def wait_until(done: Callable[[], bool], run: Run) -> None:
    """Wait for something that a running process brings about."""
    until = time.monotonic() + ENOUGH_S
    while not done():
        assert not run.over, run.said
        assert time.monotonic() < until
        time.sleep(0.02)


def lines(path: Path) -> int:
    """How many whole lines a file has; 0 when it isn't there."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def workers_of(run: Run) -> list[int]:
    """Process ids of a run's workers."""
    command = ["pgrep", "-P", str(run.pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]
