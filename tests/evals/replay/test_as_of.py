"""A ticket is replayed with what there was on its day, and what breaks on our side is counted apart."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evals.replay.models import ModelsInTime
from graphs.assembly import open_runtime
from graphs.settings import load_settings
from tests.evals.replay.conftest import Replaying
from tests.evals.replay.runs import cases
from tests.installed import EXAMPLE
from tests.shell import Shell
from tools.learned.model import LearnedModel
from tools.learned.shelf import SHIPPED, ModelShelf

QUESTION = "How do I reset my password? I forgot it."


def write_tickets(path: Path, *days: str, text: str = QUESTION) -> Path:
    lines = [
        {"ticket_id": f"T-{day}", "created_at": f"{day}T09:00:00Z", "messages": [{"author": "customer", "text": text}]}
        for day in days
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_articles_published_later_or_written_from_the_ticket_are_left_out(
    replaying: Replaying, shell: Shell, tmp_path: Path
) -> None:
    articles = Path(shutil.copytree(EXAMPLE / "articles", tmp_path / "articles"))
    article = articles / "reset-password.md"
    text = article.read_text(encoding="utf-8")
    assert text.startswith("---\n")
    dated = "---\npublished_on: 2026-03-01\nfrom_tickets: [T-2026-05-01]\n"
    article.write_text(text.replace("---\n", dated, 1), encoding="utf-8")
    code, said = shell.run("ingest", str(articles))
    assert code == 0, said

    tickets = write_tickets(tmp_path / "tickets.jsonl", "2026-02-28", "2026-03-02", "2026-05-01", "2026-05-02")
    code, said = replaying(tickets, tmp_path / "run", "--workers", "1")

    assert code == 0, said
    found = [{each["article_id"] for each in case["turns"][0]["found"]} for case in cases(tmp_path / "run")]
    assert ["reset-password" in each for each in found] == [False, True, False, True]
    assert [case["as_of"]["articles_left_out"] for case in cases(tmp_path / "run")] == [1, 0, 1, 0]


async def test_a_ticket_meets_the_newest_model_that_had_not_learnt_from_its_time(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(workspace=EXAMPLE, data_dir=shell.data_dir)
    shelf = ModelShelf(shell.data_dir, "orrery")
    until = ("2026-03-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00")
    first, second = (shelf.add(LearnedModel("", report={"learnt_until": day})) for day in until)
    for model_id in (first, second):
        shelf.use(model_id)

    async with open_runtime(settings) as runtime:
        models = ModelsInTime.of(runtime)

    assert models.current == second
    days = (datetime(2026, month, 2, tzinfo=UTC) for month in (2, 3, 7))
    assert [models.at(day) for day in days] == [SHIPPED, first, second]
    assert models.at(datetime(2026, 3, 1, tzinfo=UTC)) == SHIPPED


def test_a_ticket_that_takes_too_long_is_a_failure_of_ours_and_the_rest_goes_on(
    replaying: Replaying, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = write_tickets(tmp_path / "tickets.jsonl", "2026-02-28", "2026-03-02")
    monkeypatch.setenv("HELPGRAPH_TURN_TIMEOUT_S", "0.0001")

    code, said = replaying(tickets, tmp_path / "run", "--workers", "1")

    assert code == 1, said
    assert "2 failed on our side" in said
    failed = cases(tmp_path / "run")
    assert [case["ending"] for case in failed] == ["failed", "failed"]
    assert [case["failure"] for case in failed] == [
        {"error": "TimeoutError", "message": "builtins.TimeoutError", "attempts": 2}
    ] * 2
    scored = [json.loads(line)["score"] for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()]
    assert {score["status"] for score in scored} == {"failed"}
