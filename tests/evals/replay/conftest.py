"""An installation to replay with, and one whole run of it to compare with."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evals.replay import pool
from tests.evals.replay import forked
from tests.evals.replay.runs import Operator, operator
from tests.installed import EXAMPLE, copy_of
from tests.shell import Shell

TICKETS = 40
Replaying = Callable[..., tuple[int, str]]


@pytest.fixture
def operating(installed_by_words: Path, tmp_path: Path) -> Iterator[Operator]:
    """An operator of the example product, by words alone."""
    starting = operator(copy_of(installed_by_words, tmp_path / "data"), EXAMPLE, tmp_path)
    yield starting
    for run in starting.begun:
        if not run.over:
            run.process.kill()


@pytest.fixture
def replaying(shell: Shell, installed_by_words: Path, monkeypatch: pytest.MonkeyPatch) -> Replaying:
    """Replays of that product in this process, with forked workers: what isn't about processes is over sooner."""
    monkeypatch.setattr(pool, "start_process", forked.start_process)
    shutil.rmtree(shell.data_dir)
    copy_of(installed_by_words, shell.data_dir)

    def run(tickets: Path, out: Path, *options: str) -> tuple[int, str]:
        return shell.run("replay", str(tickets), "--out", str(out), *options)

    return run


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's first tickets."""
    path = tmp_path_factory.mktemp("tickets") / "tickets.jsonl"
    some = (EXAMPLE / "tickets.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:TICKETS]
    path.write_text("".join(some), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tickets: Path, installed_by_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of these tickets that nothing disturbed, by one worker."""
    folder = tmp_path_factory.mktemp("whole")
    starting = operator(copy_of(installed_by_words, folder / "data"), EXAMPLE, folder)
    code, said = starting.start(tickets, folder / "run", "--workers", "1", forking=True).end()
    assert code == 0, said
    return folder / "run"
