"""Signals in, a route with reasons out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialogue import OFFERED_BUG, OFFERED_PERSON, clarifications, failed_attempts, last_bot_route
from agent.judgement import decide, is_borderline
from agent.nodes.judge import Known, signals_of
from agent.policy import CategoryPolicy, Costs, Policy
from agent.signals import History, Signals
from agent.trouble import remedy_share
from agent.types import (
    Author,
    Evidence,
    Identity,
    Kind,
    Message,
    PageContext,
    Reason,
    Route,
    Source,
    TurnRequest,
    Understanding,
    Untrusted,
)

POLICY = Policy()
UNIT = st.floats(0, 1)


def heard(**changes: object) -> Understanding:
    calm = Understanding(
        kind=Kind.HOW_TO,
        kind_confidence=0.9,
        category="billing",
        category_confidence=0.8,
        language="en",
        language_confidence=0.99,
        sentiment=0.0,
        sentiment_trend=0.0,
        question=Untrusted.of("Where are my invoices?", Source.CUSTOMER),
    )
    return replace(calm, **changes)  # type: ignore[arg-type]  # Test values by field name.


def signals(evidence: float = 0.95, *, understanding: Understanding | None = None, **changes: object) -> Signals:
    category = CategoryPolicy("billing", "Billing")
    calm = Signals(understanding=understanding or heard(), evidence=evidence, category=category)
    return replace(calm, **changes)  # type: ignore[arg-type]  # Test values by field name.


def test_good_evidence_is_answered() -> None:
    assert decide(signals(0.95), POLICY).route is Route.ANSWER


def test_thin_evidence_becomes_a_question_not_a_guess() -> None:
    verdict = decide(signals(0.4), POLICY)

    assert verdict.route is Route.CLARIFY
    assert verdict.clarify_reason == "thin_evidence"


def test_asking_again_and_again_ends_with_a_person() -> None:
    assert decide(signals(0.3, clarifications=2), POLICY).route is Route.HANDOFF


def test_another_question_is_asked_back_for_the_first_time() -> None:
    asked = [message(Author.CUSTOMER), message(Author.BOT, "clarify")]
    another, the_same = heard(), heard(is_follow_up=True)

    assert clarifications(asked, another) == 0
    assert clarifications(asked, the_same) == 0.5
    assert clarifications(asked, heard(says_unsolved=0.9)) == 1
    # Not for ever: the third question that we can't answer is for a person.
    assert clarifications([*asked, *asked], another) == 1
    assert decide(signals(0.4, clarifications=clarifications(asked, another)), POLICY).route is Route.CLARIFY
    assert decide(signals(0.4, clarifications=clarifications([*asked, *asked], another)), POLICY).route is Route.HANDOFF


@pytest.mark.parametrize("evidence", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_explicit_wish_for_a_person_is_always_honoured(evidence: float, kind: Kind) -> None:
    asked = heard(kind=kind, wish_for_person=0.9)

    verdict = decide(signals(evidence, understanding=asked), POLICY)

    assert verdict.route is Route.HANDOFF
    assert verdict.handoff_reason == "explicit_wish"


def test_the_button_is_a_wish() -> None:
    assert decide(signals(1.0, pressed_for_person=True), POLICY).route is Route.HANDOFF


@pytest.mark.parametrize("word", ["yes", "Ja, bitte!", "sí", "Yes please."])
def test_yes_after_the_offer_of_a_person_is_a_wish(word: str) -> None:
    assert decide(signals(1.0, last_bot_route="clarify", newest_text=word), POLICY).route is Route.HANDOFF
    assert decide(signals(1.0, last_bot_route="answer", newest_text=word), POLICY).route is Route.ANSWER


def test_a_category_reserved_for_people_goes_to_people_however_good_the_article() -> None:
    reserved = CategoryPolicy("legal", "Legal", needs_person=True)

    verdict = decide(signals(0.99, category=reserved), POLICY)

    assert verdict.route is Route.HANDOFF
    assert verdict.handoff_reason == "category_needs_person"


def test_polite_anger_of_a_strategic_account_after_a_failed_answer_is_handed_over() -> None:
    upset = heard(sentiment=-0.7, sentiment_trend=-0.5, says_unsolved=0.9)
    same_words_small_account = signals(0.9, understanding=heard(sentiment=-0.2))

    verdict = decide(signals(0.9, understanding=upset, tier="strategic", failed_attempts=1), POLICY)

    assert verdict.route is Route.HANDOFF
    assert {"failed_attempts", "sentiment", "account_tier"} <= {reason.name for reason in verdict.reasons}
    assert decide(same_words_small_account, POLICY).route is Route.ANSWER


def test_a_bug_is_filed_and_page_errors_make_it_likelier() -> None:
    unsure = heard(kind=Kind.BUG, kind_confidence=0.55)

    without = decide(signals(0.2, understanding=unsure), POLICY)
    with_errors = decide(signals(0.2, understanding=unsure, page_errors=2), POLICY)

    assert with_errors.route is Route.BUG_REPORT
    assert with_errors.expected_cost["bug_report"] < without.expected_cost["bug_report"]


@pytest.mark.parametrize(
    ("words", "sounds"),
    [
        ("Safari", heard(kind=Kind.SMALL_TALK, kind_confidence=0.96, is_follow_up=True)),
        ("I expected a filled invoice", heard(kind=Kind.COMPLAINT, kind_confidence=0.45)),
        ("First I open reports, then I filter", heard(kind=Kind.HOW_TO, kind_confidence=0.86)),
        ("It says error 500", heard(kind=Kind.BUG, kind_confidence=0.99)),
    ],
)
def test_what_answers_the_question_about_a_bug_is_its_detail(words: str, sounds: Understanding) -> None:
    given = signals(0.9, understanding=sounds, newest_text=words)

    assert decide(replace(given, last_bot_route="bug_report"), POLICY).route is Route.BUG_REPORT


@pytest.mark.parametrize(
    ("words", "sounds"),
    [
        ("thanks", heard(kind=Kind.SMALL_TALK, kind_confidence=0.99)),
        ("it works now", heard(kind=Kind.SMALL_TALK, kind_confidence=0.94, is_follow_up=True, says_solved=0.9)),
        ("never mind", heard(kind=Kind.SMALL_TALK, kind_confidence=0.99, is_follow_up=True, dissatisfied=0.73)),
        ("How do I invite a member?", heard(kind=Kind.HOW_TO, kind_confidence=0.8)),
        ("I want to cancel", heard(kind=Kind.ACCOUNT_BILLING, kind_confidence=0.98)),
        ("Get me a person", heard(kind=Kind.WANTS_PERSON, kind_confidence=0.8, wish_for_person=0.9)),
        ("You are useless", heard(kind=Kind.COMPLAINT, kind_confidence=0.8, sentiment=-0.8)),
    ],
)
def test_what_does_not_answer_it_is_none(words: str, sounds: Understanding) -> None:
    given = signals(0.95, understanding=sounds, newest_text=words)

    assert decide(replace(given, last_bot_route="bug_report"), POLICY).route is not Route.BUG_REPORT


def test_a_greeting_needs_no_evidence() -> None:
    assert decide(signals(0.0, understanding=heard(kind=Kind.SMALL_TALK)), POLICY).route is Route.ANSWER


@given(
    evidence=UNIT,
    kind=st.sampled_from(list(Kind)),
    confidence=UNIT,
    wish=UNIT,
    risk=UNIT,
    sentiment=st.floats(-1, 1),
    attempts=st.integers(0, 5),
)
def test_every_mix_of_signals_has_a_route_whose_reasons_are_numbers(
    evidence: float, kind: Kind, confidence: float, wish: float, risk: float, sentiment: float, attempts: int
) -> None:
    mixed = heard(kind=kind, kind_confidence=confidence, wish_for_person=wish, risk=risk, sentiment=sentiment)

    verdict = decide(signals(evidence, understanding=mixed, failed_attempts=attempts), POLICY)

    assert verdict.expected_cost[verdict.route.value] == min(verdict.expected_cost.values())
    assert all(-1 <= reason.weight <= 1 for reason in verdict.reasons)


@given(risk=UNIT, more=UNIT)
def test_more_risk_never_makes_a_person_less_likely(risk: float, more: float) -> None:
    low, high = sorted((risk, more))

    calm = decide(signals(0.7, understanding=heard(risk=low)), POLICY)
    risky = decide(signals(0.7, understanding=heard(risk=high)), POLICY)

    assert risky.expected_cost["handoff"] <= calm.expected_cost["handoff"] + 1e-6


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("How do I dispute a charge?", Route.ANSWER),
        ("Wie widerspreche ich einer Abbuchung?", Route.ANSWER),
        ("I dispute this charge, I want my money back", Route.HANDOFF),
        ("Why was I charged twice?", Route.HANDOFF),
    ],
)
def test_asking_about_a_risk_is_answered_and_being_in_one_is_handed_over(text: str, route: Route) -> None:
    risky = heard(kind=Kind.ACCOUNT_BILLING, risk=0.8)

    assert decide(signals(0.97, understanding=risky, newest_text=text), POLICY).route is route


@pytest.mark.parametrize(
    ("risk", "text", "route"),
    [
        (0.56, "My payment failed. What now?", Route.ANSWER),
        (0.2, "My payment failed.", Route.ANSWER),
        (0.69, "My payment failed. What now?", Route.ANSWER),
        (0.69, "My payment failed.", Route.HANDOFF),
        (0.9, "I don't know this charge. What can I do?", Route.HANDOFF),
    ],
)
def test_a_question_behind_a_case_is_answered_unless_the_case_is_grave(risk: float, text: str, route: Route) -> None:
    case = heard(kind=Kind.ACCOUNT_BILLING, risk=risk)

    assert decide(signals(0.97, understanding=case, newest_text=text), POLICY).route is route


def test_unsure_abuse_is_not_met_with_a_refusal() -> None:
    unsure = heard(kind=Kind.ABUSE, kind_confidence=0.4)

    assert decide(signals(0.1, understanding=unsure), POLICY).route is Route.CLARIFY


DEAR = CategoryPolicy("billing", "Billing", costs=Costs(wrong_answer=40))


def test_where_a_wrong_answer_costs_more_the_same_evidence_is_not_enough_and_the_reasons_say_so() -> None:
    verdict = decide(signals(0.9, category=DEAR), POLICY)

    assert decide(signals(0.9), POLICY).route is Route.ANSWER
    assert verdict.route is Route.CLARIFY
    assert Reason("category_costs", "billing", 0.8, Route.CLARIFY) in verdict.reasons


def test_costs_of_a_category_that_change_nothing_are_no_reason() -> None:
    verdict = decide(signals(0.99, category=DEAR), POLICY)

    assert verdict.route is Route.ANSWER
    assert [reason.name for reason in verdict.reasons] == ["evidence"]


@pytest.mark.parametrize(("confidence", "cost"), [(0.0, 5.0), (0.5, 12.5), (1.0, 20.0)])
def test_costs_of_a_category_count_as_far_as_the_category_is_sure(confidence: float, cost: float) -> None:
    unsure = heard(category_confidence=confidence)

    verdict = decide(signals(0.5, understanding=unsure, category=DEAR), POLICY)

    assert verdict.expected_cost["answer"] == cost


def test_a_handoff_that_costs_bring_about_names_what_speaks_for_a_person() -> None:
    cheap = CategoryPolicy("billing", "Billing", costs=Costs(needless_handoff=0.1))

    without_cause = decide(signals(0.9, category=cheap), POLICY)
    with_cause = decide(signals(0.9, category=cheap, knowledge_down=True), POLICY)

    assert (without_cause.route, without_cause.handoff_reason) == (Route.HANDOFF, "no_answer")
    assert with_cause.handoff_reason == "knowledge_down"


def test_a_signal_that_hardly_weighs_is_not_named_as_the_reason_of_a_handoff() -> None:
    out_of_sorts = heard(sentiment=-0.4)
    cheap = CategoryPolicy("billing", "Billing", costs=Costs(needless_handoff=1.0))

    verdict = decide(signals(0.5, understanding=out_of_sorts, category=cheap), POLICY)

    assert verdict.route is Route.HANDOFF
    assert "sentiment" in [reason.name for reason in verdict.reasons if reason.towards is Route.HANDOFF]
    assert verdict.handoff_reason == "no_answer"


def test_no_costs_of_a_category_keep_someone_who_wants_a_person() -> None:
    keen = CategoryPolicy("billing", "Billing", costs=Costs(needless_handoff=1000, missed_handoff=0.01))

    verdict = decide(signals(1.0, category=keen, pressed_for_person=True), POLICY)

    assert verdict.route is Route.HANDOFF


# --- what doesn't work, and has an article


def broken(evidence: float, remedy: float = 1.0, **changes: object) -> Signals:
    return signals(evidence, understanding=heard(kind=Kind.BUG, kind_confidence=0.9), remedy=remedy, **changes)


def test_trouble_that_an_article_is_about_is_answered_and_any_other_is_reported() -> None:
    answered = decide(broken(0.95), POLICY)

    assert answered.route is Route.ANSWER
    assert "remedy" in {reason.name for reason in answered.reasons}
    for evidence in (0.0, 0.5, 0.8):
        assert decide(broken(evidence), POLICY).route is Route.BUG_REPORT


@pytest.mark.parametrize(
    "text",
    ["no its not a bug i need help", "That's not a bug, it's a question", "Das ist kein Fehler", "no es un error"],
)
def test_whoever_says_that_it_is_no_bug_reports_none(text: str) -> None:
    verdict = decide(broken(0.5, remedy=0.0, newest_text=text, last_bot_route="bug_report"), POLICY)

    assert verdict.route is not Route.BUG_REPORT
    assert "denies_bug" in {reason.name for reason in verdict.reasons}


@pytest.mark.parametrize("text", ["there is no error, it just hangs", "es kommt kein Fehler", "not an error message"])
def test_trouble_without_an_error_is_trouble(text: str) -> None:
    assert decide(broken(0.5, newest_text=text), POLICY).route is Route.BUG_REPORT


@pytest.mark.parametrize(
    "text",
    ["is this known?", "can you tell me when it's fixed?", "Wann wird das behoben?", "¿cuándo estará arreglado?"],
)
def test_what_becomes_of_a_bug_is_asked_and_no_detail_of_it(text: str) -> None:
    asked = heard(kind=Kind.BUG, kind_confidence=0.7)

    verdict = decide(signals(0.1, understanding=asked, newest_text=text, last_bot_route="bug_report"), POLICY)

    assert verdict.route is Route.CLARIFY


@pytest.mark.parametrize("text", ["how to turn on double opt in", "Wie richte ich das ein?", "¿cómo se activa?"])
def test_how_something_is_done_is_no_bug(text: str) -> None:
    asked = signals(0.5, understanding=heard(kind=Kind.BUG, kind_confidence=0.7), newest_text=text)

    assert decide(asked, POLICY).route is Route.CLARIFY
    assert decide(replace(asked, newest_text="it turns off by itself"), POLICY).route is Route.BUG_REPORT


def test_what_sounds_like_a_wish_is_answered_where_an_article_is_sure_to_tell_how() -> None:
    wish = heard(kind=Kind.FEATURE_REQUEST, kind_confidence=0.8)

    assert decide(signals(0.99, understanding=wish), POLICY).route is Route.ANSWER
    assert decide(signals(0.9, understanding=wish), POLICY).route is Route.CLARIFY


def test_a_calm_complaint_that_an_article_explains_is_answered() -> None:
    calm = heard(kind=Kind.COMPLAINT, kind_confidence=0.76, sentiment=-0.2)

    assert decide(signals(0.98, understanding=calm), POLICY).route is Route.ANSWER
    assert decide(signals(0.98, understanding=replace(calm, sentiment=-0.9)), POLICY).route is Route.HANDOFF


def test_a_hint_of_a_wish_for_a_person_in_a_question_that_an_article_answers_is_none() -> None:
    asked = signals(0.98, understanding=heard(wish_for_person=0.4), newest_text="Can I reactivate a contact?")

    assert decide(asked, POLICY).route is Route.ANSWER
    assert decide(replace(asked, evidence=0.3), POLICY).route is not Route.ANSWER


def test_trouble_of_an_ordinary_reason_is_answered_where_an_article_is_found_and_asked_about_elsewhere() -> None:
    """ "The link says expired" is nothing for those who make the software, with or without an article."""
    ordinary = heard(kind=Kind.BUG, kind_confidence=0.95, fault=0.02)

    assert decide(signals(0.95, understanding=ordinary), POLICY).route is Route.ANSWER
    assert decide(signals(0.3, understanding=ordinary), POLICY).route is Route.CLARIFY
    # "Coupon SPRING10 isn't working for one of my customers", and no article in sight.
    assert decide(signals(0.1, understanding=replace(ordinary, fault=0.18)), POLICY).route is Route.CLARIFY
    assert decide(signals(0.3, understanding=replace(ordinary, fault=0.95)), POLICY).route is Route.BUG_REPORT


def test_a_fault_by_name_is_one_however_ordinary_it_sounds() -> None:
    ordinary = heard(kind=Kind.BUG, kind_confidence=0.95, fault=0.02)

    verdict = decide(signals(0.3, understanding=ordinary, newest_text="Error 500 when I save"), POLICY)

    assert verdict.route is Route.BUG_REPORT


@pytest.mark.parametrize(
    "behind", [{"last_bot_route": "bug_report"}, {"last_bot_route": "answer", "report_offered": True}]
)
def test_what_no_fault_is_behind_a_report_and_an_article_knows_is_answered(behind: dict[str, Any]) -> None:
    asks_more = heard(kind=Kind.BUG, kind_confidence=0.75, is_follow_up=True, fault=0.02)
    text = "i cant pick the day i want its greyed out"

    def route(evidence: float, understanding: Understanding = asks_more) -> Route:
        return decide(signals(evidence, understanding=understanding, newest_text=text, **behind), POLICY).route

    assert route(0.91) is Route.ANSWER
    # Details of the bug: what no article is likely to know, or what sounds like the fault itself.
    assert route(0.5) is Route.BUG_REPORT
    assert route(0.91, replace(asks_more, fault=0.95)) is Route.BUG_REPORT


def test_a_remedy_that_failed_is_no_other_question_whatever_it_sounds_like() -> None:
    still = heard(kind=Kind.BUG, kind_confidence=0.8, fault=0.05, says_unsolved=0.9)

    assert decide(signals(0.91, understanding=still, report_offered=True), POLICY).route is Route.BUG_REPORT


@given(evidence=UNIT, fault=UNIT, more=UNIT)
def test_the_likelier_a_fault_the_less_an_article_is_a_remedy(evidence: float, fault: float, more: float) -> None:
    def share(of: float) -> float:
        return remedy_share(signals(evidence, understanding=heard(kind=Kind.BUG, fault=of)))

    assert 0 <= share(max(fault, more)) <= share(min(fault, more)) <= 0.8


def test_an_article_that_knows_nothing_of_the_trouble_is_no_remedy() -> None:
    assert decide(broken(0.99, remedy=0.0), POLICY).route is Route.BUG_REPORT


def test_new_trouble_after_a_friendly_word_is_no_trend() -> None:
    trouble = heard(kind=Kind.BUG, kind_confidence=0.7, sentiment=-0.3, sentiment_trend=-0.9)

    assert decide(signals(0.96, understanding=trouble, remedy=1.0), POLICY).route is Route.ANSWER
    # Of whoever is angry, or goes on about the same, it is one.
    for worse in (replace(trouble, sentiment=-0.7), replace(trouble, is_follow_up=True)):
        reasons = decide(signals(0.96, understanding=worse), POLICY).reasons
        assert "sentiment_trend" in {reason.name for reason in reasons}


def test_a_plain_question_after_thanks_is_less_friendly_and_no_trend() -> None:
    asked = heard(sentiment=0.0, sentiment_trend=-0.93)

    verdict = decide(signals(0.9, understanding=asked), POLICY)

    assert verdict.route is Route.ANSWER
    assert "sentiment_trend" not in {reason.name for reason in verdict.reasons}


def test_what_the_page_itself_reports_is_no_customers_mistake() -> None:
    assert decide(broken(0.95, page_errors=1), POLICY).route is Route.BUG_REPORT


@pytest.mark.parametrize(
    "text",
    ["error 500 every time", "It crashed again", "die App stürzt beim Öffnen ab", "status: 503", "se cierra sola"],
)
def test_what_only_a_fault_says_is_reported_at_once(text: str) -> None:
    assert decide(broken(0.95, newest_text=text), POLICY).route is Route.BUG_REPORT


@pytest.mark.parametrize("text", ["error 42", "it costs 500 now", "an error in my invoice"])
def test_any_other_error_may_have_an_article(text: str) -> None:
    assert decide(broken(0.95, newest_text=text), POLICY).route is Route.ANSWER


@pytest.mark.parametrize("text", ["no", "It didn't help", "still the same", "nein"])
def test_a_remedy_that_does_not_help_is_followed_by_the_report_that_was_offered(text: str) -> None:
    # Whatever it sounds like: unhappy, small talk, a complaint.
    for kind in (Kind.SMALL_TALK, Kind.COMPLAINT, Kind.BUG):
        unhappy = heard(kind=kind, kind_confidence=0.8, says_unsolved=0.9, sentiment=-0.4, dissatisfied=0.9)
        now = signals(0.9, understanding=unhappy, newest_text=text, report_offered=True, failed_attempts=1)

        assert decide(now, POLICY).route is Route.BUG_REPORT
        assert decide(replace(now, report_offered=False), POLICY).route is not Route.BUG_REPORT or kind is Kind.BUG


def test_details_behind_a_remedy_are_reported_and_questions_answered() -> None:
    details = heard(kind=Kind.HOW_TO, kind_confidence=0.6, is_follow_up=True)
    as_it_should_be = signals(
        0.9, understanding=details, newest_text="They are paid and it says connected", report_offered=True
    )

    assert decide(as_it_should_be, POLICY).route is Route.BUG_REPORT
    assert decide(replace(as_it_should_be, newest_text="How long is it valid?"), POLICY).route is Route.ANSWER
    thanks = replace(as_it_should_be, understanding=heard(kind=Kind.SMALL_TALK, kind_confidence=0.95, says_solved=0.9))
    assert decide(thanks, POLICY).route is Route.ANSWER


def test_whoever_is_angry_about_a_remedy_gets_a_person() -> None:
    angry = heard(kind=Kind.COMPLAINT, kind_confidence=0.95, says_unsolved=0.9, sentiment=-0.9, sentiment_trend=-0.9)

    verdict = decide(signals(0.9, understanding=replace(angry, risk=0.6), report_offered=True), POLICY)

    assert verdict.route is Route.HANDOFF


# --- behind a question about a bug


def behind_a_bug(text: str, understanding: Understanding, evidence: float = 0.3) -> Signals:
    return signals(evidence, understanding=understanding, newest_text=text, last_bot_route="bug_report")


@pytest.mark.parametrize("text", ["how long do I have to wait", "Is it safe now", "what timezone", "und wann?"])
def test_a_question_behind_a_bugs_question_is_answered_where_an_article_does(text: str) -> None:
    as_the_bug = heard(kind=Kind.BUG, kind_confidence=0.6, is_follow_up=True)
    of_its_own = heard(kind=Kind.HOW_TO, kind_confidence=0.9)

    assert decide(behind_a_bug(text, as_the_bug, 0.95), POLICY).route is Route.ANSWER
    assert decide(behind_a_bug(text, of_its_own, 0.95), POLICY).route is Route.ANSWER
    assert decide(behind_a_bug(text, of_its_own, 0.1), POLICY).route is Route.CLARIFY


def test_details_of_a_bug_may_sound_unhappy_or_dangerous() -> None:
    for changes in ({"sentiment": -0.4, "dissatisfied": 0.75, "sentiment_trend": -0.3}, {"risk": 0.6}):
        sure = heard(kind=Kind.BUG, kind_confidence=0.98, **changes)
        assert decide(behind_a_bug("no errors in the console", sure, 0.85), POLICY).route is Route.BUG_REPORT
    clause = heard(kind=Kind.HOW_TO, kind_confidence=0.6)
    assert decide(behind_a_bug("When I choose June", clause, 0.1), POLICY).route is Route.BUG_REPORT
    grave = heard(kind=Kind.BUG, kind_confidence=0.98, risk=0.9)
    assert decide(behind_a_bug("somebody else's invoices are shown", grave), POLICY).route is Route.HANDOFF


# --- what was offered


@pytest.mark.parametrize("word", ["yes", "Ja, bitte!", "sí", "Vale.", "Yes please."])
@pytest.mark.parametrize(
    ("offered", "route", "reason"),
    [(OFFERED_PERSON, Route.HANDOFF, "explicit_wish"), (OFFERED_BUG, Route.BUG_REPORT, "agreed_to_report")],
)
def test_yes_to_an_offer_is_consent_to_it(word: str, offered: str, route: Route, reason: str) -> None:
    # Whatever the word sounds like by itself, and however well an article fits it.
    heard_as = heard(kind=Kind.SMALL_TALK, kind_confidence=0.99)

    verdict = decide(signals(1.0, understanding=heard_as, last_bot_route=offered, newest_text=word), POLICY)

    assert verdict.route is route
    assert reason in {given.name for given in verdict.reasons}


@pytest.mark.parametrize("word", ["no", "yesterday it worked", "ja und nein", "yes, but first: where are they?", ""])
@pytest.mark.parametrize("offered", [OFFERED_PERSON, OFFERED_BUG])
def test_what_is_no_yes_is_no_consent(word: str, offered: str) -> None:
    assert decide(signals(1.0, last_bot_route=offered, newest_text=word), POLICY).route is Route.ANSWER


def test_an_offer_lasts_until_the_bot_or_a_person_says_something_else() -> None:
    offer, answer = message(Author.BOT, OFFERED_BUG), message(Author.BOT, "answer")

    assert last_bot_route([offer, message(Author.CUSTOMER)]) == OFFERED_BUG
    assert last_bot_route([offer, answer]) == "answer"
    assert last_bot_route([offer, message(Author.PERSON)]) is None


def message(author: Author, route: str | None = None) -> Message:
    return Message("m", author, Untrusted.of("x", Source.CUSTOMER), datetime(2026, 1, 1, tzinfo=UTC), route=route)


# --- a second opinion


@given(
    evidence=UNIT,
    kind=st.sampled_from(list(Kind)),
    confidence=UNIT,
    wish=UNIT,
    risk=UNIT,
    sentiment=st.floats(-1, 1),
    known=UNIT,
    opinion=UNIT,
)
def test_a_second_opinion_can_only_bring_a_person(
    evidence: float,
    kind: Kind,
    confidence: float,
    wish: float,
    risk: float,
    sentiment: float,
    known: float,
    opinion: float,
) -> None:
    mixed = heard(kind=kind, kind_confidence=confidence, wish_for_person=wish, risk=risk, sentiment=sentiment)
    without = signals(evidence, understanding=mixed, known=known)

    alone, asked = decide(without, POLICY), decide(replace(without, opinion=opinion), POLICY)

    assert asked.expected_cost["handoff"] <= alone.expected_cost["handoff"]
    if opinion <= 0.5:
        assert asked == alone
    if alone.route is Route.HANDOFF:
        assert asked.route is Route.HANDOFF
        assert asked.handoff_reason is not None


def test_an_opinion_is_a_reason_and_may_decide() -> None:
    doubtful = signals(0.9)

    alone, asked = decide(doubtful, POLICY), decide(replace(doubtful, opinion=1.0), POLICY)

    assert (alone.route, asked.route) == (Route.ANSWER, Route.HANDOFF)
    assert asked.handoff_reason == "second_opinion"


def test_a_case_is_on_the_border_when_a_person_costs_nearly_the_same() -> None:
    costs = decide(signals(0.7), POLICY)
    near = {"answer": 3.0, "clarify": 2.9, "bug_report": 4.0, "handoff": 3.4}
    far = {"answer": 0.5, "clarify": 1.5, "bug_report": 4.0, "handoff": 3.0}

    assert is_borderline(replace(costs, expected_cost=near), POLICY)
    assert not is_borderline(replace(costs, expected_cost=far), POLICY)
    assert not is_borderline(replace(costs, expected_cost={}), POLICY)


# --- what the team's tickets came to


def history(person: float = 0.02, bug: float = 0.02, *, courtesies: bool = True) -> History:
    return History(person, bug, trust=0.9, courtesies=courtesies)


def test_tickets_that_needed_a_person_bring_one_and_say_so() -> None:
    verdict = decide(signals(0.3, history=history(person=0.7)), POLICY)

    assert verdict.route is Route.HANDOFF
    assert verdict.handoff_reason == "similar_tickets"


def test_where_no_article_answered_such_tickets_a_question_is_not_asked() -> None:
    assert decide(signals(0.4), POLICY).route is Route.CLARIFY
    assert decide(signals(0.4, history=history(person=0.4)), POLICY).route is Route.HANDOFF
    assert decide(signals(0.4, history=history()), POLICY).route is Route.CLARIFY


def test_tickets_that_were_bugs_bring_one_whatever_kind_it_sounds_like() -> None:
    verdict = decide(signals(0.1, history=history(bug=0.9)), POLICY)

    assert verdict.route is Route.BUG_REPORT
    assert "similar_bugs" in {reason.name for reason in verdict.reasons}


def test_what_sounds_dangerous_and_never_was_is_answered() -> None:
    frightening = heard(kind=Kind.COMPLAINT, risk=0.9, sentiment=-0.5)

    assert decide(signals(0.9, understanding=frightening), POLICY).route is Route.HANDOFF
    assert decide(signals(0.95, understanding=frightening, history=history()), POLICY).route is Route.ANSWER


@pytest.mark.parametrize(
    "changes",
    [
        {"pressed_for_person": True},
        {"understanding": heard(wish_for_person=0.9)},
        {"category": CategoryPolicy("legal", "Legal", needs_person=True)},
        {"failed_attempts": 2},
        {"evidence": 0.3, "knowledge_down": True},
    ],
)
def test_no_history_keeps_someone_from_a_person(changes: dict[str, object]) -> None:
    never = replace(signals(0.95, history=history(person=0.0, bug=0.0)), **changes)  # type: ignore[arg-type]  # By name.

    assert decide(never, POLICY).route is Route.HANDOFF


def test_a_greeting_is_met_also_by_a_team_whose_tickets_hold_none() -> None:
    greeting = heard(kind=Kind.SMALL_TALK)

    unknown = signals(0.0, understanding=greeting, history=history(person=0.8, courtesies=False))
    assert decide(unknown, POLICY).route is Route.ANSWER
    assert decide(replace(unknown, history=history(person=0.8)), POLICY).route is Route.HANDOFF


@given(evidence=UNIT, person=UNIT, more=UNIT, kind=st.sampled_from(list(Kind)), confidence=UNIT, risk=UNIT)
def test_more_tickets_that_needed_a_person_never_make_one_less_likely(
    evidence: float, person: float, more: float, kind: Kind, confidence: float, risk: float
) -> None:
    low, high = sorted((person, more))
    mixed = signals(evidence, understanding=heard(kind=kind, kind_confidence=confidence, risk=risk))

    fewer = decide(replace(mixed, history=History(low, 0.0, 0.9)), POLICY)
    many = decide(replace(mixed, history=History(high, 0.0, 0.9)), POLICY)

    assert many.expected_cost["handoff"] <= fewer.expected_cost["handoff"] + 1e-6


def test_only_what_learnt_how_tickets_end_is_history() -> None:
    assert History.of(Evidence(0.5, {"top_score": 0.5})) is None
    told = History.of(Evidence(0.5, {"outcome_trust": 0.8, "outcome_person": 0.3, "outcome_bug": 0.1}))
    assert told == History(0.3, 0.1, 0.8, courtesies=False)


@pytest.mark.parametrize(
    ("before", "counts"),
    [((), True), ((Author.CUSTOMER,), True), ((Author.PERSON,), False), ((Author.CUSTOMER, Author.BOT), False)],
)
def test_what_tickets_came_to_says_nothing_of_what_is_said_after_our_answer(
    before: tuple[Author, ...], counts: bool
) -> None:
    said = Untrusted.of("fine, thanks", Source.CUSTOMER)
    request = TurnRequest(
        turn_id="t",
        conversation_id="c",
        workspace_id="w",
        reply_message_id="r",
        texts=(said,),
        identity=Identity(),
        now=datetime(2026, 1, 5, tzinfo=UTC),
        history=tuple(message(author, "answer") for author in before),
    )
    learnt = Evidence(0.5, {"outcome_trust": 0.8, "outcome_person": 0.9, "outcome_bug": 0.1})

    found = signals_of(request, Known(heard(question=said), learnt, PageContext(), None), POLICY)

    assert (found.history is not None) == counts


def test_what_fails_is_asked_before_a_ticket_says_that_something_does() -> None:
    trouble = heard(kind=Kind.BUG, kind_confidence=0.6, unspecific=True, sentiment=-0.4)

    assert decide(signals(0.6, understanding=trouble), POLICY).route is Route.CLARIFY
    # The page itself says what fails, and so does whoever was asked about a bug.
    assert decide(signals(0.1, understanding=trouble, page_errors=2), POLICY).route is Route.BUG_REPORT
    details = replace(trouble, unspecific=False, is_follow_up=True)
    assert decide(signals(0.1, understanding=details, last_bot_route="bug_report"), POLICY).route is Route.BUG_REPORT


def test_an_answer_to_our_question_about_a_bug_is_no_failed_attempt() -> None:
    unsolved = heard(says_unsolved=0.9)
    tried = [spoken(Route.ANSWER), spoken(Route.CLARIFY)]

    assert failed_attempts(tried, unsolved) == 2
    assert failed_attempts([*tried, spoken(Route.BUG_REPORT)], unsolved) == 0


def spoken(route: Route) -> Message:
    words = Untrusted.of("So it goes.", Source.CUSTOMER)
    return Message("m", Author.BOT, words, datetime(2026, 11, 28, tzinfo=UTC), route=route)


def test_details_that_we_asked_for_may_sound_unhappy() -> None:
    told = heard(
        kind=Kind.BUG,
        kind_confidence=0.94,
        sentiment=-0.48,
        sentiment_trend=-0.35,
        dissatisfied=0.79,
        is_follow_up=True,
    )

    assert decide(signals(0.5, understanding=told, last_bot_route="bug_report"), POLICY).route is Route.BUG_REPORT
    angry = replace(told, sentiment=-0.9, sentiment_trend=-0.8)
    assert decide(signals(0.5, understanding=angry, last_bot_route="bug_report"), POLICY).route is Route.HANDOFF


@pytest.mark.parametrize(
    ("sounds", "route"),
    [
        ({"sentiment": -0.4, "risk": 0.1}, Route.CLARIFY),
        ({"kind": Kind.COMPLAINT, "kind_confidence": 0.5, "sentiment": -0.3}, Route.CLARIFY),
        ({"kind": Kind.ACCOUNT_BILLING, "risk": 0.3}, Route.HANDOFF),
        ({"sentiment": -0.95, "dissatisfied": 0.9}, Route.HANDOFF),
        ({"kind": Kind.COMPLAINT, "kind_confidence": 0.9, "sentiment": -0.8}, Route.HANDOFF),
    ],
)
def test_what_sounds_a_little_unhappy_is_asked_about_and_what_clearly_does_is_handed_over(
    sounds: dict[str, Any], route: Route
) -> None:
    assert decide(signals(0.6, understanding=heard(**sounds)), POLICY).route is route
