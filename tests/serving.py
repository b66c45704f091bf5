"""`helpgraph serve` in a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from graphs.running import FILE_NAME
from tests.forking import ROOT, fork
from tests.loopback import NO_TLS

# On first use, on a slow machine: the model is built, the engine trained, every article read.
START_S = 150
STOP_S = 30


@dataclass
class Process:
    """A server's process and its address; what it prints is in the file `said` of its data folder."""

    process: subprocess.Popen[bytes] | BaseProcess
    url: str
    data_dir: Path

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with, below 0 the signal that ended it; None while it runs."""
        return _exit_code(self.process)

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, what)

    def wait(self) -> None:
        """Wait until it is gone."""
        _wait(self.process)

    def stop(self, how: signal.Signals) -> float:
        """Send a signal and return the seconds until the process was gone."""
        began = time.monotonic()
        self.send(how)
        self.wait()
        return time.monotonic() - began


@contextmanager
def served(data_dir: Path, *options: str, **env: str) -> Iterator[Process]:
    """A server on a port that the system chooses, ready to be asked; killed at the end if it still runs.

    It goes by words alone unless `env` names an embedding model.
    """
    # Workers import the command line of their parent, which a forked process doesn't have.
    begun = (
        _start_anew("graphs.cli", data_dir, options, env)
        if "--workers" in options
        else start(data_dir, *options, **env)
    )
    with ready(begun, data_dir) as running:
        yield running


@contextmanager
def served_anew(data_dir: Path, *options: str, module: str = "graphs.cli", **env: str) -> Iterator[Process]:
    """The same in a Python of its own, as a shell starts it; `module` is whose command line it is."""
    with ready(_start_anew(module, data_dir, options, env), data_dir) as running:
        yield running


def start(data_dir: Path, *options: str, **env: str) -> BaseProcess:
    """Start a server on a port that the system chooses, forked from a process that has imported what it needs."""
    data_dir.mkdir(exist_ok=True)
    return fork(arguments_of(data_dir, options), environment_of(env), data_dir / "said")


def _start_anew(module: str, data_dir: Path, options: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    data_dir.mkdir(exist_ok=True)
    command = [sys.executable, "-m", module, *arguments_of(data_dir, options)]
    with (data_dir / "said").open("a") as said:
        return subprocess.Popen(command, cwd=ROOT, env=environment_of(env), stdout=said, stderr=said)


def arguments_of(data_dir: Path, options: Sequence[str]) -> list[str]:
    """What follows `helpgraph` on a server's command line."""
    return ["serve", "--port", "0", "--data-dir", str(data_dir), "--log-level", "warning", *options]


def environment_of(env: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the machine's own settings. Without the model, which has its own tests, a server starts sooner."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    return {**kept, "HELPGRAPH_EMBEDDING": "off", **env}


@contextmanager
def ready(process: subprocess.Popen[bytes] | BaseProcess, data_dir: Path) -> Iterator[Process]:
    """A server that was started, as soon as it can be asked; killed at the end if it still runs."""
    try:
        yield Process(process, _address(process, data_dir), data_dir)
    finally:
        if _exit_code(process) is None:
            process.kill()
        _wait(process)


def _exit_code(process: subprocess.Popen[bytes] | BaseProcess) -> int | None:
    return process.exitcode if isinstance(process, BaseProcess) else process.poll()


def _wait(process: subprocess.Popen[bytes] | BaseProcess) -> None:
    if isinstance(process, BaseProcess):
        process.join(STOP_S)
        assert process.exitcode is not None, f"process {process.pid} doesn't end"
    else:
        process.wait(STOP_S)


def _address(process: subprocess.Popen[bytes] | BaseProcess, data_dir: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert _exit_code(process) is None, (data_dir / "said").read_text()
        try:
            announced = json.loads((data_dir / FILE_NAME).read_text())
            if announced["pid"] == process.pid and _answers(announced["url"]):
                return str(announced["url"])
        except (OSError, ValueError, httpx.TransportError):
            pass
        time.sleep(0.1)
    raise AssertionError("the server didn't start: " + (data_dir / "said").read_text())


def _answers(url: str) -> bool:
    return httpx.get(f"{url}/readyz", trust_env=False, verify=NO_TLS).status_code == 200
