"""The soak's verdict on series whose truth is known, and what it sees of processes. The soak itself is `make soak`."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.soak.__main__ import arguments, at_rest
from tests.soak.processes import family, take_sample
from tests.soak.verdict import Finding, Sample, after_warm_up, growth, judge

NOISE_MB = 1.5


def series(memory: Callable[[float], float] = lambda turns: 300.0, *, number: int = 120, seed: int = 0) -> list[Sample]:
    """Ten minutes, three turns a second; what memory does by itself goes up and down in waves."""
    random = np.random.default_rng(seed)
    wave = np.convolve(random.normal(0, NOISE_MB, number + 5), np.ones(6) / 6**0.5, mode="valid")
    return [
        Sample(5.0 * n, 15 * n, memory(15 * n) + float(wave[n]), 40 + n % 3, 20, n % 7, 1 + n / 10)
        for n in range(number)
    ]


def memory_of(samples: list[Sample]) -> Finding:
    return judge(samples)[0]


@pytest.mark.parametrize("seed", range(10))
def test_a_steady_server_passes(seed: int) -> None:
    assert [finding.steady for finding in judge(series(seed=seed), limit_mb=4.0)] == [True] * 4


@pytest.mark.parametrize("seed", range(10))
def test_a_leak_of_ten_kilobytes_for_each_turn_is_found(seed: int) -> None:
    found = memory_of(series(lambda turns: 300 + turns * 10 / 1024, seed=seed))

    assert not found.steady
    assert "GROWS" in found.line


def test_caches_that_fill_during_the_warm_up_are_no_leak() -> None:
    assert memory_of(series(lambda turns: 300 + min(turns, 400) / 4)).steady


def test_noise_that_hides_the_answer_is_not_called_flat() -> None:
    found = judge(series(lambda turns: 300 + 20 * np.sin(turns / 60)))[0]

    assert not found.steady
    assert "NOT SEEN" in found.line


def test_the_growth_is_that_of_the_series_with_the_truth_inside_its_interval() -> None:
    inside = 0
    for seed in range(8):
        found = growth(after_warm_up(series(lambda turns: 300 + turns * 5 / 1000, seed=seed)))
        assert abs(found.value - 5) < 3
        inside += found.low <= 5 <= found.high

    # 14 blocks are few: such an interval holds what it should in somewhat less than 95 of 100.
    assert inside >= 6


@pytest.mark.parametrize("name", ["files", "threads", "checkpoints"])
def test_what_grows_in_number_is_named(name: str) -> None:
    grown = [replace(sample, **{name: 40 + n}) for n, sample in enumerate(series())]
    wrong = [finding.line for finding in judge(grown, limit_mb=4.0) if not finding.steady]

    assert len(wrong) == 1
    assert name in wrong[0]
    assert "GROW" in wrong[0]


def test_too_little_to_judge_by_is_said() -> None:
    with pytest.raises(ValueError, match="samples after the warm-up"):
        judge(series(number=15))
    with pytest.raises(ValueError, match="not one turn"):
        judge([replace(sample, turns=0) for sample in series()])


def test_a_checkpoint_that_is_left_at_rest_is_a_finding() -> None:
    [rest] = series(number=1)

    assert at_rest(rest).steady
    assert not at_rest(replace(rest, checkpoints=1)).steady


def test_a_sample_is_of_a_process_and_its_children(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "checkpoints.db")) as file:
        file.execute("CREATE TABLE checkpoints (thread_id TEXT)")
        file.execute("INSERT INTO checkpoints VALUES ('a'), ('b')")
        file.commit()
    before = take_sample(os.getpid(), tmp_path, None, at_s=0, turns=0)
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in family(os.getpid())
        after = take_sample(os.getpid(), tmp_path, None, at_s=5, turns=9)
    finally:
        child.communicate()

    assert (after.at_s, after.turns, after.checkpoints) == (5, 9, 2)
    assert after.database_mb > 0
    assert after.resident_mb > before.resident_mb
    assert after.threads == before.threads + 1
    assert after.files > before.files


def test_the_command_line_has_defaults_and_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    plain, given = arguments([]), arguments(["--minutes", "2.5", "--database", "postgres", "--leak", "--limit", "1"])

    assert (plain.minutes, plain.database, plain.leak) == (10, "sqlite", False)
    assert (given.minutes, given.database, given.leak, given.limit) == (2.5, "postgres", True, 1)
    for wrong in ("1", "0", "2000", "many"):
        with pytest.raises(SystemExit):
            arguments(["--minutes", wrong])
    assert "from 2 minutes to a day" in capsys.readouterr().err
