"""Tables become tickets: as helpdesks and spreadsheets write them, with what is refused named by its row."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.tickets.jsonl import read_tickets
from tests.shell import Shell

HEADER = ["ID", "Ticket Subject", "Description", "Agent Reply", "Requester", "Status", "Created at", "Tags", ""]
HTML = '<p>Hello Jörg,<br>see <a href="https://help.shop.example/pair?x=1">this page</a>,\nand "wait".</p>'
ROWS = [
    [
        "1",
        "Won't pair",
        "It blinks,\nfor ever; why?",
        HTML,
        "Jörg Müller",
        "Solved",
        "2026-07-02 18:31:00 UTC",
        "a b",
        "",
    ],
    ["2", "", "How, exactly?", "", "Ana Ñúñez", "Open", "02.07.2026 19:00", "", ""],
]


def table(*rows: list[str], delimiter: str = ",") -> str:
    """Rows with every cell in quotation marks that needs them."""

    def cell(text: str) -> str:
        needs = any(char in text for char in f'{delimiter}"\n')
        return '"' + text.replace('"', '""') + '"' if needs else text

    return "".join(delimiter.join(map(cell, row)) + "\r\n" for row in rows)


def converted(shell: Shell, path: Path, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    """What came of a file: the exit code, what was said, and the tickets."""
    out = path.with_name("out.jsonl")
    code, said = shell.run("tickets", "convert", str(path), "--out", str(out), *options)
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    return code, said, [json.loads(line) for line in lines]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_table_with_usual_columns_becomes_tickets(
    shell: Shell, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(table(HEADER, *ROWS, delimiter=delimiter).encode(encoding))

    code, said, (one, other) = converted(shell, path)

    assert code == 0, said
    assert "2 tickets written" in said
    assert one["created_at"] == "2026-07-02T18:31:00+00:00"
    assert one["status"] == "solved"
    assert one["resolved_by"] == "agent"
    assert one["tags"] == ["a", "b"]
    question, reply = one["messages"]
    assert question["text"] == "Won't pair\nIt blinks,\nfor ever; why?"
    assert reply["text"] == 'Hello [name],\nsee this page, and "wait".'
    assert reply["links"] == ["https://help.shop.example/pair"]
    assert other["messages"][0]["text"] == "How, exactly?"
    assert other["created_at"] == "2026-07-02T19:00:00+00:00"
    assert one["user_id"] != other["user_id"]


def test_other_columns_are_named(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(table(["Nr, ours", "What", "When", "Status"], ["7", "Where is it?", "2026-07-02", "open"]))

    code, said, _ = converted(shell, path)
    assert code == 2
    assert "which column is id and which is created and which is question isn't certain" in said
    assert "it has `Nr, ours`, `What`, `When`, `Status`" in said
    assert f'helpgraph tickets convert {path} --columns "id=COLUMN,created=COLUMN,' in said

    code, said, (ticket,) = converted(shell, path, "--columns", "id=Nr, ours,created=When,question=What,status=")
    assert code == 0, said
    assert ticket["ticket_id"] == "7"
    assert ticket["status"] is None

    code, said, _ = converted(shell, path, "--columns", "id=Number")
    assert code == 2
    assert "has no column 'Number'" in said
    code, said, _ = converted(shell, path, "--columns", "colour=What")
    assert code == 2
    assert "a field is one of id, created, question" in said


def test_what_can_t_be_read_is_named_by_its_row(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = [
        ["1", "two\nlines", "2026-07-02"],
        ["2", "When?", "yesterday"],
        ["", "Who?", "2026-07-02"],
        ["4", "short"],
        ["5", "", "2026-07-02"],
    ]
    path.write_text(table(["id", "question", "created"], *rows))

    code, said, tickets = converted(shell, path)

    assert code == 0, said
    assert [ticket["ticket_id"] for ticket in tickets] == ["1"]
    assert "refused: 1 x created: a time that can't be read, wanted is 2026-07-31 18:05" in said
    assert all(f"row {number}: " in said for number in (3, 4, 5, 6))


@pytest.mark.parametrize(
    ("dates", "options", "months"),
    [
        (["07/08/2026", "31/07/2026"], [], [8, 7]),
        (["07/08/2026 6:05 PM", "07/31/2026 12:00 am"], [], [7, 7]),
        (["07/08/2026", "08/07/2026"], ["--dates", "dmy"], [8, 7]),
        (["07/08/2026", "08/07/2026"], ["--dates", "mdy"], [7, 8]),
        (["31 Jul 2026 18:05", "Aug 3, 2026"], [], [7, 8]),
        (["1783000000", "2026-08-03T10:00:00+02:00"], [], [7, 8]),
    ],
)
def test_dates_in_usual_forms(
    shell: Shell, tmp_path: Path, dates: list[str], options: list[str], months: list[int]
) -> None:
    path = tmp_path / "export.csv"
    rows = [[str(n), "How?", date] for n, date in enumerate(dates)]
    path.write_text(table(["id", "question", "created"], *rows))

    code, said, tickets = converted(shell, path, *options)

    assert code == 0, said
    by_id = sorted(tickets, key=lambda ticket: ticket["ticket_id"])
    assert [int(ticket["created_at"][5:7]) for ticket in by_id] == months


def test_dates_that_may_be_read_both_ways_are_asked_about(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(table(["id", "question", "created"], ["1", "How?", "07/08/2026"]))

    code, said, _ = converted(shell, path)

    assert code == 2
    assert "whether the day or the month comes first: say `--dates dmy`" in said


def test_other_commands_read_a_table_too_and_what_is_none_has_no_columns(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    path.write_bytes(gzip.compress(table(HEADER, *ROWS).encode()))
    assert [ticket.ticket_id for ticket in read_tickets(path).tickets] == ["1", "2"]

    code, said, _ = converted(shell, path, "--format", "zendesk")
    assert code == 2
    assert "is CSV; zendesk was asked for" in said
    lines = tmp_path / "own.jsonl"
    lines.write_text('{"ticket_id": "1"}\n')
    code, said, _ = converted(shell, lines, "--format", "csv")
    assert code == 2
    assert "is no CSV; csv was asked for" in said
