"""Tickets in the order of time, on disk."""

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BadTurn, Misconfigured
from evals.tickets.formats import Format
from evals.tickets.index import TicketIndex
from evals.tickets.jsonl import read_tickets
from tests.evals.tickets import vendors
from tests.evals.tickets.vendors import own, written
from tests.installed import EXAMPLE


def test_the_examples_tickets_come_as_they_are_read_whole(tmp_path: Path) -> None:
    path = EXAMPLE / "tickets.jsonl"

    with TicketIndex.build(path, tmp_path / "index") as index:
        expected = read_tickets(path).tickets
        assert tuple(index) == expected
        assert len(index) == len(expected)
        assert [index.get(place) for place in (0, 17, len(index) - 1)] == [expected[0], expected[17], expected[-1]]
        assert tuple(index.tickets(400)) == expected[400:]
        assert index.place_of(expected[17].ticket_id) == 17
        assert index.place_of("nobody's") is None
        assert (index.format, index.cut_off, index.duplicates) == (Format.OWN, None, 0)


@pytest.mark.parametrize("place", [-1, 2, 10**9])
def test_a_place_beyond_the_end_is_an_error(tmp_path: Path, place: int) -> None:
    path = written(tmp_path / "t", own(1), own(2))

    with (
        TicketIndex.build(path, tmp_path / "index") as index,
        pytest.raises(IndexError, match="there are 2 tickets"),
    ):
        index.get(place)


def test_order_is_by_time_and_then_by_id(tmp_path: Path) -> None:
    same = "2026-01-05T10:00:00+02:00"
    path = written(
        tmp_path / "t",
        own(9, created_at="2026-01-05T08:00:00.5Z"),
        own(3, created_at=same),
        own(2, created_at=same),
        own(1, created_at="2026-01-04T23:00:00Z"),
    )

    with TicketIndex.build(path, tmp_path / "index") as index:
        assert [ticket.ticket_id for ticket in index] == ["T-1", "T-2", "T-3", "T-9"]


def test_what_was_wrong_with_the_file_is_kept_with_the_index(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t",
        own(1, "new", updated_at="2026-02-02T00:00:00Z"),
        own(1, "old", updated_at="2026-02-01T00:00:00Z"),
        "{broken",
        own(2, "old"),
        own(2, "new"),
    )
    path.write_bytes(path.read_bytes() + b'{"ticket_id": "T-3", "mess')
    TicketIndex.build(path, tmp_path / "index").close()

    with TicketIndex(tmp_path / "index") as index:
        assert [ticket.text for ticket in index] == ["new", "new"]
        assert index.duplicates == 2
        assert index.refused.first == ((3, "no JSON"),)
        assert index.refused.reasons == {"no JSON": 1}
        assert len(index.refused) == 1
        assert index.cut_off == (6, "the last line is cut off")


def test_an_index_is_used_again_while_the_file_is_the_same(tmp_path: Path) -> None:
    path, index_path = written(tmp_path / "t", own(1), own(2)), tmp_path / "index"
    told: list[tuple[str, int, int]] = []

    def build() -> TicketIndex:
        told.clear()
        return TicketIndex.build(path, index_path, on_progress=lambda *each: told.append(each))

    with build() as first:
        sha256 = first.sha256
        assert told
    with build() as again:
        assert not told
        assert again.sha256 == sha256
    os.utime(path, (1, 1))
    with build():
        assert not told
    written(path, own(1), own(3))
    with build() as changed:
        assert told
        assert changed.sha256 != sha256
        assert [ticket.ticket_id for ticket in changed] == ["T-1", "T-3"]


def test_another_format_asked_for_makes_the_index_anew(tmp_path: Path) -> None:
    path, index_path = written(tmp_path / "t", own(1)), tmp_path / "index"
    TicketIndex.build(path, index_path).close()

    with pytest.raises(BadTurn, match="zendesk was asked for"):
        TicketIndex.build(path, index_path, format_=Format.ZENDESK)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_what_is_no_index_is_replaced_by_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    with pytest.raises(Misconfigured, match="no index of tickets"):
        TicketIndex(tmp_path / "index")

    with TicketIndex.build(written(tmp_path / "t", own(1)), tmp_path / "index") as index:
        assert len(index) == 1


def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    path, index_path = written(tmp_path / "t", own(1)), tmp_path / "index"
    TicketIndex.build(path, index_path).close()
    with sqlite3.connect(index_path) as db:
        told = json.loads(db.execute("SELECT value FROM about").fetchone()[0])
        db.execute("UPDATE about SET value = ?", (json.dumps(told | {"version": 0}).encode(),))
    db.close()
    with pytest.raises(Misconfigured, match="another version"):
        TicketIndex(index_path)

    with TicketIndex.build(path, index_path) as index:
        assert len(index) == 1


def test_an_interruption_leaves_the_index_of_before_and_nothing_else(tmp_path: Path) -> None:
    path, index_path = written(tmp_path / "t", own(1)), tmp_path / "index"
    TicketIndex.build(path, index_path).close()
    before = index_path.read_bytes()
    written(path, *(own(n) for n in range(50)))

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TicketIndex.build(path, index_path, on_progress=stop)

    assert index_path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["index", "t"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(Misconfigured, match="can't be written"):
        TicketIndex.build(written(tmp_path / "t", own(1)), tmp_path / "file" / "index")


def test_a_disk_that_fills_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql.startswith("INSERT INTO bodies"):
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *args)

    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Full, **more))
        with pytest.raises(Misconfigured, match="disk is full"):
            TicketIndex.build(written(tmp_path / "t", own(1)), tmp_path / "index")

    assert [each.name for each in tmp_path.iterdir()] == ["t"]


def test_an_index_names_no_customer(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *(vendors.zendesk(n, requester_id=555000111 + n % 2) for n in range(4)))

    with TicketIndex.build(path, tmp_path / "index") as index:
        assert len({ticket.customer_key for ticket in index}) == 2

    stored = (tmp_path / "index").read_bytes()
    assert b"5550001" not in stored


def test_the_same_export_gives_the_same_index(tmp_path: Path) -> None:
    path = written(tmp_path / "t", *(vendors.intercom(str(n)) for n in range(5)))
    now = datetime(2026, 6, 1, tzinfo=UTC)

    for name in ("a", "b"):
        TicketIndex.build(path, tmp_path / name, now=now).close()

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
