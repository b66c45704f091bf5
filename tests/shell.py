"""Running commands in this process, as an operator would."""

import sys
from pathlib import Path

import pytest

from graphs.cli import main


class Shell:
    """Commands on a data folder of their own, without an embedding model unless a test asks for it."""

    def __init__(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.data_dir = data_dir
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code and everything that was printed."""
        self._monkeypatch.setattr(sys, "argv", ["helpgraph", *arguments])
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = int(exc.code or 0)
        captured = self._capsys.readouterr()
        return code, " ".join((captured.out + captured.err).split())
