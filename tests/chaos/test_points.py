"""Kills after single points of turns, and errors of the disk: a few of those that `make chaos-points` goes through."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.disk_errors import Broken, DiskError, break_disk, lock_file
from tests.chaos.halting import Call, failing, halting, missing, read_call
from tests.chaos.plan import Database
from tests.chaos.routes import ROUTES
from tests.chaos.sends import Sends, name_sync, name_wal
from tests.chaos.settling import prepare
from tests.chaos.strikes import NEVER, Points, Struck, strike
from tests.chaos.world import World

# A kill in the middle of each kind of point.
SQLITE: tuple[tuple[str, Points, int], ...] = (("bug", "syncs", 6), ("answer", "sends", 9))
POSTGRES: tuple[tuple[str, Points, int], ...] = (("handoff", "commits", 7), ("same-bug", "wal", 5))

FAULTS = (
    DiskError("fdatasync", "EIO", 6),
    DiskError("pwrite64", "ENOSPC", 45),
    DiskError("pread64", "EIO", 1, lasting=True),
)

traced = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@dataclass
class Played:
    """What came of some kills, of each turn left alone, and of some errors of the disk."""

    struck: list[Struck] = field(default_factory=list)
    untouched: list[Struck] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


@pytest.fixture(scope="module")
def on_sqlite(installed_by_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """All of it, in one world."""

    async def play(world: World, played: Played) -> None:
        await _kill(world, played, SQLITE)
        for fault in FAULTS:
            await prepare(world, ROUTES["handoff"])
            played.broken.append(await break_disk(world, ROUTES["handoff"], fault))
        played.broken.append(await lock_file(world, ROUTES["handoff"], 1.0))
        for route in ROUTES.values():
            await prepare(world, route)
            played.untouched.append(await strike(world, route, "sends", NEVER))

    return _played("sqlite", tmp_path_factory.mktemp("points"), installed_by_words, play)


def _played(
    database: Database,
    folder: Path,
    installed: Path,
    play: Callable[[World, Played], Coroutine[Any, Any, None]],
) -> Played:
    async def all_of_it() -> Played:
        world, played = World(database, folder, installed, steady=True), Played()
        try:
            await world.start()
            await play(world, played)
        finally:
            await world.close()
        return played

    return asyncio.run(all_of_it())


async def _kill(world: World, played: Played, points: Sequence[tuple[str, Points, int]]) -> None:
    for name, kind, at in points:
        await prepare(world, ROUTES[name])
        played.struck.append(await strike(world, ROUTES[name], kind, at))


def _expect_nothing(results: Sequence[Struck | Broken]) -> None:
    assert results
    assert [finding for result in results for finding in result.findings] == []


@traced
def test_a_kill_after_a_point_is_survived_on_sqlite(on_sqlite: Played) -> None:
    _expect_nothing(on_sqlite.struck)
    assert all(result.struck for result in on_sqlite.struck)


@traced
@pytest.mark.postgres
def test_a_kill_after_a_point_is_survived_on_postgres(installed_by_words: Path, tmp_path: Path) -> None:
    played = _played("postgres", tmp_path, installed_by_words, lambda world, played: _kill(world, played, POSTGRES))

    _expect_nothing(played.struck)
    assert all(result.struck for result in played.struck)


@traced
def test_errors_of_the_disk_do_no_harm(on_sqlite: Played) -> None:
    _expect_nothing(on_sqlite.broken)
    assert all(result.failures for result in on_sqlite.broken)


@traced
def test_turns_that_are_left_alone_end_as_said_and_have_sends_of_every_kind(on_sqlite: Played) -> None:
    _expect_nothing(on_sqlite.untouched)
    assert not any(result.struck for result in on_sqlite.untouched)
    assert {label for result in on_sqlite.untouched for label in result.labels} == {"client", "webhook", "model"}


# --- what strace is asked and what it says -------------------------------------------------------------------------

_PEER = """
import os, socket, sys
mine, other = socket.socketpair()
print(mine.fileno(), flush=True)
sys.stdin.readline()
for number in range(5):
    mine.send(b"word %d" % number)
