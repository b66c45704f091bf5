"""One process owns the index folder: on-disk Chroma shows a second one a wrong index without any error."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from agent.errors import Misconfigured


class Ownership:
    """Holds the lock on a data folder until closed. The lock dies with the process."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "knowledge.lock"
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            owner = os.read(self._handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._handle)
            raise Misconfigured(
                f"the data folder {data_dir} is in use by another process (pid {owner}); stop it, or choose another "
                "folder with --data-dir or HELPGRAPH_DATA_DIR"
            ) from exc
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Let go of the folder."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Ownership":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
