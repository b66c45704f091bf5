"""`helpgraph learn`, as an operator runs it."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.types import Kind
from evals.labels.file import Hand, HandLabels, labels_path
from tests.installed import EXAMPLE, copy_of
from tests.shell import Shell
from tools.knowledge.owner import Ownership
from tools.learned.model import LearnedModel, Trust
from tools.learned.shelf import SHIPPED, ModelShelf

TICKETS = EXAMPLE / "tickets.jsonl"


@pytest.fixture
def taught(shell: Shell, installed_by_words: Path) -> Shell:
    """A data folder with the example's articles, and no embedding model: minutes become seconds."""
    shutil.rmtree(shell.data_dir)
    copy_of(installed_by_words, shell.data_dir)
    return shell


THINGS = ["board", "report", "timer", "list", "chart", "form", "badge", "calendar", "sheet", "project", "invoice"]
THINGS += ["rate", "client", "task", "team"]
CRASHES = [{"text": f"the {thing} crashes", "kind": "bug"} for thing in THINGS]
WISHES = [{"text": f"please add a {thing}", "kind": "feature_request"} for thing in THINGS]


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A few tickets, for what doesn't depend on how much is learnt."""
    return _written(tmp_path, CRASHES + WISHES)


@pytest.fixture
def learnt(taught: Shell, some: Path) -> Shell:
    """A data folder that has learnt from `some`, whatever came of it."""
    code, said = taught.run("learn", str(some), "--force")
    assert code == 0, said
    assert "in use from the next start on" in said
    return taught


def test_learning_improves_the_engine_and_can_be_taken_back(taught: Shell) -> None:
    report = _report(taught, TICKETS)

    assert report["installed"] is True
    assert report["abilities"]["kind"]["after"]["n"] > 100
    assert report["abilities"]["kind"]["gain"]["value"] > 0.1
    listed = taught.run("learn", "--list")[1].split()
    model_id = listed[listed.index("*") + 1]
    assert model_id == report["model_id"]
    assert len(model_id) == 16
    assert taught.run("learn", "--rollback") == (0, "from the next start on: shipped")
    assert taught.run("learn", "--list")[1].startswith("* shipped")
    assert taught.run("learn", "--use", model_id)[0] == 0


def test_what_was_learnt_is_used_by_the_next_command(learnt: Shell) -> None:
    question = "we'd love a kanban view for our invoices"
    after = json.loads(learnt.run("ask", question, "--json")[1])
    assert learnt.run("learn", "--rollback")[0] == 0
    before = json.loads(learnt.run("ask", question, "--json")[1])

    heard = [asked["decision"]["understanding"]["kind_confidence"] for asked in (before, after)]
    assert heard[0] != heard[1]


def test_learning_the_same_again_replaces_nothing(learnt: Shell, some: Path) -> None:
    in_use = learnt.run("learn", "--list")[1].partition("* ")[2].split()[0]

    code, said = learnt.run("learn", str(some))

    assert code == 1
    assert "NOT used" in said
    assert "--force" in said
    assert learnt.run("learn", "--list")[1].partition("* ")[2].split()[0] == in_use


def test_a_dry_run_says_what_would_improve_and_uses_nothing(taught: Shell, some: Path) -> None:
    with some.open("a", encoding="utf-8") as file:
        file.write("\n" + _line(0, {"text": " ", "kind": "bug"}) + "\n")

    code, said = taught.run("learn", str(some), "--dry-run")

    assert code == 0, said
    assert "kind of message" in said
    assert f"line {len(CRASHES + WISHES) + 1}: the customer wrote nothing" in said
    assert taught.run("learn", "--list")[1].startswith("* shipped")


def test_a_damaged_model_is_named_and_the_shipped_one_answers(learnt: Shell, caplog: pytest.LogCaptureFixture) -> None:
    shelf = ModelShelf(learnt.data_dir, "orrery")
    (shelf.folder / shelf.in_use().model_id / "kind.npz").write_bytes(b"not an array")

    code, _ = learnt.run("ask", "how do I invite a colleague", "--json")

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
        ([], "holds no ticket"),
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


def test_labels_by_hand_are_learnt_from(shell: Shell, tmp_path: Path) -> None:
    entries = [{"text": f"the {thing} crashes"} for thing in THINGS]
    entries += [{"text": f"please add a {thing}"} for thing in THINGS]
    path = _written(tmp_path, entries)
    code, said = shell.run("learn", str(path))
    assert code == 2
    assert "there is nothing to learn" in said
    assert "`helpgraph tickets review`" in said

    hand = HandLabels.open(labels_path(path))
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        wish = "please" in line["messages"][0]["text"]
        hand.say(line["ticket_id"], "ada", Hand(kind=Kind.FEATURE_REQUEST if wish else Kind.BUG))
    report = _report(shell, path, "--force")

    assert report["learnt"]["kinds_from"] > 10
    model_id, date, *gain = shell.run("learn", "--list")[1].partition("* ")[2].split()
    assert model_id == report["model_id"]
    assert date == datetime.now(UTC).date().isoformat()
    assert gain[:2] == ["kind", f"{report['abilities']['kind']['gain']['value']:+.3f}"]


