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
        return cls(_machine(), pid, _started(pid) or "", secrets.token_hex(8))

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
        return _started(int(pid)) != started


@cache
def _machine() -> str:
    """This boot and this namespace of process numbers: containers on one host see each other's numbers as others."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:18]}-{(_PROC / 'self/ns/pid').stat().st_ino:x}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When the process with this number started; None when there is none, or it is a zombie."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[_STARTED_FIELD]
