"""Which sends of a server are points: those after which the world outside isn't what it was before."""

import re
from collections.abc import Mapping

from tests.chaos.halting import Call

# uvloop writes to its sockets, aiohttp and libpq send.
SENDS = "sendto,sendmsg,write,writev"
SYNCS = "fdatasync,fsync"

_PORT = re.compile(r"TCP(?:v6)?:\[.*->.*:(\d+)\]")
_SIMPLE = re.compile(r'"Q.*?(BEGIN|COMMIT|ROLLBACK|DEALLOCATE|;)')
_READS = re.compile(r"SELECT\b(?!.*(?:pg_notify|advisory))|DEALLOCATE\b")
# What is to follow it comes with the next send, and without that it is nothing to its reader.
_HEAD = re.compile(r'"HTTP/1\.1 .*content-length: [1-9]')
_WAKE_UP = '"\\0"'


class Sends:
    """Names the sends of one server: those to the `database`, or else those to a client or a peer at a known port.

    A statement in a transaction is no point, for it is nothing until the commit, and neither is a read: both follow
    from what PostgreSQL promises. Nor is the head of an answer whose body comes next. That saves three kills of four.
    """

    def __init__(self, peers: Mapping[int, str], *, database: bool) -> None:
        self._peers = peers
        self._database = database
        self._in_transaction: set[str] = set()

    def __call__(self, call: Call) -> str | None:
        """What a send is called, or None when it is no point."""
        port = _PORT.fullmatch(call.target)
        if port is not None:
            if self._database or _HEAD.match(call.data):
                return None
            return self._peers.get(int(port[1]), "client")
        if call.data == _WAKE_UP:
            # A thread's word to its own event loop.
            return None
        # What is written goes to a file, or wakes the event loop.
        asked = self._database and call.name.startswith("send")
        return self._statement(call.fd, call.data) if asked else None

    def _statement(self, fd: str, data: str) -> str | None:
        simple = _SIMPLE.match(data)
        verb = simple[1] if simple is not None else ""
        inside = fd in self._in_transaction
        if verb == "BEGIN":
            self._in_transaction.add(fd)
        elif verb in ("COMMIT", "ROLLBACK"):
            self._in_transaction.discard(fd)
        if verb == "COMMIT":
            return "commit"
        if verb or inside or _READS.search(data):
            return None
        return "statement"


def name_sync(call: Call) -> str | None:
    """What making a file last is called: the file."""
    return call.target.rsplit("/", 1)[-1]


def name_wal(call: Call) -> str | None:
    """What PostgreSQL makes last: its write-ahead log, by whichever of its processes, or another file."""
    return "write-ahead log" if "pg_wal" in call.target else "other file"