def test_links_that_teach_nothing_are_not_called_worse_than_what_is_in_use(taught: Shell, tmp_path: Path) -> None:
    """The addresses of two articles in replies say too little to learn from; no ticket has a label."""
    path = tmp_path / "t.jsonl"
    lines = [json.loads(_line(n, {"text": f"where is the {thing}"})) for n, thing in enumerate(THINGS * 2)]
    for number, line in enumerate(lines):
        line["messages"][0]["text"] += f" of team {chr(97 + number)}"
    reply = {"author": "agent", "text": "https://help.orrery.example/de/de-abo-kuendigen", "at": lines[0]["created_at"]}
    lines[0]["messages"].append(reply)
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    for options in ((), ("--force",)):
        code, said = taught.run("learn", str(path), *options)

        assert code == 2
        assert "0 say their kind, 0 say their category, 1 say the article" in said
        assert "is better" not in said
    assert taught.run("learn", "--list")[1] == "* shipped"


def test_tickets_in_three_languages_teach_each_of_them(shell: Shell, tmp_path: Path) -> None:
    sentences = {
        # In this team's words; what is shipped doesn't know them.
        "bug": ("The {} is red again", "{} ist schon wieder rot", "Otra vez está en rojo {}"),
        "feature_request": (
            "Please add colours to the {}",
            "Bitte Farben für {} einbauen",
            "Añadid colores a {} por favor",
        ),
    }
    entries = [
        {"text": sentence.format(thing), "kind": kind}
        for thing in THINGS
        for kind, said in sentences.items()
        for sentence in said
    ]

    report = _report(shell, _written(tmp_path, entries), "--force")

    assert report["installed"] is True
    assert report["abilities"]["kind"]["after"]["value"] > 0.9
    assert report["abilities"]["kind"]["gain"]["value"] > 0


def test_a_ticket_of_a_million_characters_is_learnt_from_like_any_other(shell: Shell, tmp_path: Path) -> None:
    entries = [dict(entry) for entry in CRASHES + WISHES]
    entries[3]["text"] = entries[-1]["text"] = "so many words " * 75_000

    report = _report(shell, _written(tmp_path, entries, newest_first=True))

    assert report["tickets"] == len(entries)
    assert report["refused_lines"] == 0


def test_what_stands_on_both_sides_of_the_split_is_measured_nowhere(shell: Shell, tmp_path: Path) -> None:
    """The same words again, with other numbers: memorising them must not look like having learnt."""
    entries = [{"text": f"the {thing} crashes", "kind": "bug"} for thing in THINGS[:10]]
    entries += [{"text": f"please add a {thing}", "kind": "feature_request"} for thing in THINGS[:10]]
    entries += [{"text": f"{n}. Please: add a {thing}!", "kind": "bug"} for n, thing in enumerate(THINGS[:6])]
    entries += [{"text": f"how do I find my {thing}", "kind": "how_to"} for thing in THINGS[10:]]

    report = _report(shell, _written(tmp_path, entries), "--newer-share", str(11 / 31))

    assert (report["measured_on"], report["repetitions_left_out"]) == (5, 6)


def test_beside_a_server_it_says_what_to_do(shell: Shell) -> None:
    with Ownership(shell.data_dir):
        code, said = shell.run("learn", str(TICKETS))

    assert code == 2
    assert f"in use by another process (pid {os.getpid()}); stop it" in said
    assert "Traceback" not in said


@pytest.fixture
def of_another_embedder(shell: Shell) -> str:
    """The id of a model in use that was learnt with an embedding model; the shell has none."""
    shelf = ModelShelf(shell.data_dir, "orrery")
    model_id = shelf.add(LearnedModel("minilm-int8", trust=Trust(0.5, -1.0)))
    shelf.use(model_id)
    return model_id


def test_a_model_of_another_embedder_is_not_used_and_that_is_said(
    shell: Shell, of_another_embedder: str, caplog: pytest.LogCaptureFixture
) -> None:
    code, _ = shell.run("ask", "how do I invite a colleague", "--json")

    assert code == 0
    assert (
        f"NOT used, going on with what is shipped model_id={of_another_embedder} its=minilm-int8 ours=none"
        in caplog.text
    )
    assert "HELPGRAPH_EMBEDDING" in caplog.text


def test_learning_compares_with_what_is_really_used(shell: Shell, of_another_embedder: str, some: Path) -> None:
    report = _report(shell, some, "--dry-run")

    assert report["compared_with"] == "shipped"


@pytest.mark.parametrize("how", ["use", "rollback"])
def test_choosing_a_model_of_another_embedder_fails_loudly(
    shell: Shell, of_another_embedder: str, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    if how == "rollback":
        ModelShelf(shell.data_dir, "orrery").use(SHIPPED)

    code, said = shell.run("learn", *(["--use", of_another_embedder] if how == "use" else ["--rollback"]))

    assert code == 1
    assert "from the next start on" not in said
    assert "NOT used" in caplog.text


def _report(shell: Shell, path: Path, *options: str) -> dict[str, Any]:
    code, said = shell.run("learn", str(path), "--json", *options)
    assert code in (0, 1), said
    report: dict[str, Any] = json.loads(said[said.index("{") : said.rindex("}") + 1])
    return report


def _written(folder: Path, entries: list[dict[str, str]], *, newest_first: bool = False) -> Path:
    path = folder / "tickets.jsonl"
    lines = [_line(n, entry) for n, entry in enumerate(entries)]
    path.write_text("\n".join(reversed(lines) if newest_first else lines), encoding="utf-8")
    return path


def _line(number: int, entry: dict[str, str]) -> str:
    return json.dumps(
        {
            "ticket_id": f"t{number:03d}",
            "created_at": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)).isoformat(),
            "messages": [{"author": "customer", "text": entry["text"]}],
            "gold": {"kind": entry["kind"]} if "kind" in entry else None,
        }
    )
