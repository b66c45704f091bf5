"""The files of a report: the same numbers as the summary's, the same bytes for the same run, and small."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.errors import BadTurn, Misconfigured
from evals.report.choosing import Limits
from evals.report.figures import interval, shown
from evals.report.lines import scored_lines
from evals.report.verdicts import MISTAKEN, verdict_of
from evals.report.write import write_report
from evals.scoring.measures import BY_NAME
from tests.evals.report.making import MANIFEST, make_big_run, make_run, report_of, some_baseline, some_pairs
from tests.evals.scoring.making import POLICY, answer, case, how_to


def embedded(html: str, name: str) -> Any:
    """The JSON that the page carries."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def rows_of(html: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = embedded(html, "data")["rows"]
    return rows


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (report_of(make_run(tmp_path / name, some_pairs())) for name in ("a", "b"))

    assert [path.name for path in one] == ["report.html", "report.json", "report.md"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_json_is_the_summary_with_what_it_was_made_from(tmp_path: Path) -> None:
    made = make_run(tmp_path, some_pairs())

    report_of(made)

    content = orjson.loads((tmp_path / "report.json").read_bytes())
    assert content["summary"] == orjson.loads(orjson.dumps(made.summary.to_json()))
    assert content["manifest"] == orjson.loads(orjson.dumps(MANIFEST))
    assert content["baseline"] == some_baseline().to_json()
    assert sum(content["verdicts"].values()) == made.summary.counts.cases


def test_markdown_has_the_summarys_figures(tmp_path: Path) -> None:
    made = make_run(tmp_path, some_pairs())

    report_of(made)

    lines = (tmp_path / "report.md").read_text().splitlines()
    for name in ("containment", "wrong_containment", "escalation_recall", "expected_cost"):
        metric = made.summary.metrics[name]
        cells = [BY_NAME[name].title, shown(name, metric.value), interval(metric), str(metric.n), str(metric.unscored)]
        start = "| " + " | ".join(cell.replace("\u00a0", " ") for cell in cells) + " |"
        assert any(line.startswith(start) for line in lines), start
    assert "| Sign-in |" in "\n".join(lines)


def test_markdown_from_a_ticket_stays_text(tmp_path: Path) -> None:
    made = make_run(
        tmp_path, [(case(answer(), ticket_id="T-1"), how_to("T-1", category="a|b <img src=x> [c](http://d)"))]
    )

    report_of(made)

    text = (tmp_path / "report.md").read_text()
    assert r"a\|b \<img src=x\> \[c\](http://d)" in text


def test_a_run_that_knows_nothing_has_a_report(tmp_path: Path) -> None:
    pairs = [(made.model_copy(update={"ending": "failed", "turns": ()}), None) for made, _ in some_pairs()]

    report_of(make_run(tmp_path, pairs), baseline=None)

    assert len(rows_of((tmp_path / "report.html").read_text())) == len(pairs)


def test_a_run_without_labels_has_a_report(tmp_path: Path) -> None:
    report_of(make_run(tmp_path, [(made, None) for made, _ in some_pairs()]), baseline=None)

    assert "unscored" in (tmp_path / "report.md").read_text()


def test_scores_of_other_cases_are_refused(tmp_path: Path) -> None:
    made = make_run(tmp_path, some_pairs())
    scores = (tmp_path / "scores.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "scores.jsonl").write_bytes(b"".join(scores[:-1]))

    with pytest.raises(BadTurn, match="score the run again"):
        report_of(made)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    made = make_run(tmp_path, some_pairs())
    (tmp_path / "report.html").mkdir()

    with pytest.raises(Misconfigured, match=r"can't be written"):
        report_of(made)


def test_a_big_run_fits_a_page_that_says_what_it_leaves_out(tmp_path: Path) -> None:
    made = make_big_run(tmp_path, 20_000)

    report_of(made)

    html = (tmp_path / "report.html").read_text()
    rows = rows_of(html)
    assert len(html.encode()) < 20_000_000
    assert len(rows) == len(embedded(html, "details")) == 2_000
    assert "This page carries 2,000 of 20,000 cases" in html
    # What other parts of the report point at can be opened.
    assert {mistake.ticket_id for mistake in made.summary.mistakes} <= {row["id"] for row in rows}
    # The dearest mistakes are all there, and still something of everything.
    verdicts = [row["verdict"] for row in rows]
    assert sum(verdict in MISTAKEN for verdict in verdicts) > 1_500
    assert set(verdicts) == {verdict_of(one["score"]) for one in scored_lines(tmp_path)}


def test_the_sample_is_in_proportion(tmp_path: Path) -> None:
    made = make_big_run(tmp_path, 2_400)

    report_of(made, limits=Limits(cases=1_200))

    # These kinds of case are as many as each other in the run: none crowds out another.
    verdicts = [row["verdict"] for row in rows_of((tmp_path / "report.html").read_text())]
    counts = [verdicts.count(verdict) for verdict in ("asked", "open", "unscored", "courtesy", "failed", "leaked")]
    assert max(counts) - min(counts) <= 2


def test_another_seed_draws_others(tmp_path: Path) -> None:
    made = make_big_run(tmp_path, 1_200)

    drawn = []
    for seed in (1, 2):
        report_of(made, limits=Limits(cases=100), seed=seed)
        drawn.append({row["id"] for row in rows_of((tmp_path / "report.html").read_text())})

    assert drawn[0] != drawn[1]


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    made = make_run(tmp_path, some_pairs(says="<" * 100_000))

    report_of(made, limits=Limits(size_bytes=60_000))

    html = (tmp_path / "report.html").read_text()
    assert len(html.encode()) < 250_000
    assert f"of {len(some_pairs())} cases" in html


@pytest.mark.parametrize(("target", "tone"), [(None, ""), ((0.1, 0.9), "good"), ((0.9, 1.0), "bad")])
def test_the_first_number_is_coloured_by_the_target_ranges_alone(
    tmp_path: Path, target: tuple[float, float] | None, tone: str
) -> None:
    categories = tuple(replace(known, target_containment=target) for known in POLICY.categories)
    pairs = [pair for pair in some_pairs() if pair[1] is not None]
    made = make_run(tmp_path / "run", pairs * 3, replace(POLICY, categories=categories))

    page = report_of(made)[0].read_text(encoding="utf-8")

    assert re.findall(r'<li class="card ([a-z]*)">', page) == [tone, "", "", "", ""]


def test_where_nothing_was_answered_no_dot_is_spoken_of(tmp_path: Path) -> None:
    handed = [pair for pair in some_pairs() if pair[0].ticket_id in ("T-handed", "T-needless")]

    page = report_of(make_run(tmp_path / "run", handed))[0].read_text(encoding="utf-8")

    assert "answered at once (0.0" in page
    assert "red dot" not in page
    assert " of these wrongly" not in page


def test_the_heading_is_the_workspace_s_name(tmp_path: Path) -> None:
    named = {**MANIFEST, "workspace": {"workspace_id": "acme", "name": "Acme & Sons"}}
    made = make_run(tmp_path / "run", some_pairs())

    written = write_report(made.folder, made.summary, scored_lines(made.folder), named, made.policy, baseline=None)

    assert "<h1>What would have happened: Acme &amp; Sons</h1>" in written[0].read_text(encoding="utf-8")
