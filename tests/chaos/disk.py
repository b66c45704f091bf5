"""A disk that is full for a while: one of limited size that is filled up, or a limit on the files of a process."""

import os
import resource
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

_SIZE = "160m"


class SmallDisk:
    """A file system of its own in memory, at `folder`. Only root may make one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], check=True)

    def fill(self) -> None:
        """Leave no byte free: writes that need a new page fail with ENOSPC."""
        # SQLite writes over what its journal has taken up before, for four megabytes; so that is given back first.
        for path in self.folder.rglob("*.db"):
            with closing(sqlite3.connect(path, timeout=2)) as file, suppress(sqlite3.OperationalError):
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        free = os.statvfs(self.folder)
        with (self.folder / "ballast").open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)

    def free(self) -> None:
        """Have room again."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, with all that is in it."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def limit_files(pid: int) -> None:
    """Let a process write to no file any more: each write fails with EFBIG."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def unlimit_files(pid: int) -> None:
    """Let it write again."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
