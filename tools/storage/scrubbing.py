"""What deleting leaves behind in SQLite's files: free pages, and the log of pages as they were."""

import mmap
import re
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path

_WAIT_S = 60.0
# Every position is tried: an id may follow other hexadecimal digits.
_IDS = re.compile(rb"(?=([0-9a-f]{32}))")


def scrub_sqlite(path: Path) -> bool:
    """Write the database anew without its free pages and empty its write-ahead log; False: a reader kept the log.

    Blocks; other writers wait meanwhile.
    """
    conn = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)
    try:
        conn.execute("PRAGMA secure_delete = ON")
        conn.execute("VACUUM")
        deadline = time.monotonic() + _WAIT_S
        while True:
            busy = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
    finally:
        conn.close()


def database_files(path: Path) -> list[Path]:
    """The database's file, and those beside it that are there."""
    beside = [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal")]
    return [each for each in beside if each.is_file()]


def ids_in_bytes(files: Collection[Path], ids: Collection[str]) -> int:
    """Count how often one of these ids (32 hexadecimal digits) stands in the files, wherever in them. Blocks."""
    wanted = {each.encode() for each in ids}
    found = 0
    for path in files:
        if not path.stat().st_size:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found += sum(match[1] in wanted for match in _IDS.finditer(content))
    return found
