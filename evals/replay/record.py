"""The files of a run while it is written. A line is there whole or not at all, and a run goes on after its last one."""

import contextlib
import os
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from agent.errors import Misconfigured
from evals.replay.bugs import Reported
from evals.replay.case import Case, Timing

CASES, TIMINGS, BUGS = "cases.jsonl", "timings.jsonl", "bugs.jsonl"
_SYNC_S = 1.0


class Recorder:
    """Appends cases, their timings and their bugs, a line of each for every case.

    Use it as a context manager; `done` is how many cases an interrupted run has left, `bugs` are theirs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._synced = time.monotonic()
        self.done = 0
        self.failed = 0
        self.bugs: list[Reported] = []

    def __enter__(self) -> Self:
        """Cut off what an interruption left unfinished, and open the files at their ends.

        Raises:
            Misconfigured: the folder can't be written.
        """
        try:
            ends = {name: _line_ends(self._folder / name) for name in (CASES, TIMINGS, BUGS)}
            self.done = min(len(found) for found in ends.values())
            for name, found in ends.items():
                self._files[name] = _open_at(self._folder / name, found[self.done - 1] if self.done else 0)
            bugs = (line for line, _ in _lines(self._folder / BUGS) if line != b"null\n")
            self.bugs = [Reported.model_validate_json(line) for line in bugs]
        except OSError as exc:
            self._close()
            raise Misconfigured(f"{self._folder} can't be written ({exc.strerror})") from exc
        return self

    def __exit__(self, *exc: object) -> None:
        """Bring everything to the disk."""
        self._close()

    def write(self, case: Case, timing: Timing, reported: Reported | None) -> None:
        """Add a case.

        Raises:
            Misconfigured: the disk is full, or failed; all cases before this one are kept.
        """
        try:
            self._line(BUGS, reported.model_dump_json() if reported is not None else "null")
            self._line(TIMINGS, timing.model_dump_json())
            self._line(CASES, case.model_dump_json())
            if time.monotonic() - self._synced >= _SYNC_S:
                self._sync()
            self.done += 1
            self.failed += case.ending == "failed"
        except OSError as exc:
            raise Misconfigured(
                f"{self._folder} can't be written ({exc.strerror}): make room; the same command goes on from there"
            ) from exc

    def sync(self) -> None:
        """Bring everything to the disk.

        Raises:
            Misconfigured: as `write`.
        """
        try:
            self._sync()
        except OSError as exc:
            raise Misconfigured(f"{self._folder} can't be written ({exc.strerror}): make room, then again") from exc

    def _line(self, name: str, text: str) -> None:
        self._files[name].write(text.encode(errors="replace") + b"\n")

    def _sync(self) -> None:
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        self._synced = time.monotonic()

    def _close(self) -> None:
        for file in self._files.values():
            # What can't be written any more was reported by `write`, or is cut off by the next run.
            with contextlib.suppress(OSError):
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()


def read_cases(folder: Path) -> Iterator[Case]:
    """The whole cases of a run, in order, one at a time."""
    for line, _ in _lines(folder / CASES):
        yield Case.model_validate_json(line)


def read_timings(folder: Path) -> Iterator[Timing]:
    """The timings of a run, in the cases' order, one at a time."""
    for line, _ in _lines(folder / TIMINGS):
        yield Timing.model_validate_json(line)


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Every whole line with the offset of its end."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            if not line.endswith(b"\n"):
                return
            yield line, end


def _line_ends(path: Path) -> "array[int]":
    # Eight bytes a line: a run may have a million.
    return array("q", (end for _, end in _lines(path)))


def _open_at(path: Path, end: int) -> BinaryIO:
    file = path.open("r+b" if path.exists() else "w+b")
    file.truncate(end)
    file.seek(end)
    return file
