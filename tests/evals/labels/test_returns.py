"""Who came back about the same thing within seven days."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from evals.labels import returns
from evals.labels.returns import came_back
from evals.tickets.ticket import Gold, Ticket
from tests.evals.labels.arrange import ticket

EXPORT = "The export of my timesheet comes out empty for August"
AGAIN = "export of the timesheet is empty again, August and July"
ELSE = "Where can our accountant download invoices?"


def of(customer: str | None, text: str, days: float, bug_id: str | None = None) -> Ticket:
    return ticket(text, days=days, customer_key=customer, bug_id=bug_id)


LATER = of("other", ELSE, 100)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (of("a", EXPORT, 0), of("a", AGAIN, 3), True),
        (of("a", EXPORT, 0), of("a", AGAIN, 7), True),
        (of("a", EXPORT, 0), of("a", AGAIN, 7.01), False),
        (of("a", EXPORT, 0), of("b", AGAIN, 3), False),
        (of("a", EXPORT, 0), of("a", ELSE, 3), False),
        (of(None, EXPORT, 0), of(None, AGAIN, 3), None),
        (of("a", EXPORT, 0, bug_id="B-1"), of("a", ELSE, 3, bug_id="B-1"), True),
    ],
)
def test_the_same_customer_with_the_same_thing_in_seven_days(first: Ticket, second: Ticket, expected: bool) -> None:
    assert next(iter(came_back([first, second, LATER]))) is expected


def test_what_an_article_answers_is_one_thing_in_any_words() -> None:
    tickets = [replace(of("a", text, day), gold=Gold(article="x")) for text, day in ((EXPORT, 0), (ELSE, 1))]

    assert list(came_back([*tickets, LATER]))[:2] == [True, False]


def test_nobody_knows_before_the_seven_days_are_over() -> None:
    tickets = [of("a", EXPORT, 0), of("a", AGAIN, 3), of("b", ELSE, 5)]

    assert list(came_back(tickets)) == [True, None, None]


def test_there_is_one_answer_per_ticket_in_their_order() -> None:
    tickets = [of(str(n % 5), f"{EXPORT} {n}", n / 2) for n in range(60)]

    assert len(list(came_back(tickets))) == 60
    assert list(came_back([])) == []


def test_a_ticket_that_is_out_of_order_breaks_nothing() -> None:
    tickets = [of("a", EXPORT, 9), of("a", AGAIN, 0), LATER]

    assert list(came_back(tickets)) == [True, False, None]


def test_a_week_of_too_many_tickets_leaves_the_oldest_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "MAX_WAITING", 2)
    tickets = [of("a", EXPORT, 0), of("b", ELSE, 0), of("c", ELSE, 0), of("a", AGAIN, 0), LATER]

    assert list(came_back(tickets)) == [None, None, False, False, None]


def test_memory_does_not_grow_with_the_tickets() -> None:
    def year(tickets: int) -> Iterator[Ticket]:
        for n in range(tickets):
            yield of(str(n % 50), f"{EXPORT} number {n} " + "and a long story " * 200, n / 5)

    def peak(tickets: int) -> int:
        tracemalloc.start()
        for _ in came_back(year(tickets)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(60)
    # Ten times as many tickets, each of 3 KB: whoever kept them would hold ten times as much.
    assert peak(500) < 4 * peak(50)
