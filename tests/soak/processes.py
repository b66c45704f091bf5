"""What a server's processes have open, from /proc, and what its databases hold."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import psycopg

from tests.soak.verdict import Sample

_PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def take_sample(pid: int, data_dir: Path, database_url: str | None, *, at_s: float, turns: int) -> Sample:
    """Look at a server now."""
    resident_kb = files = threads = 0
    for each in family(pid):
        with suppress(OSError):
            status = (_PROC / str(each) / "status").read_text()
            resident_kb += _number(status, "VmRSS:")
            threads += _number(status, "Threads:")
            files += len(os.listdir(_PROC / str(each) / "fd"))
    checkpoints, size = _on_sqlite(data_dir) if database_url is None else _on_postgres(database_url)
    return Sample(at_s, turns, resident_kb / 1024, files, threads, checkpoints, size / 2**20)


def _number(status: str, name: str) -> int:
    return int(status.partition(name)[2].split(maxsplit=1)[0])


def _on_sqlite(data_dir: Path) -> tuple[int, int]:
    size = 0
    for path in data_dir.glob("*.db*"):
        with suppress(OSError):
            size += path.stat().st_size
    with closing(sqlite3.connect(f"file:{data_dir / 'checkpoints.db'}?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM checkpoints").fetchone()[0]), size


def _on_postgres(url: str) -> tuple[int, int]:
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "SELECT (SELECT count(*) FROM checkpoints), pg_database_size(current_database())"
        ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])
