"""`helpgraph tickets convert` and `profile`, as an operator runs them."""

import json
import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from evals.tickets.draft import Draft
from evals.tickets.intake import Intake, Taken
from evals.tickets.jsonl import read_tickets
from tests.evals.tickets import vendors
from tests.evals.tickets.vendors import own, written
from tests.installed import EXAMPLE, copy_of
from tests.shell import Shell

TICKETS = EXAMPLE / "tickets.jsonl"


@pytest.mark.parametrize("format_", ["zendesk", "intercom", "freshdesk"])
def test_an_export_becomes_our_own_scrubbed_lines(shell: Shell, tmp_path: Path, format_: str) -> None:
    record = {"zendesk": vendors.zendesk(), "intercom": vendors.intercom(), "freshdesk": vendors.freshdesk()}[format_]
    path, out = written(tmp_path / "export.json", record, "{broken"), tmp_path / "tickets.jsonl"

    code, said = shell.run("tickets", "convert", str(path), "--out", str(out))

    assert code == 0
    assert f"1 tickets written to {out}" in said
    assert "refused: 1 x no JSON" in said
    assert "Grete" not in out.read_text(encoding="utf-8")
    (line,) = out.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["messages"][0]["author"] == "customer"
    (before,), (after,) = read_tickets(path).tickets, read_tickets(out).tickets
    assert after.entries == before.entries
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == ["export.json", "tickets.jsonl"]


def test_html_in_our_own_lines_becomes_text_and_what_is_written_about_tags_stays(shell: Shell, tmp_path: Path) -> None:
    letter = (
        'Hi,<br><br>it won&#39;t pair.<br>Thanks, Mrs O\u2019Neill <a href="https://help.shop.example/pair">here</a>'
    )
    page = "The <b> in our <div class='x'> is lost\nsince May"
    about = "<p>The tag &lt;br&gt; is lost</p>"
    messages = [{"author": "customer", "text": text} for text in (letter, page, about)]
    path, out, again = (tmp_path / name for name in ("own.jsonl", "out.jsonl", "again.jsonl"))
    written(path, {**own(1), "messages": messages})

    assert shell.run("tickets", "convert", str(path), "--out", str(out))[0] == 0
    assert shell.run("tickets", "convert", str(out), "--out", str(again))[0] == 0

    found = json.loads(out.read_text(encoding="utf-8"))["messages"]
    assert found[0]["text"].endswith("Hi,\n\nit won't pair.\nThanks, Mrs [name] here")
    assert found[0]["links"] == ["https://help.shop.example/pair"]
    assert found[1]["text"] == page
    assert found[2]["text"] == "The tag <br> is lost"
    assert again.read_bytes() == out.read_bytes()


def test_converting_keeps_every_ticket_of_the_example_and_its_labels(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "tickets.jsonl"

    assert shell.run("tickets", "convert", str(TICKETS), "--out", str(out))[0] == 0

    before, after = read_tickets(TICKETS).tickets, read_tickets(out).tickets
    assert [(each.ticket_id, each.gold, each.entries) for each in after] == [
        (each.ticket_id, each.gold, each.entries) for each in before
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere/t.jsonl", "--out", "o"], "can't be read"),
        (["t", "--out", "t"], "--out is the export itself"),
        (["t", "--out", "/nowhere/o"], "can't be written"),
        (["t", "--out", "o", "--format", "jira"], "no format 'jira': own, zendesk, intercom, freshdesk"),
        (["t", "--out", "o", "--format", "intercom"], "intercom was asked for"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(shell: Shell, tmp_path: Path, arguments: list[str], said: str) -> None:
    written(tmp_path / "t", own(1))

    code, output = shell.run("tickets", "convert", *arguments)

    assert code == 2
    assert said in output
    assert "Traceback" not in output
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["t"]


def test_a_profile_counts_what_is_in_the_file(shell: Shell, installed_by_words: Path) -> None:
    shutil.rmtree(shell.data_dir)
    copy_of(installed_by_words, shell.data_dir)
    gold = Counter(ticket.gold.category for ticket in read_tickets(TICKETS).tickets)

    code, said = shell.run("tickets", "profile", str(TICKETS), "--json")

    assert code == 0
    found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert found["tickets"] == 429
    assert {each["category"]: each["tickets"] for each in found["categories"]} == gold
    assert 3 <= len(found["proposed"]) <= 5
    assert found["told"][0] == "refused: 1 x the customer wrote nothing"
    assert sum(map(sum, found["hours"])) == 429


def test_a_profile_is_readable(shell: Shell, installed_by_words: Path) -> None:
    shutil.rmtree(shell.data_dir)
    copy_of(installed_by_words, shell.data_dir)

    code, said = shell.run("tickets", "profile", str(TICKETS))

    assert code == 0
    assert "429 tickets from 2026-07-20 to 2026-11-18, 25 a week" in said
    assert "Password and sign-in 36 8.4% 67/31/3%" in said
    assert "Begin with 1." in said
    assert "hours of Europe/Berlin" in said


@pytest.mark.parametrize("command", ["convert", "profile"])
def test_ctrl_c_while_reading_stops_at_once_and_leaves_nothing(
    shell: Shell, installed_by_words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    shutil.rmtree(shell.data_dir)
    copy_of(installed_by_words, shell.data_dir)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    path, out = written(tmp_path / "t", *(own(n, custom="x" * 100_000) for n in range(400))), tmp_path / "out"
    taken = 0

    class Interrupted(Intake):
        def take(self, draft: Draft) -> Taken:
            nonlocal taken
            taken += 1
            if taken == 10:
                os.kill(os.getpid(), signal.SIGINT)
            return super().take(draft)

    monkeypatch.setattr("evals.tickets.reading.Intake", Interrupted)
    # What runs in the background may ignore Ctrl-C, tests and all.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, said = shell.run("tickets", command, str(path), *(["--out", str(out)] if command == "convert" else []))
    finally:
        signal.signal(signal.SIGINT, before)

    assert code == 130
    assert "Traceback" not in said
    assert "stopped: " + ("nothing was written" if command == "convert" else "a profile writes nothing") in said
    assert taken < 400
    assert not out.exists()
    assert not list((tmp_path / "scratch").iterdir())


def test_every_refused_line_is_named_and_how_many_are_missing_is_said(shell: Shell, tmp_path: Path) -> None:
    lines = [own(1), *("{broken" for _ in range(60)), own(2)]
    path, out = written(tmp_path / "t", *lines), tmp_path / "out"

    code, said = shell.run("tickets", "convert", str(path), "--out", str(out))

    assert code == 0
    assert "60 of 62 records are in none of them" in said
    assert all(f"line {number}: no JSON" in said for number in range(2, 52))
    assert "line 52:" not in said
    assert "and 10 more" in said
