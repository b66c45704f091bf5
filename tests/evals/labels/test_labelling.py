"""Who wins: hand over gold over rules; and what follows from what."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.types import Kind
from evals.labels.file import Hand, HandLabels
from evals.labels.labelling import Labelling, label_all
from evals.tickets.ticket import Gold, Ticket
from tests.evals.labels.arrange import ARTICLES, POLICY, ticket

ASKED = "How do I correct an entry of last week in my timesheet when it is locked?"


def with_gold(of: Ticket, **gold: Any) -> Ticket:
    return replace(of, gold=Gold(**gold))


def hand(path: Path, **by: Hand) -> HandLabels:
    labels = HandLabels.open(path / "t.labels.jsonl")
    for labeller, label in by.items():
        labels.say("T-0", labeller, label)
    return labels


def test_hand_wins_over_gold_and_gold_over_rules(tmp_path: Path) -> None:
    shown = with_gold(ticket(ASKED, "I've refunded it.", bug_id="B-1"), category="bug", kind=Kind.HOW_TO)
    said = hand(tmp_path, ada=Hand(category="legal"))

    label = Labelling(POLICY, ARTICLES, said).label(shown)
    known = dict(label.known)

    assert (label.category, known["category"].source, known["category"].confidence) == ("legal", "hand", 1.0)
    assert (label.kind, label.is_bug, known["kind"].source, known["is_bug"].source) == ("how_to", False, "gold", "gold")
    assert (label.bug_id, known["bug_id"].rule) == ("B-1", "bug_link")


def test_without_gold_the_rules_speak_alone() -> None:
    shown = with_gold(ticket(ASKED, "ok", bug_id="B-1"), kind=Kind.HOW_TO, category="bug")

    label = Labelling(POLICY, gold=False).label(shown)

    assert (label.kind, label.category) == (Kind.BUG, None)


def test_a_kind_that_a_reader_took_from_the_bug_link_is_the_rules() -> None:
    label = Labelling(POLICY).label(with_gold(ticket(ASKED, "ok", bug_id="B-1"), kind=Kind.BUG))

    assert dict(label.known)["kind"].rule == "bug_link"


def test_no_article_is_something_else_than_not_said() -> None:
    labelling = Labelling(POLICY, ARTICLES)

    none = labelling.label(with_gold(ticket(ASKED), labelled_article=True))
    unsaid = labelling.label(ticket(ASKED))
    by_slug = labelling.label(with_gold(ticket(ASKED), article="timer", labelled_article=True))

    assert (none.articles, unsaid.articles, by_slug.articles) == ((), None, ("time/timer",))


def test_an_article_that_was_typed_by_another_name_is_the_same_article(tmp_path: Path) -> None:
    said = hand(tmp_path, ada=Hand(articles=("timer", "time/timer", "gone")))

    assert Labelling(POLICY, ARTICLES, said).label(ticket(ASKED)).articles == ("gone", "time/timer")


@pytest.mark.parametrize(("category", "queue"), [("how_to_time", "general"), ("bug", "technical"), ("gone", None)])
def test_the_queue_is_the_categorys(category: str, queue: str | None) -> None:
    label = Labelling(POLICY).label(with_gold(ticket(ASKED), category=category))

    assert label.queue == queue
    assert ("queue" in dict(label.known)) == (queue is not None)


def test_a_category_that_always_takes_a_person_overrules_guesses_but_not_people() -> None:
    told = ticket(ASKED, "Take the approval back.", "thanks, that worked")

    guessed = Labelling(POLICY).label(with_gold(told, category="legal"))
    stated = Labelling(POLICY).label(with_gold(told, category="legal", needs_person=False))

    assert (guessed.needs_person, dict(guessed.known)["needs_person"].rule) == (True, "category_policy")
    assert stated.needs_person is False


def test_a_category_reserved_for_people_keeps_the_reason_that_rules_found() -> None:
    told = ticket(ASKED, "I've refunded the second charge.")

    label = Labelling(POLICY).label(with_gold(told, category="legal"))

    assert dict(label.known)["needs_person"].rule == "category_policy"
    assert (label.needs_person_reason, dict(label.known)["needs_person_reason"].rule) == (
        "money_dispute",
        "person_acted",
    )


def test_nobody_is_needed_for_a_reason(tmp_path: Path) -> None:
    said = hand(tmp_path, ada=Hand(needs_person=False))

    label = Labelling(POLICY, (), said).label(ticket(ASKED, "I've refunded it."))

    assert (label.needs_person, label.needs_person_reason) == (False, None)
    assert "needs_person_reason" not in dict(label.known)


@pytest.mark.parametrize(
    ("said", "kind", "is_bug"),
    [
        (Hand(kind=Kind.BUG), Kind.BUG, True),
        (Hand(kind=Kind.COMPLAINT), Kind.COMPLAINT, False),
        (Hand(is_bug=True), Kind.BUG, True),
        (Hand(is_bug=False), Kind.HOW_TO, False),
    ],
)
def test_kind_and_bug_never_contradict_each_other(tmp_path: Path, said: Hand, kind: Kind, is_bug: bool) -> None:
    label = Labelling(POLICY, (), hand(tmp_path, ada=said)).label(with_gold(ticket(ASKED), kind=Kind.HOW_TO))

    assert (label.kind, label.is_bug) == (kind, is_bug)


def test_where_labellers_differ_the_field_is_unknown_even_with_gold(tmp_path: Path) -> None:
    said = hand(
        tmp_path,
        ada=Hand(kind=Kind.HOW_TO, category="bug", articles=("a", "b")),
        ben=Hand(kind=Kind.BUG, articles=("b", "a"), complexity="simple"),
    )

    label = Labelling(POLICY, (), said).label(with_gold(ticket(ASKED, bug_id="B"), kind=Kind.BUG, category="legal"))

    assert (label.kind, label.is_bug) == (None, None)
    assert (label.category, label.articles, label.complexity) == ("bug", ("a", "b"), "simple")


def test_reopened_is_not_undone_by_the_lack_of_a_second_ticket() -> None:
    labelling = Labelling(POLICY)

    assert labelling.label(ticket(ASKED, reopened=True), returned=False).returned is True
    assert labelling.label(ticket(ASKED), returned=False).returned is False
    assert labelling.label(ticket(ASKED), returned=True).returned is True
    assert labelling.label(ticket(ASKED)).returned is None


def test_what_is_known_is_what_has_a_source() -> None:
    shown = [with_gold(ticket(ASKED, "I've refunded it.", number=n, days=n), category="bug") for n in range(3)]

    for _, label in label_all(Labelling(POLICY), lambda: shown):
        fields = {name for name in label.__slots__ if name not in ("ticket_id", "known")}
        assert {name for name in fields if getattr(label, name) is not None} == dict(label.known).keys()