print(other.recv(100).decode(), flush=True)
"""


@pytest.fixture
def peer() -> Any:
    """A process that sends five times when it is told to, and says then what arrived."""
    process = subprocess.Popen([sys.executable, "-c", _PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@traced
@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_process_dies_right_after_the_point_that_was_asked_for(at: int, peer: subprocess.Popen[bytes]) -> None:
    async def work() -> tuple[list[str], bool, bytes]:
        assert peer.stdin is not None
        assert peer.stdout is not None
        label: Callable[[Call], str] = lambda call: call.data  # noqa: E731  # As short as it is.
        async with halting(
            [peer.pid], "sendto", label, at=at, kill=lambda pid: os.kill(pid, 9), threads=False
        ) as halts:
            peer.stdin.write(b"\n")
            peer.stdin.flush()
            said = await asyncio.to_thread(peer.stdout.read)
        return halts.labels, halts.struck, said

    labels, struck, said = asyncio.run(work())

    assert labels == [f'"word {number}"' for number in range(min(at, 5))]
    assert struck == (at < 6)
    assert bool(said) != struck


@traced
def test_calls_fail_on_the_files_that_were_named_and_on_no_other(tmp_path: Path) -> None:
    async def work() -> tuple[int, bytes]:
        for name in ("a", "b"):
            (tmp_path / name).touch()
        script = (
            "import os, sys; sys.stdin.readline()\n"
            "for name in sys.argv[1:]:\n"
            "    fd = os.open(name, os.O_WRONLY)\n"
            "    for _ in range(3):\n"
            "        try: print(os.pwrite(fd, b'x', 0))\n"
            "        except OSError as exc: print(exc.strerror)\n"
        )
        command = [sys.executable, "-c", script, *(str(tmp_path / name) for name in ("a", "b"))]
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        async with failing(process.pid, [str(tmp_path / "b")], "pwrite64", "error=EIO:when=2") as failures:
            said, _ = await process.communicate(b"\n")
            await asyncio.wait_for(failures.first.wait(), 10)
        return failures.number, said

    number, said = asyncio.run(work())

    assert said.decode().split("\n")[:6] == ["1", "1", "1", "1", "Input/output error", "1"]
    assert number == 1


@traced
def test_what_cannot_be_traced_is_an_error() -> None:
    async def work() -> None:
        async with halting([2**22 + 1], "sendto", name_sync, at=1, kill=lambda pid: None, threads=False):
            pass

    with pytest.raises(RuntimeError, match="strace can't attach"):
        asyncio.run(work())


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (
            '[pid 12] sendto(31<TCP:[127.0.0.1:44->127.0.0.1:55]>, "id: 1\\n"..., 319, 0, NULL, 0) = 319',
            Call(12, "sendto", "31", "TCP:[127.0.0.1:44->127.0.0.1:55]", '"id: 1\\n"...'),
        ),
        ("fdatasync(12</tmp/helpgraph.db-wal>) = 0", Call(7, "fdatasync", "12", "/tmp/helpgraph.db-wal", "")),
        (
            "[pid 8] fsync(7</data/pg_wal/0001>strace: Process 27486 attached",
            Call(8, "fsync", "7", "/data/pg_wal/0001", ""),
        ),
        ("--- SIGCONT {si_signo=SIGCONT, si_code=SI_USER, si_pid=17553, si_uid=0} ---", None),
    ],
)
def test_lines_of_strace_are_read(line: str, call: Call | None) -> None:
    assert read_call(line, 7) == call


def _send(target: str, data: str, fd: str = "9") -> Call:
    return Call(1, "sendto", fd, target, data)


_TCP, _UNIX = "TCP:[127.0.0.1:80->127.0.0.1:{}]", "UNIX-STREAM:[1->2]"


def test_sends_to_a_client_and_to_peers_are_points_but_for_heads_whose_body_comes_next() -> None:
    name = Sends({55: "webhook"}, database=False)
    head = '"HTTP/1.1 200 OK\\r\\n{}content-type: x"...'

    assert name(_send(_TCP.format(55), '"POST /hooks"...')) == "webhook"
    assert name(_send(_TCP.format(66), '"id: 1\\ndata: {}"')) == "client"
    assert name(_send(_TCP.format(66), head.format(""))) == "client"
    assert name(_send(_TCP.format(66), head.format("content-length: 12\\r\\n"))) is None
    assert name(_send(_UNIX, '"Q\\0\\0\\0\\vCOMMIT\\0"')) is None


def test_of_what_goes_to_the_database_commits_and_single_writes_are_points() -> None:
    name = Sends({}, database=True)
    said = [
        ("1", '"Q\\0\\0\\0\\nBEGIN\\0"', None),
        ("1", '"P\\0\\0\\1,\\0INSERT INTO sessions (toke"...', None),
        ("2", '"P\\0\\0\\1,\\0INSERT INTO checkpoints ("...', "statement"),
        ("2", '"B\\0\\0\\0\\23\\0_pg3_7\\0"...', "statement"),
        ("2", '"P\\0\\0\\1U\\0SELECT sessions.token_hash"...', None),
        ("2", '"P\\0\\0\\0P\\0SELECT pg_notify($1, payload)"...', "statement"),
        ("1", '"Q\\0\\0\\0\\vCOMMIT\\0"', "commit"),
        ("1", '"P\\0\\0\\1,\\0INSERT INTO checkpoints ("...', "statement"),
        ("1", '"Q\\0\\0\\0\\6;\\0"', None),
        ("3", '"\\0"', None),
    ]

    assert [name(_send(_UNIX, data, fd)) for fd, data, _ in said] == [wanted for _, _, wanted in said]
    assert name(_send(_TCP.format(66), '"id: 1"')) is None


def test_what_is_made_last_is_called_by_its_file() -> None:
    assert name_sync(Call(1, "fdatasync", "3", "/var/lib/helpgraph.db-wal", "")) == "helpgraph.db-wal"
    assert name_wal(Call(1, "fdatasync", "3", "/data/pg_wal/000001", "")) == "write-ahead log"
    assert name_wal(Call(1, "fsync", "3", "/data/base/1/2", "")) == "other file"
