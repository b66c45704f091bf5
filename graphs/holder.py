"""The name under which a process holds leases, and whether the process behind a name is gone."""

import os
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_STARTED_FIELD = 19
"""Of /proc/PID/stat, counted after the command's closing bracket: when the process started, in ticks since boot."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A name that no other process ever has: its machine, its number there, when it started, and a random part.

    `machine` is empty where the system doesn't tell processes apart in this way; then nobody is known to be gone, and
    a lease of the dead is waited out.
    """

    machine: str
    pid: int
    started: str
    token: str

    @classmethod
    def this_process(cls) -> "Holder":
        """Name the process that asks; each call gives another name."""
        pid = os.getpid()
        return cls(_machine(), pid, _started(pid), secrets.token_hex(8))

    @property
    def name(self) -> str:
        """What stands in a lease."""
        return f"{self.machine}:{self.pid}:{self.started}:{self.token}"

    def is_gone(self, name: str) -> bool:
        """Whether `name` is of a process of this machine that has ended. False when that can't be told from here."""
        machine, _, rest = name.partition(":")
        pid, _, rest = rest.partition(":")
        started, _, _ = rest.partition(":")
        if not self.machine or machine != self.machine or not pid.isdigit() or not started:
            return False
        try:
            state, found = _state(int(pid))
        except OSError:
            # None, or one that the system hides, as it does others' with hidepid.
            return not _exists(int(pid))
        return state in "ZX" or found != started


@cache
def _machine() -> str:
    """This boot and this namespace of process numbers: containers on one host see each other's numbers as others."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:18]}-{(_PROC / 'self/ns/pid').stat().st_ino:x}"
    except OSError:
        return ""


def _state(pid: int) -> tuple[str, str]:
    """What the process with this number does (a zombie "Z"), and when it started.

    Raises:
        OSError: there is none, or this process may not see it.
    """
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[_STARTED_FIELD]


def _started(pid: int) -> str:
    """When the process with this number started; empty where the system doesn't say."""
    try:
        return _state(pid)[1]
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
