"""What rules read from how a ticket went, and where they keep silent."""

from dataclasses import replace
from typing import Any

import pytest

from agent.types import Kind
from evals.labels.labelling import Labelling
from evals.labels.rules import FIELDS, RULES, Found, Rule, decide
from evals.tickets.ticket import Gold, Ticket
from tests.evals.labels.arrange import ARTICLES, POLICY, said, ticket

ASKED = "How do I correct an entry of last week in my timesheet when it is locked?"
LINK = "Please read https://help.example/edit-entries"


def labelling() -> Labelling:
    return Labelling(POLICY, ARTICLES)


def fired(of: Ticket) -> dict[tuple[str, str], Any]:
    """What each rule says, by rule and field."""
    return {(found.rule.name, found.rule.field): found.value for found in labelling().suggestions(of)}


SPEAKING = {
    ("tag", "category"): (ticket(ASKED, "a", tags=("How-To: Time",)), "how_to_time"),
    ("bug_link", "bug_id"): (ticket(ASKED, bug_id="BUG-7"), "BUG-7"),
    ("bug_link", "is_bug"): (ticket(ASKED, bug_id="BUG-7"), True),
    ("bug_link", "kind"): (ticket(ASKED, bug_id="BUG-7"), Kind.BUG),
    ("tracker_link", "bug_id"): (ticket(ASKED, "see https://acme.atlassian.net/browse/web-12"), "WEB-12"),
    ("tracker_link", "is_bug"): (ticket(ASKED, "see https://github.com/Acme/app/issues/9"), True),
    ("article_sent", "articles"): (ticket(ASKED, LINK), ("time/edit-entries",)),
    ("article_named", "articles"): (ticket(ASKED, 'It\'s in "Edit time entries".'), ("time/edit-entries",)),
    ("solved_alone", "needs_person"): (ticket(ASKED, "Look there.", resolved_by="customer"), False),
    ("told_how", "needs_person"): (ticket(ASKED, "Take the approval back.", "thanks, that worked"), False),
    ("one_reply", "needs_person"): (ticket(ASKED, "Take the approval back."), False),
    ("article_enough", "needs_person"): (ticket(ASKED, LINK, "which part", "the second"), False),
    ("person_acted", "needs_person"): (ticket(ASKED, "I've refunded the 20 EUR."), True),
    ("person_acted", "needs_person_reason"): (ticket(ASKED, "Ich habe die Rechnung korrigiert."), "account_change"),
    ("asks_for_person", "needs_person"): (ticket("Can I talk to a real person?", "Yes."), True),
    ("asks_for_person", "needs_person_reason"): (ticket("quiero hablar con una persona", "Sí."), "explicit_wish"),
    ("transferred", "needs_person"): (ticket(ASKED, "I pass you on.", transfers=1), True),
    ("short_question", "complexity"): (ticket("timer where", "Top left."), "simple"),
    ("reopened", "returned"): (ticket(ASKED, "Look.", "it is back", reopened=True), True),
    ("transferred", "first_contact"): (ticket(ASKED, "Look.", transfers=2), False),
    ("reopened", "first_contact"): (ticket(ASKED, "Look.", reopened=True), False),
    ("one_person", "first_contact"): (ticket(ASKED, "Look."), True),
    ("rated", "satisfied"): (ticket(ASKED, "Look.", satisfaction="bad"), False),
    ("thanks", "satisfied"): (ticket(ASKED, "Look.", "Danke, hat geklappt"), True),
}


@pytest.mark.parametrize("name", SPEAKING, ids="-".join)
def test_a_rule_says_what_it_sees(name: tuple[str, str]) -> None:
    shown, value = SPEAKING[name]

    assert fired(shown).get(name) == value


def test_every_rule_has_its_example() -> None:
    assert SPEAKING.keys() == {(rule.name, rule.field) for rule in RULES}


