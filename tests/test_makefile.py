"""Make's longer commands with a stand-in for what they run: what is run, and what is made of failures."""

import os
import subprocess
from pathlib import Path

import pytest

from evals.cli_bench import BENCHMARKS, WITH_CURVE

ROOT = Path(__file__).parents[1]
STAND_IN = """#!/bin/sh
echo "$@" >> ran
[ "$2" != "$FAILING" ]
"""
MADE_ALREADY = (".venv/.runtime", ".venv/.installed", ".venv-llm/.installed", "browser")


def make(folder: Path, *arguments: str, failing: str = "") -> subprocess.CompletedProcess[str]:
    for name in ("helpgraph", "python"):
        command = folder / ".venv" / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(STAND_IN)
        command.chmod(0o755)
    skipped = [f"--assume-old={target}" for target in MADE_ALREADY]
    command_line = ["make", "-f", str(ROOT / "Makefile"), *skipped, *arguments]
    environment = {"PATH": os.environ["PATH"], "FAILING": failing}
    return subprocess.run(command_line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def make_bench(folder: Path, *, data: str = "", failing: str = "") -> subprocess.CompletedProcess[str]:
    return make(folder, "bench", f"BENCH_DATA={data}", failing=failing)


def test_nightly_tests_everything_then_explores_then_asks_a_model(tmp_path: Path) -> None:
    done = make(tmp_path, "nightly")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "-m pytest -q -n 3 --dist loadfile --no-loadscope-reorder",
        "-m pytest -q -n 2 --dist loadfile -m hypothesis --hypothesis-profile exploring",
        "-m pytest -q -s -m live tests/live",
    ]


def test_chaos_goes_through_the_points_that_were_asked_for(tmp_path: Path) -> None:
    plain = make(tmp_path, "chaos-points")
    named = make(tmp_path, "chaos-points", "DATABASE=postgres", "POINTS=wal", "ONLY=bug,model", "FIRST=7")

    assert (plain.returncode, named.returncode) == (0, 0), plain.stderr + named.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "-m tests.chaos.points --database sqlite",
        "-m tests.chaos.points --database postgres --points wal --only bug,model --first 7",
    ]


def test_chaos_plays_as_many_rounds_as_asked_on_the_database_named(tmp_path: Path) -> None:
    plain = make(tmp_path, "chaos")
    named = make(tmp_path, "chaos", "ROUNDS=300", "DATABASE=postgres", "SEED=a b", "FIRST=7")

    assert (plain.returncode, named.returncode) == (0, 0), plain.stderr + named.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "-m tests.chaos --database sqlite --rounds 20",
        "-m tests.chaos --database postgres --rounds 300 --seed a b --first 7",
    ]


def test_a_simulation_plays_as_many_rounds_as_asked(tmp_path: Path) -> None:
    plain = make(tmp_path, "simulate")
    named = make(tmp_path, "simulate", "ROUNDS=300", "SEED=a b", "FIRST=7")

    assert (plain.returncode, named.returncode) == (0, 0), plain.stderr + named.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "-m tests.simulation --rounds 1000",
        "-m tests.simulation --rounds 300 --seed a b --first 7",
    ]


def test_a_soak_lasts_as_long_as_asked_on_the_database_named(tmp_path: Path) -> None:
    plain = make(tmp_path, "soak")
    named = make(tmp_path, "soak", "MINUTES=60", "DATABASE=postgres")

    assert (plain.returncode, named.returncode) == (0, 0), plain.stderr + named.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "-m tests.soak --minutes 10 --database sqlite",
        "-m tests.soak --minutes 60 --database postgres",
    ]


def test_without_the_public_data_what_needs_none_is_measured_and_the_rest_said_to_be_skipped(tmp_path: Path) -> None:
    done = make_bench(tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "bench speed --out var/bench/speed.json",
        "bench stream --out var/bench/stream.json",
        "bench serve --out var/bench/serve.json",
        "bench replay --out var/bench/replay.json",
    ]
    assert "skipped: bank_kb clinc150 hint3 nlbse24 stackfaq uss" in done.stdout
    assert "make bench BENCH_DATA=/path" in done.stdout
    assert (tmp_path / "var" / "bench").is_dir()


@pytest.mark.parametrize("folder", ["data", "my data"])
def test_with_the_public_data_everything_is_measured_and_the_curves_are_drawn(tmp_path: Path, folder: str) -> None:
    done = make_bench(tmp_path, data=f"/{folder}")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran").read_text().splitlines() == [
        "bench speed --out var/bench/speed.json",
        "bench stream --out var/bench/stream.json",
        "bench serve --out var/bench/serve.json",
        "bench replay --out var/bench/replay.json",
        f"bench bank_kb --out var/bench/bank_kb.json --data /{folder}/bank_kb",
        f"bench clinc150 --out var/bench/clinc150.json --data /{folder}/clinc150 --plot var/bench/clinc150.svg",
        f"bench hint3 --out var/bench/hint3.json --data /{folder}/hint3 --plot var/bench/hint3.svg",
        f"bench nlbse24 --out var/bench/nlbse24.json --data /{folder}/nlbse24",
        f"bench stackfaq --out var/bench/stackfaq.json --data /{folder}/stackfaq",
        f"bench uss --out var/bench/uss.json --data /{folder}/uss",
    ]
    assert "skipped" not in done.stdout


def test_the_makefile_knows_every_benchmark_and_every_curve(tmp_path: Path) -> None:
    make_bench(tmp_path, data="/data")

    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert {words[1] for words in ran} == set(BENCHMARKS)
    assert {words[1] for words in ran if "--plot" in words} == set(WITH_CURVE)


def test_a_benchmark_that_fails_is_named_and_the_others_still_run(tmp_path: Path) -> None:
    (tmp_path / "var" / "bench").mkdir(parents=True)
    (tmp_path / "var" / "bench" / "hint3.json").write_text("{}")

    done = make_bench(tmp_path, data="/data", failing="hint3")

    assert done.returncode != 0
    assert len((tmp_path / "ran").read_text().splitlines()) == len(BENCHMARKS)
    assert "failed: hint3" in done.stderr
    assert not (tmp_path / "var" / "bench" / "hint3.json").exists()
