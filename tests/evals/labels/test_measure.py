"""Counting what is known, and comparing rules with people."""

from dataclasses import replace
from typing import Any

import pytest

from agent.types import Kind
from evals.labels.labelling import Labelling, label_all
from evals.labels.measure import Checked, Measuring, measure
from evals.tickets.ticket import Gold, Ticket
from tests.evals.labels.arrange import ARTICLES, POLICY, ticket

SENT = "See https://help.example/timer"


def labelled(number: int, reply: str, more: dict[str, Any] | None = None, **gold: Any) -> Ticket:
    shown = ticket("How do I correct an entry of last week when it is locked?", reply, number=number, **(more or {}))
    return replace(shown, gold=Gold(**gold))


TICKETS = [
    labelled(0, "I've refunded it.", needs_person=True, needs_person_reason="money_dispute"),
    labelled(1, "I've refunded it.", needs_person=False),
    labelled(2, "I've refunded it.", needs_person=True, needs_person_reason="legal"),
    labelled(3, "I've refunded it."),
    labelled(4, SENT, article="time/timer", labelled_article=True, needs_person=False),
    labelled(5, SENT, article="time/edit-entries", labelled_article=True),
    labelled(6, SENT, labelled_article=True),
    labelled(7, SENT),
    labelled(8, "Known.", {"bug_id": "B", "satisfaction": "bad"}, kind=Kind.COMPLAINT),
]


@pytest.fixture
def measured() -> Measuring:
    labelling = Labelling(POLICY, ARTICLES)
    return measure(label_all(labelling, lambda: TICKETS), labelling)


def check(measured: Measuring, rule: str | None, field: str) -> Checked:
    (found,) = [one for one in measured.checks() if (one.rule, one.field) == (rule, field)]
    return found


@pytest.mark.parametrize(
    ("rule", "field", "said", "judged", "right"),
    [
        ("person_acted", "needs_person", 4, 3, 2),
        ("person_acted", "needs_person_reason", 4, 3, 1),
        ("article_sent", "articles", 4, 3, 1),
        ("bug_link", "kind", 1, 1, 0),
        ("bug_link", "bug_id", 1, 0, 0),
        ("rated", "satisfied", 1, 0, 0),
        ("tag", "category", 0, 0, 0),
        (None, "needs_person", 8, 4, 3),
    ],
)
def test_rules_are_compared_where_a_person_said_too(
    measured: Measuring, rule: str | None, field: str, said: int, judged: int, right: int
) -> None:
    found = check(measured, rule, field)

    assert (found.said, found.judged, found.right) == (said, judged, right)


def test_what_nobody_judged_has_no_precision(measured: Measuring) -> None:
    assert check(measured, "bug_link", "bug_id").precision is None
    precision = check(measured, "article_sent", "articles").precision
    assert precision is not None
    assert precision.n == 3
    assert precision.value == pytest.approx(1 / 3)


def test_every_ticket_is_in_each_row_once(measured: Measuring) -> None:
    rows = {row["field"]: row for row in measured.by_source()}

    assert all(sum(row[column] for column in ("hand", "gold", "rule", "unknown")) == 9 for row in rows.values())
    assert (rows["articles"]["gold"], rows["articles"]["rule"], rows["articles"]["unknown"]) == (3, 1, 5)


def test_a_ticket_without_any_label_is_counted() -> None:
    bare = ticket("How?", resolved_by=None, status=None, reopened=None, transfers=None)
    labelling = Labelling(POLICY)

    assert measure([(bare, labelling.label(bare))], labelling).unlabelled == 1
