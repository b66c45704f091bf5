"""Labels by hand: the last one wins, nothing is lost, and a process may die at any byte."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.errors import Misconfigured
from agent.types import Kind
from evals.labels.file import Hand, HandLabels, labeller_name, labels_path

HOW_TO, BUG = Hand(kind=Kind.HOW_TO), Hand(kind=Kind.BUG, articles=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.labels.jsonl"


def test_the_last_label_of_each_labeller_and_ticket_wins(path: Path) -> None:
    labels = HandLabels.open(path)
    for ticket_id, labeller, label in [
        ("1", "ada", HOW_TO),
        ("2", "ada", BUG),
        ("1", "ben", HOW_TO),
        ("1", "ada", BUG),
    ]:
        labels.say(ticket_id, labeller, label)

    again = HandLabels.open(path)

    assert again.by("ada") == {"1": BUG, "2": BUG}
    assert again.by("ben") == {"1": HOW_TO}
    assert again.about("1") == (BUG, HOW_TO)
    assert again.labellers == ("ada", "ben")
    assert len(path.read_bytes().splitlines()) == 4


def test_undo_brings_back_what_was_said_before_and_only_ones_own(path: Path) -> None:
    labels = HandLabels.open(path)
    for labeller, label in [("ada", HOW_TO), ("ben", HOW_TO), ("ada", BUG)]:
        labels.say("1", labeller, label)

    assert labels.undo("1", "ada") == HOW_TO
    assert labels.last("ada") == "1"
    assert labels.undo("1", "ada") is None
    assert labels.last("ada") is None
    assert labels.undo("1", "ada") is None
    assert HandLabels.open(path).labellers == ("ben",)


def test_a_label_that_says_nothing_is_none(path: Path) -> None:
    labels = HandLabels.open(path)
    labels.say("1", "ada", HOW_TO)
    labels.say("1", "ada", Hand())

    assert (labels.of("1", "ada"), labels.by("ada"), labels.labellers) == (None, {}, ())
    assert labels.undo("1", "ada") == HOW_TO


def test_a_process_that_dies_at_any_byte_of_a_line_costs_that_line_alone(path: Path) -> None:
    labels = HandLabels.open(path)
    labels.say("1", "ada", HOW_TO)
    kept = path.read_bytes()
    labels.say("2", "ada", BUG)
    whole = path.read_bytes()

    for cut in range(len(kept), len(whole)):
        path.write_bytes(whole[:cut])
        after = HandLabels.open(path)
        assert after.by("ada") == {"1": HOW_TO}
        after.say("3", "ada", BUG)
        again = HandLabels.open(path)
        # Without its line end alone, the line is whole: it counts once the next one ends it.
        lost = {"2"} if cut < len(whole) - 1 else set()
        assert again.by("ada").keys() == {"1", "2", "3"} - lost, cut
        assert len(again.damaged) == (1 if lost and cut > len(kept) else 0)


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\n", b"[1]\n", b'{"ticket_id": "1"}\n', b'{"format": 2, "ticket_id": "1"}\n']
)
def test_lines_of_somebody_else_are_counted_and_passed_over(path: Path, junk: bytes) -> None:
    path.write_bytes(junk)
    labels = HandLabels.open(path)
    labels.say("1", "ada", BUG)

    assert labels.damaged == (1,)
    assert labels.by("ada") == {"1": BUG}


def test_what_others_wrote_meanwhile_is_seen(path: Path) -> None:
    mine, others = HandLabels.open(path), HandLabels.open(path)
    others.say("1", "ben", BUG)
    mine.say("1", "ada", HOW_TO)

    assert mine.about("1") == (BUG, HOW_TO)


WRITER = """
import sys
from pathlib import Path
from evals.labels.file import Hand, HandLabels
labels = HandLabels.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    labels.say(f"T-{number}", sys.argv[2], Hand(category="c" * (number % 50 + 1)))
"""


def start(path: Path, labeller: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), labeller, str(count)])


def test_two_processes_lose_and_mix_nothing(path: Path) -> None:
    writers = [start(path, labeller, 200) for labeller in ("ada", "ben")]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    labels = HandLabels.open(path)

    assert labels.damaged == ()
    assert len(labels.by("ada")) == len(labels.by("ben")) == 200


def test_a_killed_process_leaves_a_file_that_goes_on(path: Path) -> None:
    writer = start(path, "ada", 10**6)
    deadline = time.monotonic() + 60
    while (not path.exists() or path.stat().st_size < 5000) and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.kill()
    writer.wait(60)
    said = path.read_bytes().count(b"\n")

    labels = HandLabels.open(path)
    labels.say("after", "ada", BUG)

    assert said > 10
    assert len(HandLabels.open(path).by("ada")) >= said
    assert HandLabels.open(path).of("after", "ada") == BUG


def test_a_full_disk_is_said_and_nothing_is_claimed(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")

    with pytest.raises(Misconfigured, match="can't be written"):
        HandLabels(full).say("1", "ada", BUG)


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_anew(path: Path) -> None:
    labels = HandLabels.open(path)
    labels.say("1", "ada", HOW_TO)
    labels.say("2", "ada", HOW_TO)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])

    labels.refresh()

    assert labels.by("ada").keys() == {"1"}


def test_a_line_says_what_it_is(path: Path) -> None:
    labels = HandLabels.open(path)
    labels.say("1", "ada", BUG)
    labels.undo("1", "ada")
    said, undone = (json.loads(line) for line in path.read_text().splitlines())

    assert said.pop("at").startswith("20")
    assert said == {"format": 1, "ticket_id": "1", "labeller": "ada", "label": {"kind": "bug", "articles": []}}
    assert undone.keys() == {"format", "ticket_id", "labeller", "at", "undo"}


@pytest.mark.parametrize(
    ("tickets", "labels"),
    [("q3.jsonl", "q3.labels.jsonl"), ("q3.jsonl.gz", "q3.labels.jsonl"), ("export.json", "export.labels.jsonl")],
)
def test_labels_stand_beside_the_tickets(tickets: str, labels: str) -> None:
    assert labels_path(Path("/data") / tickets) == Path("/data") / labels


def test_a_labeller_has_a_name_of_one_line() -> None:
    assert labeller_name("  Ada\n Lovelace\u202e ") == "Ada Lovelace"
    with pytest.raises(Misconfigured, match="--labeller"):
        labeller_name("\n\t ")
