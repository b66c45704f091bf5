"""Every metric is in docs/scores.md."""

from pathlib import Path

from evals.scoring.measures import HEADLINES
from evals.scoring.summary import summarise
from tests.evals.scoring.making import POLICY

PAGE = (Path(__file__).parents[3] / "docs" / "scores.md").read_text()


def test_every_metric_is_documented() -> None:
    missing = [name for name in summarise([], {}, [], POLICY).metrics if f"`{name}`" not in PAGE]

    assert missing == []


def test_every_headline_stands_in_the_table_with_its_partners() -> None:
    table = PAGE[PAGE.index("| headline |") :].splitlines()

    for headline in HEADLINES:
        row = next(line for line in table if f"`{headline.name}`" in line.split("|")[1])
        assert headline.better in row
        assert {f"`{partner}`" in row.split("|")[3] for partner in headline.partners} <= {True}
