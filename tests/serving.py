"""`helpgraph serve` in a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from graphs.running import FILE_NAME

ROOT = Path(__file__).parents[1]
# On first use, on a slow machine: the model is built, the engine trained, every article read.
START_S = 150
STOP_S = 30


@dataclass
class Process:
    """A server's process and its address; what it prints is in the file `said` of its data folder."""

    process: subprocess.Popen[bytes]
    url: str
    data_dir: Path

    def stop(self, how: signal.Signals) -> float:
        """Send a signal and return the seconds until the process was gone."""
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(STOP_S)
        return time.monotonic() - began


@contextmanager
def served(data_dir: Path, *options: str, module: str = "graphs.cli", **env: str) -> Iterator[Process]:
    """A server on a port that the system chooses, ready to be asked; killed at the end if it still runs.

    It goes by words alone unless `env` names an embedding model. `module` is whose command line it is.
    """
    command = [sys.executable, "-m", module, "serve", "--port", "0", "--data-dir", str(data_dir)]
    # Nothing of the machine's own settings. Without the model, which has its own tests, it starts sooner.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    environment = {**kept, "HELPGRAPH_EMBEDDING": "off", **env}
    data_dir.mkdir(exist_ok=True)
    with (data_dir / "said").open("a") as said:
        process = subprocess.Popen(
            [*command, "--log-level", "warning", *options], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
    try:
        yield Process(process, _address(process, data_dir), data_dir)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_S)


def _address(process: subprocess.Popen[bytes], data_dir: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, (data_dir / "said").read_text()
        try:
            announced = json.loads((data_dir / FILE_NAME).read_text())
            if announced["pid"] == process.pid and httpx.get(f"{announced['url']}/readyz").status_code == 200:
                return str(announced["url"])
        except (OSError, ValueError, httpx.TransportError):
            pass
        time.sleep(0.1)
    raise AssertionError("the server didn't start: " + (data_dir / "said").read_text())
