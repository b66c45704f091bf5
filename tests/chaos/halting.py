"""A process that halts after each of its points, so that it can be killed at any one of them: strace does it.

strace counts calls for each thread alone and knows no contents, so it isn't left to choose: it stops the process by a
signal with each call, says which it was, and whoever reads that counts, lets the process go on or kills it.
"""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_CALL = re.compile(
    r'(?:\[pid +(?P<pid>\d+)\] )?(?P<name>\w+)\((?P<fd>\d+)<(?P<target>(?:->|[^">])*)>(?:, (?P<data>".*?"\.*),)?'
)
_STOPPED = re.compile(r"(?:\[pid +(?P<pid>\d+)\] )?--- stopped by SIGSTOP ---")
# Of Yama, where the kernel has it: who may look into whose processes.
_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
_INJECTED = b"(INJECTED)"
_ATTACHED = b" attached"
_ATTACH_S = 20.0
# A halt that was missed, because two threads halted at once, is made up for after so long.
_MISSED_S = 0.5


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the kernel: by which thread, on what, and the beginning of what it wrote, as strace shows them."""

    pid: int
    name: str
    fd: str
    target: str
    data: str


Label = Callable[[Call], str | None]
"""What a call is called in the sums, or None when it is no point."""


@dataclass
class Failures:
    """How many calls have failed so far."""

    number: int = 0
    first: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Halts:
    """What was seen so far. `struck` is whether there were as many points as the one at which to kill."""

    labels: list[str] = field(default_factory=list)
    struck: bool = False


def missing() -> str | None:
    """Why nothing can be traced here, if that is so."""
    if shutil.which("strace") is None:
        return "strace is missing. On Debian: sudo apt-get install strace"
    if os.geteuid() != 0 and _SCOPE.exists() and _SCOPE.read_text().strip() != "0":
        return f"strace may attach to no process here, by {_SCOPE}. Until the next start: sudo tee {_SCOPE} <<< 0"
    return None


def read_call(line: str, pid: int) -> Call | None:
    """The call in a line of strace's, by `pid` if it names no thread."""
    found = _CALL.match(line)
    if found is None:
        return None
    return Call(int(found["pid"] or pid), found["name"], found["fd"], found["target"], found["data"] or "")


@asynccontextmanager
async def halting(
    pids: Sequence[int], calls: str, label: Label, *, at: int, kill: Callable[[int], None], threads: bool
) -> AsyncIterator[Halts]:
    """Halt processes after each of their `calls`, and `kill` the one that made the `at`-th of those with a label.

    Without `threads` only the first thread of each is watched: where the event loop is, and all that it sends.
    """
    options = ["-yy", "-s", "96", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGSTOP"]
    async with attached(pids, *options, threads=threads) as tracer:
        halts = Halts()
        reading = asyncio.create_task(_read(tracer, pids, label, halts, at, kill))
        try:
            yield halts
        finally:
            reading.cancel()
            await asyncio.wait([reading])
    for pid in pids:
        go_on(pid)


@asynccontextmanager
async def attached(pids: Sequence[int], *options: str, threads: bool) -> AsyncIterator[asyncio.subprocess.Process]:
    """strace at work on processes; what it says is still to be read."""
    named = [part for pid in pids for part in ("-p", str(pid))]
    command = ["strace", *(["-f"] if threads else []), *options, *named]
    tracer = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, limit=1 << 20)
    assert tracer.stderr is not None
    try:
        async with asyncio.timeout(_ATTACH_S):
            for _ in pids:
                line = await tracer.stderr.readline()
                if _ATTACHED not in line:
                    raise RuntimeError(f"strace can't attach: {line.decode(errors='replace').strip()}")
        yield tracer
    finally:
        await _let_go(tracer)


@asynccontextmanager
async def failing(pid: int, files: Sequence[str], call: str, how: str) -> AsyncIterator[Failures]:
    """Have a process' calls on some files fail, as strace words it: which of those of each thread, and with what."""
    options = [part for path in files for part in ("-P", path)]
    options += ["-e", f"trace={call}", "-e", f"inject={call}:{how}"]
    failures = Failures()
    async with attached([pid], *options, threads=True) as tracer:
        counting = asyncio.create_task(_count(tracer, failures))
        try:
            yield failures
        finally:
            counting.cancel()
            await asyncio.wait([counting])


async def _count(tracer: asyncio.subprocess.Process, failures: Failures) -> None:
    assert tracer.stderr is not None
    while line := await tracer.stderr.readline():
        if _INJECTED in line:
            failures.number += 1
            failures.first.set()


async def _let_go(tracer: asyncio.subprocess.Process) -> None:
    if tracer.returncode is None:
        # Not by its own method, which would take its end from asyncio if it has just come.
        with suppress(ProcessLookupError):
            os.kill(tracer.pid, signal.SIGTERM)
    # What it still says must be taken from it, or it would wait for that.
    await tracer.communicate()


async def _read(
    tracer: asyncio.subprocess.Process,
    pids: Sequence[int],
    label: Label,
    halts: Halts,
    at: int,
    kill: Callable[[int], None],
) -> None:
    assert tracer.stderr is not None
    halted: set[int] = set()
    seen = set(pids)
    while not halts.struck:
        try:
            async with asyncio.timeout(_MISSED_S):
                raw = await tracer.stderr.readline()
        except TimeoutError:
            for pid in seen:
                go_on(pid)
            continue
        if not raw:
            return
        line = raw.decode(errors="replace")
        call, stopped = read_call(line, pids[0]), _STOPPED.match(line)
        if call is not None:
            halted.add(call.pid)
            seen.add(call.pid)
            name = label(call)
            if name is not None:
                halts.labels.append(name)
                if len(halts.labels) == at:
                    # It is stopped or about to be: it does nothing after this call any more.
                    kill(call.pid)
                    halts.struck = True
        elif stopped is not None:
            pid = int(stopped["pid"] or pids[0])
            if pid in halted:
                halted.discard(pid)
                go_on(pid)
    # What lives on isn't watched any more: it has to recover.
    await _let_go(tracer)
    for pid in seen:
        go_on(pid)


def go_on(pid: int) -> None:
    """Let a process go on that was halted, if there is still one."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
