"""`helpgraph replay` in a process of its own, as an operator starts it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forking import ROOT

# Ctrl-C is ignored in what a shell runs in the background, as it may run the tests.
_MAIN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from graphs.cli import main; main()"
ENOUGH_S = 240


@dataclass
class Operator:
    """Starts replays of a data folder of their own."""

    env: Mapping[str, str]
    folder: Path

    def start(self, tickets: Path, out: Path, *options: str, **env: str) -> subprocess.Popen[str]:
        """Start a replay."""
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN, "replay", str(tickets), "--out", str(out), *options],
            env={**self.env, **env},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, tickets: Path, out: Path, *options: str, **env: str) -> tuple[int, str]:
        """The exit code of a replay and all that it said."""
        process = self.start(tickets, out, *options, **env)
        said, _ = process.communicate(timeout=ENOUGH_S)
        return process.returncode, " ".join(said.split())


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


def wait_until(done: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that a running process brings about."""
    until = time.monotonic() + ENOUGH_S
    while not done():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.02)


def lines(path: Path) -> int:
    """How many whole lines a file has; 0 when it isn't there."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Process ids of a run's workers."""
    command = ["pgrep", "-P", str(process.pid), "-f", "evals.replay.worker"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]
