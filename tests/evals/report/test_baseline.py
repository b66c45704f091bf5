"""What people did with the same tickets, and only what the tickets tell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evals.labels.label import Label
from evals.report.baseline import BaselineBook, measure_baseline
from evals.tickets.ticket import Ticket
from tests.evals.labels.arrange import START, said, ticket


def replied(number: int, minutes: int, **more: object) -> Ticket:
    """A ticket that was answered after so many minutes."""
    entries = (said("customer", "How?", at=START), said("agent", "So.", at=START + timedelta(minutes=minutes)))
    return replace(ticket("How?", number=number), entries=entries, **more)  # type: ignore[arg-type]  # Fields of it.


def test_each_share_is_over_the_tickets_that_tell() -> None:
    tickets = [
        ticket("How?", "So.", number=1, satisfaction="good", reopened=True),
        ticket("How?", "So.", number=2, satisfaction="bad", transfers=2),
        ticket("How?", number=3, resolved_by=None, reopened=None, transfers=None),
        ticket("How?", number=4, resolved_by="nobody"),
    ]

    then = measure_baseline((one, Label(one.ticket_id)) for one in tickets).all

    rates = {name: (round(rate.value, 3), rate.n) for name, rate in then.rates.items()}
    assert rates["resolved_by_person"] == (0.667, 3)
    assert rates["reopened"] == (0.333, 3)
    assert rates["transferred"] == (0.333, 3)
    assert rates["rated"] == (0.5, 4)
    assert rates["satisfied"] == (0.5, 2)
    assert then.replies is not None
    assert then.replies.value == 0.5


def test_what_no_ticket_tells_is_missing() -> None:
    then = measure_baseline([(ticket("How?", resolved_by=None, reopened=None, transfers=None), Label("T-0"))]).all

    assert then.rates == {}
    assert then.hours == {}


def test_labels_tell_who_came_back() -> None:
    pairs = [(ticket("How?", number=n), Label(f"T-{n}", returned=n == 0, first_contact=n > 1)) for n in range(4)]

    then = measure_baseline(pairs).all

    assert (then.rates["came_back"].value, then.rates["first_contact"].value) == (0.25, 0.5)


def test_times_are_medians_with_an_interval_that_holds_them() -> None:
    tickets = [replied(n, minutes=10 * (n + 1), solved_at=START + timedelta(hours=n + 1)) for n in range(9)]

    hours = measure_baseline((one, Label(one.ticket_id)) for one in tickets).all.hours

    assert hours["first_reply"].median == pytest.approx(50 / 60)
    assert hours["first_reply"].n == 9
    assert hours["solved"].median == 5
    assert hours["solved"].low == 2
    assert hours["solved"].high == 8


def test_a_reply_before_the_question_tells_nothing() -> None:
    then = measure_baseline([(replied(1, minutes=-5), Label("T-1"))]).all

    assert then.hours == {}


def test_categories_are_the_labels() -> None:
    pairs = [(ticket("How?", number=n), Label(f"T-{n}", category="login" if n else None)) for n in range(3)]

    baseline = measure_baseline(pairs)

    assert {name: then.tickets for name, then in baseline.categories.items()} == {"login": 2, "unlabelled": 1}
    assert list(baseline.categories) == ["login", "unlabelled"]


def test_only_what_was_replayed_counts_and_once() -> None:
    pairs = [(ticket("How?", number=n), Label(f"T-{n}")) for n in range(5)]

    baseline = measure_baseline(iter(pairs), ["T-1", "T-1", "T-3"])

    assert baseline.all.tickets == 2


def test_one_customers_tickets_are_one_voice() -> None:
    alone, together = BaselineBook(), BaselineBook()
    for number in range(20):
        one = ticket("How?", number=number, reopened=number < 10)
        alone.add(one, Label(one.ticket_id))
        together.add(replace(one, customer_key="c1" if number < 10 else "c2"), Label(one.ticket_id))

    narrow, wide = (book.baseline().all.rates["reopened"] for book in (alone, together))
    assert narrow.value == wide.value
    assert wide.high - wide.low > narrow.high - narrow.low
