"""Simulated rounds find nothing in the product as it is, and notice each defence that is taken away from it."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.plan import BUGS, QUESTIONS, WISHES, Act, Customer, How, Shift
from tests.forking import FORKS
from tests.simulation import plan
from tests.simulation.__main__ import Tally
from tests.simulation.mutants import MUTATIONS
from tests.simulation.rounds import Result, play
from tests.simulation.template import make_template

# Chosen so that few rounds have all that is asked of them.
ROUNDS = 12
SEED = "vkd"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty installation."""
    return make_template(tmp_path_factory.mktemp("simulation") / "template")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Machines that die say much."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _played(seed: str, template: Path, folder: Path) -> Result:
    folder.mkdir()
    return play(plan.draw(seed), template, folder)


def test_nothing_is_lost_doubled_stuck_or_skipped(template: Path, tmp_path: Path) -> None:
    tally = Tally()
    findings = []
    for number in range(ROUNDS):
        result = _played(f"{SEED}-{number}", template, tmp_path / str(number))
        tally.add(result)
        findings += [(result.plan.seed, finding) for finding in result.findings]
    print("\n".join(tally.lines()))

    assert findings == []
    # Rounds that hit nothing, or in which nothing of interest is said, show nothing.
    assert tally.in_flight > 0
    assert tally.restarted > 0
    assert tally.kills > ROUNDS / 2
    assert tally.faults.keys() == set(plan.FAULTS)
    assert {"answered", "bug_filed", "handed_off", "delivered"} <= tally.outcomes.keys()
    assert {"take", "reply"} <= tally.deeds.keys()
    assert {"taken", "failed"} <= tally.told.keys()


def test_a_seed_gives_the_same_schedule_and_the_same_log(template: Path, tmp_path: Path) -> None:
    first, again, other = (
        _played(seed, template, tmp_path / str(number)) for number, seed in enumerate(("same-1", "same-1", "same-2"))
    )

    assert (first.digest, first.steps, first.log) == (again.digest, again.steps, again.log)
    assert (first.digest, first.log) != (other.digest, other.log)


def test_a_round_can_be_kept_with_all_that_it_left(template: Path, tmp_path: Path) -> None:
    result = _played("same-2", template, tmp_path / "round")

    kept = json.loads(result.write(tmp_path / "kept").read_text())

    assert kept["plan"]["seed"] == "same-2"
    assert result.tables is not None
    assert [row["event"] for row in kept["tables"]["events"]] == [row["event"] for row in result.tables.events]
    assert len(kept["talks"]) == len(result.talks)


def test_another_process_plays_the_same_round(template: Path, tmp_path: Path) -> None:
    here = _played("same-1", template, tmp_path / "here")
    (tmp_path / "there").mkdir()
    # Forked from a process whose hashes of texts are other ones than those here.
    with ProcessPoolExecutor(1, mp_context=FORKS) as others:
        there = others.submit(play, plan.draw("same-1"), template, tmp_path / "there").result()

    assert (there.digest, there.log) == (here.digest, here.log)


WITHIN = 30
LONGER_THAN_A_LEASE_S = 14.0


@dataclass(frozen=True)
class Case:
    """What a mutation breaks, and the circumstances in which it soon does: parts of plans, and their only fault.

    `first` is the round to begin with: those before it are known to show nothing.
    """

    invariant: str
    plans: dict[str, Any] = field(default_factory=dict)
    fault: plan.Fault | None = None
    first: int = 0


def _says(*texts: str, how: How = "plain", shift: Shift | None = None) -> tuple[Customer, ...]:
    act = Act(how, texts, leaves_after=2)
    return (Customer((act,) if shift is None else (act, act), begins_after_s=0.0, watched=False, shift=shift),)


BUG_AFTER_BUG = (Customer((Act("plain", (BUGS[0],), leaves_after=2),) * 4, begins_after_s=0.0, watched=False),)
TAKEN_OVER = _says(QUESTIONS[0], shift=Shift("Ada", 4, 0, 0.1, "hand_back", doubtful=False))
CASES = {
    "epochs_unchecked": Case("I6 doubled", {"servers": 2, "engine_s": 1.0, "one_host": False}, "freeze"),
    "leases_ignored": Case("I6 doubled", {"servers": 2}),
    "leases_renewed_after_all": Case("I5 stuck", {"engine_s": 8.0, "disk_s": 1.0}, "kill"),
    "effects_without_key": Case("I3 doubled", {"customers": _says(BUGS[0])}, "kill"),
    "filings_forgotten": Case(
        "I3 wrong", {"moods": 0.8, "keeps": False, "disk_s": 0.3, "customers": BUG_AFTER_BUG}, "kill_at_commit", 10
    ),
    "people_overtaken": Case("I9 wrong", {"engine_s": 8.0, "customers": TAKEN_OVER}, "terminate", 12),
    "streams_skip": Case("I4 gap", {}),
    "told_before_sent": Case("I10 lost", {"webhooks": True, "disk_s": 0.01, "network_s": 0.1}, "kill"),
    "turns_left_open": Case("I3 wrong", {"engine_s": 1.0, "customers": _says(BUGS[0], WISHES[0], how="burst")}),
    "acknowledged_early": Case("I2 wrong", {"disk_s": 0.1, "network_s": 0.01}, "kill_at_commit", 4),
    "nobody_sweeps": Case("I5 stuck", {"servers": 1, "customers": _says(QUESTIONS[0], how="leave")}, "kill"),
}


def test_every_mutation_has_its_case() -> None:
    assert CASES.keys() == MUTATIONS.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_defence_that_is_taken_away_is_missed_within_thirty_rounds(
    name: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]

    def broken(number: int, when: str) -> set[str]:
        drawn = plan.draw(f"{name}-{number}")
        fault = case.fault
        strikes = (
            drawn.strikes
            if fault is None
            else tuple(replace(each, fault=fault, lasts_s=LONGER_THAN_A_LEASE_S) for each in drawn.strikes)
        )
        folder = tmp_path / f"{number}-{when}"
        folder.mkdir()
        result = play(replace(drawn, strikes=strikes, **case.plans), template, folder)
        return {f"{finding.invariant} {finding.kind}" for finding in result.findings}

    with monkeypatch.context() as patch:
        MUTATIONS[name](patch)
        rounds = range(case.first, case.first + WITHIN)
        first = next((number for number in rounds if case.invariant in broken(number, "without")), None)
    print(f"{name}: {first}")

    assert first is not None
    assert broken(first, "with") == set()
