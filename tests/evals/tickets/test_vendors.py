"""What is made of helpdesks' records, and that none of them breaks the reading."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.tickets import freshdesk, intercom, own, zendesk
from evals.tickets.formats import DRAFTS, Format, recognise
from evals.tickets.intake import NO_THREAD
from evals.tickets.jsonl import read_tickets
from evals.tickets.reading import Reading
from evals.tickets.ticket import Ticket
from tests.evals.tickets import vendors
from tests.evals.tickets.vendors import written

EXAMPLES = {
    Format.OWN: vendors.own(),
    Format.ZENDESK: vendors.zendesk(),
    Format.INTERCOM: vendors.intercom(),
    Format.FRESHDESK: vendors.freshdesk(),
}


def only(tmp_path: Path, record: object) -> Ticket:
    (ticket,) = read_tickets(written(tmp_path / "t.jsonl", record)).tickets
    return ticket


def said(ticket: Ticket) -> list[tuple[str, str]]:
    return [(entry.author, entry.text) for entry in ticket.entries]


def test_a_zendesk_ticket_has_its_thread_and_how_it_went(tmp_path: Path) -> None:
    ticket = only(tmp_path, vendors.zendesk())

    assert said(ticket) == [
        ("customer", "Where are my exports?\nThe export of March is empty."),
        ("bot", "We have seen your message."),
        ("agent", "Export each month alone:\nhow"),
        ("customer", "That works, thanks"),
    ]
    assert ticket.entries[2].links == ("https://help.acme.example/exports",)
    assert ticket.entries[2].at == datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
    assert (ticket.ticket_id, ticket.created_at) == ("1", datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert (ticket.channel, ticket.language, ticket.account_id) == ("email", "de", "77")
    assert (ticket.status, ticket.resolved_by, ticket.satisfaction) == ("solved", "agent", "good")
    assert (ticket.reopened, ticket.transfers, ticket.bug_id) == (True, 2, "12")
    assert ticket.solved_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert ticket.tags == ("export", "csv")


def test_zendesk_comments_may_stand_beside_the_tickets(tmp_path: Path) -> None:
    whole = vendors.zendesk()
    bare = {key: value for key, value in whole.items() if key not in ("comments", "users", "metric_set")}
    users, metrics = whole["users"], [{"ticket_id": 1, **whole["metric_set"]}]
    expected = only(tmp_path, whole)

    for comments in (
        {"1": whole["comments"]},
        {"1": {"comments": whole["comments"], "count": 5}},
        [{"ticket_id": 1, "comments": whole["comments"]}],
        [{"ticket_id": 1, **comment} for comment in whole["comments"]],
    ):
        page = {"tickets": [bare], "users": users, "metric_sets": metrics, "comments": comments, "end_of_stream": True}
        assert only(tmp_path, page) == expected
    assert only(tmp_path, {"ticket": bare, "users": users, "metric_sets": metrics, "comments": whole["comments"]}) == (
        expected
    )
    assert only(tmp_path, {**whole, "comments": {"comments": whole["comments"]}}) == expected


def test_a_zendesk_ticket_without_comments_has_its_description_and_says_so(tmp_path: Path) -> None:
    record = vendors.zendesk()
    del record["comments"]
    reading = Reading(written(tmp_path / "t.jsonl", record))

    (taken,) = reading

    assert said(taken.ticket) == [("customer", "Where are my exports?\nThe export of March is empty.")]
    assert reading.remarks[NO_THREAD] == 1
    assert taken.ticket.resolved_by is None


def test_without_users_the_requester_alone_is_the_customer(tmp_path: Path) -> None:
    ticket = only(tmp_path, vendors.zendesk(users=[], metric_set=None))

    assert [entry.author for entry in ticket.entries] == ["customer", "bot", "agent", "customer"]
    assert (ticket.reopened, ticket.transfers, ticket.solved_at, ticket.language) == (None, None, None, None)


def test_what_an_agent_wrote_for_a_customer_begins_no_ticket(tmp_path: Path) -> None:
    record = vendors.zendesk(comments=[], submitter_id=vendors.AGENT)
    path = written(tmp_path / "t.jsonl", record, vendors.zendesk(2))

    file = read_tickets(path)

    assert [ticket.ticket_id for ticket in file.tickets] == ["2"]
    assert file.refused == ((1, "the customer wrote nothing"),)


def test_the_page_below_a_zendesk_widget_message_is_the_tickets_page(tmp_path: Path) -> None:
    below = "Help!\n\n------------------\nSubmitted from: https://app.acme.example/reports?x=1"

    assert only(tmp_path, vendors.zendesk(description=below)).page == "/reports"


def test_an_intercom_conversation_has_its_thread_and_how_it_went(tmp_path: Path) -> None:
    ticket = only(tmp_path, vendors.intercom())

    assert said(ticket) == [
        ("customer", "I can't log in"),
        ("bot", "Have you tried a reset?"),
        ("customer", "yes, no mail comes"),
        ("agent", "[name], it was blocked; try now."),
    ]
    assert (ticket.ticket_id, ticket.page, ticket.account_id) == ("7001", "/login", "acme")
    assert (ticket.status, ticket.resolved_by, ticket.satisfaction) == ("closed", "agent", "good")
    assert (ticket.reopened, ticket.transfers, ticket.bug_id, ticket.tags) == (False, 1, "88", ("login",))
    assert ticket.entries[0].at == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("how", ["automated", "campaign_initiated", "operator_initiated"])
def test_what_intercom_sends_by_itself_is_a_bots_and_opens_nothing(tmp_path: Path, how: str) -> None:
    record = vendors.intercom()
    record["source"] |= {"delivered_as": how, "author": {"type": "admin", "id": "a-1", "name": "Priya"}}
    record["conversation_parts"]["conversation_parts"][0]["author"] = {
        "type": "admin",
        "id": "f",
        "from_ai_agent": True,
    }

    ticket = only(tmp_path, record)

    assert ticket.text == "yes, no mail comes"


@pytest.mark.parametrize(("rating", "expected"), [(1, "bad"), (2, "bad"), (3, None), (4, "good"), (None, None)])
def test_intercom_ratings(tmp_path: Path, rating: int | None, expected: str | None) -> None:
    assert only(tmp_path, vendors.intercom(conversation_rating={"rating": rating})).satisfaction == expected


def test_a_freshdesk_ticket_has_its_thread_and_how_it_went(tmp_path: Path) -> None:
    ticket = only(tmp_path, vendors.freshdesk())

    assert said(ticket) == [
        ("customer", "Invoice\nI need the invoice of February."),
        ("agent", "Under Billing, [name]."),
        ("customer", "found it"),
    ]
    assert (ticket.ticket_id, ticket.channel, ticket.account_id) == ("42", "widget", "31")
    assert (ticket.status, ticket.resolved_by, ticket.reopened) == ("closed", "agent", False)
    assert ticket.solved_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert ticket.tags == ("billing",)


def test_a_freshdesk_automation_is_a_bot_and_an_outbound_mail_no_customers(tmp_path: Path) -> None:
    replies = [
        vendors.freshdesk_reply("<p>We got it</p>", vendors.AGENT, minute=1, auto_response=True),
        vendors.freshdesk_reply("<p>thanks, but why?</p>", vendors.REQUESTER, minute=2),
    ]

    assert [entry.author for entry in only(tmp_path, vendors.freshdesk(conversations=replies)).entries] == [
        "customer",
        "bot",
        "customer",
    ]
    outbound = only(tmp_path, vendors.freshdesk(conversations=replies, source=10))
    assert said(outbound) == [("customer", "Invoice\nthanks, but why?")]


@pytest.mark.parametrize(
    ("rating", "expected"),
    [({"ratings": {"default_question": 103}}, "good"), ({"ratings": {"default_question": -103}}, "bad"), (100, None)],
)
def test_freshdesk_ratings(tmp_path: Path, rating: object, expected: str | None) -> None:
    assert only(tmp_path, vendors.freshdesk(satisfaction_rating=rating)).satisfaction == expected


def test_authors_are_told_apart_and_customers_are_the_same_without_a_name(tmp_path: Path) -> None:
    comments = [
        vendors.zendesk_comment("why?", vendors.REQUESTER, minute=0),
        vendors.zendesk_comment("one", vendors.AGENT, minute=1),
        vendors.zendesk_comment("two", vendors.OTHER_AGENT, minute=2),
        vendors.zendesk_comment("three", vendors.AGENT, minute=3),
    ]
    path = written(
        tmp_path / "t.jsonl",
        vendors.zendesk(1, comments=comments),
        vendors.zendesk(2),
        vendors.zendesk(3, requester_id=999, submitter_id=999),
    )

    first, second, third = read_tickets(path).tickets

    keys = [entry.author_key for entry in first.entries]
    assert keys[1] == keys[3] != keys[2]
    assert first.customer_key == second.customer_key != third.customer_key
    assert str(vendors.REQUESTER) not in repr(first)


@pytest.mark.parametrize("format_", list(DRAFTS))
def test_every_format_is_recognised_by_its_records(format_: Format) -> None:
    assert recognise(EXAMPLES[format_]) is format_


def test_a_ticket_written_in_our_own_format_reads_as_itself(tmp_path: Path) -> None:
    for record in EXAMPLES.values():
        ticket = only(tmp_path, record)
        path = tmp_path / "again.jsonl"
        path.write_bytes(own.line_of(ticket))

        (again,) = read_tickets(path).tickets

        assert again.entries == ticket.entries
        assert again.gold == ticket.gold
        assert (again.ticket_id, again.created_at, again.page) == (ticket.ticket_id, ticket.created_at, ticket.page)
        assert (again.resolved_by, again.solved_at, again.tags) == (ticket.resolved_by, ticket.solved_at, ticket.tags)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(record: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def replaced(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(record, dict):
        return record | {path[0]: replaced(record[path[0]], path[1:], value)}
    return [replaced(each, path[1:], value) if n == path[0] else each for n, each in enumerate(record)]


@pytest.mark.parametrize("format_", list(DRAFTS))
def test_whatever_stands_in_a_field_a_record_is_read_or_refused(format_: Format) -> None:
    record = EXAMPLES[format_]

    @given(st.sampled_from(places(record)), JSON)
    def check(place: tuple[Any, ...], value: Any) -> None:
        broken = replaced(record, place, value)
        recognise(broken)
        with suppress(ValueError):
            assert DRAFTS[format_](broken).ticket_id

    check()


def test_modules_of_vendors_know_only_their_own() -> None:
    for module, format_ in ((zendesk, Format.ZENDESK), (intercom, Format.INTERCOM), (freshdesk, Format.FRESHDESK)):
        assert [each for each in DRAFTS if module.is_mine(EXAMPLES[each])] == [format_]
