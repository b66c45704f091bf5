"""`helpgraph learn`, as an operator runs it."""

import json
from pathlib import Path

import pytest

from tests.evals.shell import EXAMPLE, Shell

TICKETS = EXAMPLE / "tickets.jsonl"


@pytest.fixture
def taught(shell: Shell) -> Shell:
    """A data folder with the example's articles, and no embedding model: minutes become seconds."""
    assert shell.run("ingest", str(EXAMPLE / "articles"))[0] == 0
    return shell


def test_learning_says_what_improved_and_can_be_taken_back(taught: Shell) -> None:
    code, said = taught.run("learn", str(TICKETS))

    assert code == 0, said
    assert "kind of message" in said
    assert "in use from the next start on" in said
    assert "line 306: the customer wrote nothing" in said
    listed = taught.run("learn", "--list")[1].split()
    model_id = listed[listed.index("*") + 1]
    assert len(model_id) == 16
    assert taught.run("learn", "--rollback") == (0, "from the next start on: shipped")
    assert taught.run("learn", "--list")[1].startswith("* shipped")
    assert taught.run("learn", "--use", model_id)[0] == 0


def test_what_was_learnt_is_used_by_the_next_command(taught: Shell) -> None:
    question = "we'd love a kanban view for our invoices"
    before = json.loads(taught.run("ask", question, "--json")[1])
    taught.run("learn", str(TICKETS), "--force")
    after = json.loads(taught.run("ask", question, "--json")[1])

    heard = [asked["decision"]["understanding"]["kind_confidence"] for asked in (before, after)]
    assert heard[0] != heard[1]


def test_learning_the_same_again_replaces_nothing(taught: Shell) -> None:
    taught.run("learn", str(TICKETS))
    code, said = taught.run("learn", str(TICKETS))

    assert code == 1
    assert "NOT used" in said
    assert "--force" in said


def test_a_dry_run_keeps_the_model_and_uses_nothing(taught: Shell) -> None:
    code, said = taught.run("learn", str(TICKETS), "--dry-run", "--json")
    report = json.loads(said[said.index("{") :])

    assert code == 0
    assert report["installed"] is None
    assert report["abilities"]["kind"]["after"]["n"] > 100
    assert report["abilities"]["kind"]["gain"]["value"] > 0.1
    assert taught.run("learn", "--list")[1].startswith("* shipped")


def test_a_damaged_model_is_named_and_the_shipped_one_answers(taught: Shell, caplog: pytest.LogCaptureFixture) -> None:
    taught.run("learn", str(TICKETS), "--force")
    (folder,) = (path for path in (taught.data_dir / "learned" / "orrery").iterdir() if path.is_dir())
    (folder / "kind.npz").write_bytes(b"not an array")

    code, _ = taught.run("ask", "how do I invite a colleague", "--json")

    assert code == 0
    assert "the learnt model is damaged and NOT used" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "give a file of tickets"),
        (["--rollback", "--list"], "give a file of tickets"),
        (["--rollback"], "nothing to go back to"),
        (["--use", "nope"], "no model 'nope'"),
        (["/nowhere/tickets.jsonl"], "can't be read"),
    ],
)
def test_wrong_use_is_explained(shell: Shell, arguments: list[str], expected: str) -> None:
    code, said = shell.run("learn", *arguments)

    assert code == 2
    assert expected in said


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["nonsense"] * 3, "holds no ticket"),
        ([{"text": "one"}] * 3, "at least 20 are needed"),
        ([{"text": f"words {chr(97 + n)}"} for n in range(26)], "nothing to learn"),
        ([{"text": f"words {chr(97 + n)}", "kind": "bug"} for n in range(26)], "nothing to learn"),
    ],
)
def test_tickets_that_teach_nothing_are_refused(
    shell: Shell, tmp_path: Path, lines: list[dict[str, str] | str], expected: str
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else _line(n, x) for n, x in enumerate(lines)), encoding="utf-8")

    code, said = shell.run("learn", str(path))

    assert code == 2
    assert expected in said


def test_labels_that_never_come_again_do_no_harm(shell: Shell, tmp_path: Path) -> None:
    """Older tickets are bugs and wishes, newer ones are questions only."""
    entries = [{"text": f"crash of part {chr(97 + n)}", "kind": "bug"} for n in range(10)]
    entries += [{"text": f"please add thing {chr(97 + n)}", "kind": "feature_request"} for n in range(10)]
    entries += [{"text": f"how do I find {chr(97 + n)}", "kind": "how_to"} for n in range(8)]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(_line(n, entry) for n, entry in enumerate(entries)), encoding="utf-8")

    code, said = shell.run("learn", str(path))

    assert code in (0, 1), said
    assert "kind of message" in said


def _line(number: int, entry: dict[str, str]) -> str:
    return json.dumps(
        {
            "ticket_id": f"t{number}",
            "created_at": f"2026-01-{1 + number:02d}T00:00:00Z",
            "messages": [{"author": "customer", "text": entry["text"]}],
            "gold": {"kind": entry["kind"]} if "kind" in entry else None,
        }
    )