SILENT = {
    "two categories are tagged": ("tag", "category", ticket(ASKED, "a", tags=("bug", "legal"))),
    "the tag is no category": ("tag", "category", ticket(ASKED, "a", tags=("vip",))),
    "two issues are linked": (
        "tracker_link",
        "bug_id",
        ticket(ASKED, "https://linear.app/a/issue/A-1/x and https://linear.app/a/issue/A-2"),
    ),
    "the customer sent the link": ("article_sent", "articles", ticket(f"{ASKED} {LINK}", "No, look here.")),
    "the article did not help": ("article_sent", "articles", ticket(ASKED, LINK, "that doesn't work", "Sorry.", "hm")),
    "the article was sent, and rated bad": ("article_sent", "articles", ticket(ASKED, LINK, satisfaction="bad")),
    "somebody wrote the title in passing": (
        "article_named",
        "articles",
        ticket(ASKED, "You can edit time entries yourself."),
    ),
    "it was reopened": ("told_how", "needs_person", ticket(ASKED, "Look.", "thanks", reopened=True)),
    "thanks with a but": ("thanks", "satisfied", ticket(ASKED, "Look.", "thanks, but it still fails")),
    "thanks with a question": ("thanks", "satisfied", ticket(ASKED, "Look.", "thanks! and the other one?")),
    "thanks before any reply": ("thanks", "satisfied", ticket("Do you work on Sundays? Thanks")),
    "the agent spoke last": ("thanks", "satisfied", ticket(ASKED, "Look.", "thanks", "You're welcome.")),
    "the agent refused": ("person_acted", "needs_person", ticket(ASKED, "I can't refund that, we never do.")),
    "the agent explained": ("person_acted", "needs_person", ticket(ASKED, "If you cancel, we refund the rest.")),
    "the customer acted": ("person_acted", "needs_person", ticket("I've changed the card and refunded him.", "Good.")),
    "nobody answered": ("one_reply", "needs_person", ticket(ASKED, resolved_by="nobody")),
    "nobody knows of transfers": ("one_person", "first_contact", ticket(ASKED, "Look.", transfers=None)),
    "an agent is a program": (
        "asks_for_person",
        "needs_person",
        ticket("Which user agent does your crawler send?", "x"),
    ),
    "a person is a colleague": ("asks_for_person", "needs_person", ticket("Can one person have two roles?", "No.")),
}


@pytest.mark.parametrize("case", SILENT)
def test_a_rule_keeps_silent_when(case: str) -> None:
    rule, field, shown = SILENT[case]

    assert (rule, field) not in fired(shown)


def test_two_people_who_answered_leave_first_contact_open() -> None:
    shown = ticket(ASKED, "Look.")
    entries = (shown.entries[0], said("agent", "Look.", author_key="a"), said("agent", "And there.", author_key="b"))

    assert labelling().label(replace(shown, entries=entries)).first_contact is None


def test_rules_that_contradict_each_other_and_are_nearly_as_sure_leave_it_open() -> None:
    def word(value: bool, confidence: float) -> Found:
        return Found(Rule(f"r{confidence}", "needs_person", confidence, lambda t, s: None), value)

    sure = decide((word(True, 0.7), word(False, 0.9)), "needs_person")
    unsure = decide((word(True, 0.85), word(False, 0.9)), "needs_person")
    agreed = decide((word(True, 0.85), word(True, 0.9)), "needs_person")

    assert sure is not None
    assert sure.value is False
    assert unsure is None
    assert agreed is not None


def test_rules_look_at_no_gold_label() -> None:
    shown = ticket(ASKED, LINK, "thanks", bug_id="BUG-1", satisfaction="good")
    gold = Gold(Kind.COMPLAINT, "legal", "time/timer", True, True, "legal", "complex", -2)

    assert labelling().suggestions(shown) == labelling().suggestions(replace(shown, gold=gold))


def test_a_ticket_of_which_nothing_is_known_has_an_empty_label() -> None:
    label = labelling().label(ticket(ASKED, resolved_by=None, status=None, reopened=None, transfers=None))

    assert label.known == ()
    assert all(getattr(label, field) is None for field in FIELDS)


def test_confidences_are_probabilities_and_facts_alone_are_certain() -> None:
    assert all(0 < rule.confidence <= 1 for rule in RULES)
    assert {(rule.name, rule.field) for rule in RULES if rule.confidence == 1} == {
        ("bug_link", "bug_id"),
        ("transferred", "first_contact"),
        ("reopened", "first_contact"),
        ("rated", "satisfied"),
    }
