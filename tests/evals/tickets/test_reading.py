"""Exports as they come: any layout, any encoding, broken in any way."""

import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BadTurn
from evals.tickets.formats import Format
from evals.tickets.intake import CUT, FIRST_ENTRIES, LAST_ENTRIES, SHORTENED
from evals.tickets.jsonl import read_tickets
from evals.tickets.reading import REPAIRED, Reading
from evals.tickets.ticket import MAX_TEXT_CHARS
from tests.evals.tickets import vendors
from tests.evals.tickets.vendors import own, written

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def ids(path: Path, **more: Any) -> list[str]:
    return [taken.ticket.ticket_id for taken in Reading(path, now=NOW, **more)]


def wrapped(path: Path, layout: str) -> Path:
    """Three tickets of Zendesk's, laid out in a way that people export them."""
    records = [vendors.zendesk(n) for n in (1, 2, 3)]
    dumped = [json.dumps(record) for record in records]
    texts = {
        "lines": "\n".join(dumped),
        "lines with blank ones": "\n\n" + "\r\n\r\n".join(dumped) + "\n\n",
        "record separators": "".join(f"\x1e{line}\n" for line in dumped),
        "array": json.dumps(records),
        "array, indented": json.dumps(records, indent=2),
        "array, a record a line": "[\n" + ",\n".join(dumped) + "\n]\n",
        "page": json.dumps({"count": 3, "tickets": records, "end_of_stream": True}),
        "page, indented": json.dumps({"count": 3, "tickets": records}, indent=1),
        "pages, a page a line": "\n".join(json.dumps({"tickets": [record]}) for record in records),
        "pages, one after the other": "\n".join(json.dumps({"tickets": [record]}, indent=1) for record in records),
        "arrays, an array a line": "\n".join(json.dumps([record]) for record in records),
        "search results": json.dumps({"results": records, "next_page": None}),
    }
    path.write_text(texts[layout], encoding="utf-8")
    return path


LAYOUTS = (
    *("lines", "lines with blank ones", "record separators", "array", "array, indented", "array, a record a line"),
    *("page", "page, indented", "pages, a page a line", "pages, one after the other", "arrays, an array a line"),
    "search results",
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_tickets(tmp_path: Path, layout: str) -> None:
    path = wrapped(tmp_path / "t.json", layout)

    assert read_tickets(path) == read_tickets(wrapped(tmp_path / "plain.json", "lines"))
    assert ids(path) == ["1", "2", "3"]


@pytest.mark.parametrize("layout", ["lines", "array, indented", "page"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_gives_the_same_tickets(tmp_path: Path, layout: str, encoding: str) -> None:
    plain = wrapped(tmp_path / "plain.json", layout)
    text = plain.read_text(encoding="utf-8").replace("The export", "Der Expört für 5 €")
    (tmp_path / "t.json").write_bytes(text.encode(encoding))
    (tmp_path / "t.json.gz").write_bytes(gzip.compress(text.encode(encoding)))

    for name in ("t.json", "t.json.gz"):
        tickets = read_tickets(tmp_path / name).tickets
        assert "Der Expört für 5 €" in tickets[0].text
        assert len(tickets) == 3


def test_lines_of_another_encoding_among_utf_8_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    text = "Grüße, 5 € “please”"
    lines = [json.dumps(own(n, text), ensure_ascii=False) for n in (1, 2, 3)]
    path.write_bytes(b"\n".join([lines[0].encode(), lines[1].encode("cp1252"), lines[2].encode()]))
    reading = Reading(path)

    assert [taken.ticket.text for taken in reading] == [text] * 3
    assert reading.remarks == {REPAIRED: 1}


def test_another_encoding_within_a_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(json.dumps([own(1, "Grüße"), own(2)], ensure_ascii=False).encode("latin-1"))

    assert [ticket.text for ticket in read_tickets(path).tickets] == ["Grüße", "how do I export"]


@pytest.mark.parametrize(
    "layout", ["lines", "array", "array, indented", "array, a record a line", "page", "page, indented"]
)
def test_a_file_that_breaks_off_gives_what_was_before_and_says_so(tmp_path: Path, layout: str) -> None:
    path = wrapped(tmp_path / "t.json", layout)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'"id": 3') + 40])
    reading = Reading(path)

    assert [taken.ticket.ticket_id for taken in reading] == ["1", "2"]
    assert reading.cut_off is not None
    assert reading.cut_off[0] == 3
    assert not reading.refused


def test_a_whole_file_is_not_said_to_break_off(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        reading = Reading(wrapped(tmp_path / "t.json", layout))
        assert len(list(reading)) == 3
        assert reading.cut_off is None


def test_a_compressed_file_that_breaks_off_gives_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    lines = "".join(json.dumps(own(n, f"question {n * 7919}")) + "\n" for n in range(2000))
    packed = gzip.compress(lines.encode())
    path.write_bytes(packed[: len(packed) // 2])
    reading = Reading(path)

    found = [taken.ticket.ticket_id for taken in reading]

    assert found == [f"T-{n}" for n in range(len(found))]
    assert 100 < len(found) < 2000
    assert reading.cut_off is not None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "an empty file"),
        (b"\n \n", "an empty file"),
        (b"Ticket ID,Subject,Status\n1,secret words,Open\n", "it is CSV, and which column is created isn't certain"),
        (b"<?xml version='1.0'?><tickets/>", "XML or HTML"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n\x00\x00secret words", "no JSON"),
        (b"secret words alone", "no JSON"),
    ],
)
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)

    with pytest.raises(BadTurn) as caught:
        read_tickets(path)

    assert named in str(caught.value)
    assert "holds no ticket" in str(caught.value)
    assert "secret words" not in str(caught.value)


