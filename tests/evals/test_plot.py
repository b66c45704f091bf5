"""The risk-coverage curve as a picture, and the point on it that the decisions take."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from agent.errors import Misconfigured
from agent.types import Route
from evals.bench.arena import Asked
from evals.bench.plot import draw_risk_coverage
from evals.bench.report import BenchResult, OperatingPoint, Part
from evals.bench.scores import operating_point
from graphs.lazy_commands import commands
from tests.forking import FORKS

SHOES = Part("shoes", {}, [(0.0, 1.0, 0.4), (0.5, 0.6, 0.1)], OperatingPoint(0.7, 0.2))
HATS = Part("hats", {}, [(0.0, 1.0, 0.4)], OperatingPoint(0.0, None))


def asked(answered: str | None) -> Asked:
    return Asked(Route.ANSWER, "A", answered, 0.9, "how_to", ("A",), 0.0, {}, {})


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (["A", "B", None, "A"], OperatingPoint(0.75, 1 / 3)),
        (["A", None, None, None], OperatingPoint(0.25, 0.0)),
        ([None, None, None, None], OperatingPoint(0.0, None)),
    ],
)
def test_the_operating_point_counts_the_answers_given_and_the_wrong_ones_among_them(
    answered: list[str | None], expected: OperatingPoint
) -> None:
    labels = ["A", "B", "A", "nothing"]

    assert operating_point(labels, [asked(one) for one in answered]) == expected


def test_a_picture_has_a_line_and_a_point_for_each_part_and_is_the_same_file_each_time(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw_risk_coverage(BenchResult("hint3", [SHOES, HATS]), tmp_path / name)

    drawn = (tmp_path / "one.svg").read_text()
    assert drawn == (tmp_path / "two.svg").read_text()
    assert [f'id="curve-{part}"' in drawn for part in ("shoes", "hats")] == [True, True]
    assert [f'id="operating-point-{part}"' in drawn for part in ("shoes", "hats")] == [True, False]
    assert "shoes: answers 70%, 20% of it wrong" in drawn
    assert "hats: answers nothing" in drawn


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"gone.x\.svg: can't be written"):
        draw_risk_coverage(BenchResult("hint3", [SHOES]), tmp_path / "gone" / "x.svg")


def test_no_other_command_pays_for_the_drawing() -> None:
    process = FORKS.Process(target=_load_all_but_the_drawing, daemon=True)
    process.start()
    process.join()

    assert process.exitcode == 0


def _load_all_but_the_drawing() -> None:
    for command in commands().values():
        command.load()
    import_module("evals.bench.hint3")
    sys.exit("matplotlib" in sys.modules)