def test_an_unknown_format_says_what_was_seen_and_what_was_expected(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", {"key": "SUP-1", "fields": {"summary": "secret words"}})

    with pytest.raises(BadTurn) as caught:
        read_tickets(path)

    message = str(caught.value)
    assert "`key`, `fields`" in message
    assert all(each in message for each in ("own", "zendesk", "intercom", "freshdesk"))
    assert "secret words" not in message


def test_a_wrong_format_says_what_was_seen_and_what_was_expected(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", vendors.freshdesk())

    with pytest.raises(BadTurn, match=r"intercom was asked for: .*`source`.*there is a record of freshdesk"):
        list(Reading(path, format_=Format.INTERCOM))


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    bare = {"id": 5, "created_at": "2026-01-01T00:00:00Z", "description": "hello"}

    assert ids(written(tmp_path / "t.jsonl", bare), format_=Format.ZENDESK) == ["5"]


def test_a_record_of_another_helpdesk_is_refused_by_number(tmp_path: Path) -> None:
    reading = Reading(written(tmp_path / "t.jsonl", own(1), vendors.intercom(), own(2)))

    assert [taken.ticket.ticket_id for taken in reading] == ["T-1", "T-2"]
    assert reading.refused.first == [(2, "a record of intercom, not of own")]


def test_refusals_are_counted_by_reason_and_the_first_are_kept(tmp_path: Path) -> None:
    reading = Reading(written(tmp_path / "t.jsonl", own(1), *["{broken"] * 1500, *["[1]"] * 3))

    list(reading)

    assert reading.refused.reasons == {"no JSON": 1500, "not an object": 3}
    assert len(reading.refused) == 1503
    assert len(reading.refused.first) == 1000
    assert reading.refused.first[0] == (2, "no JSON")


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_what_is_nested_without_end_is_refused(tmp_path: Path, deep: str) -> None:
    reading = Reading(written(tmp_path / "t.jsonl", own(1), deep, own(2)))

    assert len(list(reading)) == 2
    assert reading.refused.reasons == {"no JSON": 1}


def test_a_line_of_more_than_64_mb_is_refused_and_counts_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.tickets.source.MAX_LINE_BYTES", 3 * 1024 * 1024)
    path = written(tmp_path / "t.jsonl", own(1), own(2, "x" * 7_000_000), "{broken", own(3))
    reading = Reading(path)

    assert [taken.ticket.ticket_id for taken in reading] == ["T-1", "T-3"]
    assert reading.refused.first == [(2, "longer than 3 MB"), (3, "no JSON")]


def test_a_ticket_of_5000_comments_keeps_its_beginning_and_its_end_and_says_so(tmp_path: Path) -> None:
    comments = [vendors.zendesk_comment(f"number {n}", vendors.REQUESTER, minute=n % 60) for n in range(5000)]
    reading = Reading(written(tmp_path / "t.jsonl", vendors.zendesk(comments=comments)))

    (taken,) = reading

    texts = [entry.text for entry in taken.ticket.entries]
    assert len(texts) == FIRST_ENTRIES + LAST_ENTRIES
    assert texts[1] == "number 1"
    assert texts[-1] == "number 4999"
    assert reading.remarks == {SHORTENED: 1}


def test_a_message_of_a_million_characters_is_cut_and_said(tmp_path: Path) -> None:
    reading = Reading(written(tmp_path / "t.jsonl", own(1, "word " * 200_000)))

    (taken,) = reading

    assert len(taken.ticket.text) <= MAX_TEXT_CHARS
    assert reading.remarks == {CUT: 1}


@pytest.mark.parametrize(
    ("created_at", "reason"),
    [("2026-06-03T00:00:00Z", "created_at: in the future"), ("1970-01-01T00:00:00Z", "created_at: before 1990")],
)
def test_tickets_of_an_impossible_time_are_refused(tmp_path: Path, created_at: str, reason: str) -> None:
    path = written(
        tmp_path / "t.jsonl", own(1), own(2, created_at=created_at), own(3, created_at="2026-06-01T20:00:00Z")
    )
    reading = Reading(path, now=NOW)

    assert [taken.ticket.ticket_id for taken in reading] == ["T-1", "T-3"]
    assert reading.refused.first == [(2, reason)]


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ("2026-02-02T00:00:00Z", "2026-02-01T00:00:00Z", "first"),
        ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "second"),
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "second"),
        ("2026-02-01T00:00:00Z", None, "second"),
        (None, None, "second"),
    ],
)
def test_of_one_id_the_newest_version_wins(tmp_path: Path, first: str | None, second: str | None, wins: str) -> None:
    path = written(tmp_path / "t.jsonl", own(1, "first", updated_at=first), own(1, "second", updated_at=second))

    (ticket,) = read_tickets(path).tickets

    assert ticket.text == wins


@pytest.mark.parametrize("layout", ["lines", "page"])
def test_reading_holds_no_more_of_a_file_of_four_times_the_size(tmp_path: Path, layout: str) -> None:
    held = []
    for count in (400, 1600):
        records = [own(n, custom="x" * 4000) for n in range(count)]
        path = written(tmp_path / "t", *(records if layout == "lines" else [{"tickets": records}]))
        del records
        tracemalloc.start()
        assert sum(1 for _ in Reading(path)) == count
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert held[1] < held[0] + 1_000_000
