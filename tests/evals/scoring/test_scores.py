"""The scores of one case: right, wrong, unscorable, empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.phrases import Phrase, phrase
from agent.types import LANGUAGES, Kind, Language
from evals.labels.label import Label
from evals.replay.case import Case, Cited, Claim, Found, Timing, Turn
from evals.scoring.bugs import BugBook
from evals.scoring.containment import Containment
from evals.scoring.known import Known, every, opposite, some
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore, score_case
from evals.scoring.substance import says_nothing
from evals.scoring.summary import summarise
from tests.evals.scoring.making import (
    POLICY,
    answer,
    bug,
    case,
    filed,
    for_person,
    handoff,
    how_to,
    question,
    scored,
    turn,
)


def contained(made: Case, label: Label) -> Containment:
    """The containment of one case, which has one."""
    found = scored(made, label).contained
    assert found is not None
    return found


def cost(made: Case, label: Label) -> float | None:
    """What the case's mistakes cost."""
    found = scored(made, label).mistake_cost
    return None if found is None else found.value


def test_an_answer_from_the_right_article_is_contained_and_costs_nothing() -> None:
    found = contained(case(answer()), how_to())

    assert (found.verified, found.durable, found.wrong, found.went_quiet, found.confirmed) == (
        True,
        True,
        False,
        True,
        False,
    )
    assert cost(case(answer()), how_to()) == 0


def test_the_tiers_are_apart() -> None:
    said_so = contained(case(answer(solved=True)), how_to())
    came_back = contained(case(answer()), how_to(returned=True))
    not_told = contained(case(answer()), how_to(returned=None))
    wrong_but_happy = contained(case(answer("other", solved=True)), how_to())

    assert (said_so.confirmed, said_so.verified) == (True, True)
    assert (came_back.verified, came_back.durable) == (True, False)
    assert (not_told.verified, not_told.durable) == (True, None)
    assert (wrong_but_happy.confirmed, wrong_but_happy.verified) == (True, False)


def test_the_wrong_article_is_wrong_containment_at_the_price_of_a_wrong_answer() -> None:
    found = contained(case(answer("other")), how_to())

    assert (found.verified, found.wrong) == (False, True)
    assert cost(case(answer("other")), how_to()) == 10


def test_without_a_label_nothing_is_right_or_wrong() -> None:
    found = contained(case(answer()), Label("T-1"))

    assert (found.verified, found.durable, found.wrong, found.right) == (None, None, None, None)
    assert found.went_quiet
    assert cost(case(answer()), Label("T-1")) is None


@pytest.mark.parametrize(("agreement", "right"), [(0.9, True), (0.5, None), (0.1, None)])
def test_where_no_article_is_known_the_human_reply_decides(agreement: float, right: bool | None) -> None:
    found = contained(case(answer(agreement=agreement)), how_to(articles=None))

    assert (found.right, found.verified) == (right, right)


def test_a_team_may_take_little_agreement_for_a_wrong_answer() -> None:
    made, label = case(answer(agreement=0.1)), how_to(articles=None)

    found = score_case(made, label, None, POLICY, Rules(differs=0.2), BugBook()).contained

    assert found is not None
    assert (found.right, found.wrong) == (False, True)


def test_an_article_that_the_human_linked_is_right_too() -> None:
    assert contained(case(answer("other", same_article=True)), how_to()).verified is True


def test_citing_everything_that_was_found_is_not_citing_the_right_article() -> None:
    citations = tuple(Cited(n=n, article_id=f"a{n}", passage_id=f"a{n}#1") for n in range(1, 6))
    right_is_last = (*citations, Cited(n=6, article_id="reset", passage_id="reset#1"))

    assert contained(case(answer(citations=right_is_last)), how_to()).verified is False


@pytest.mark.parametrize(("support", "verified"), [(0.9, True), (0.49, False), (None, None)])
def test_a_claim_needs_support(support: float | None, verified: bool | None) -> None:
    assert contained(case(answer(support=support)), how_to()).verified is verified


def test_an_answer_without_a_source_for_a_sentence_is_not_contained_but_not_wrong() -> None:
    bare = answer(claims=(Claim(text="It is so.", support=0.9),))

    found = contained(case(bare), how_to())

    assert (found.verified, found.wrong, found.grounded) == (False, False, False)


def test_facts_of_the_account_are_in_no_article() -> None:
    looked_up = answer(claims=(Claim(text="It is on its way.", from_tool="order_status", support=0.9),), citations=())

    assert contained(case(looked_up), how_to()).right is None
    assert contained(case(looked_up.model_copy(update={"agreement": 0.9})), how_to()).verified is True


def test_a_question_is_no_answer() -> None:
    found = contained(case(question(), ending="diverged"), how_to())

    assert (found.verified, found.wrong, found.confirmed, found.right) == (False, False, False, None)
    assert cost(case(question()), how_to()) == 1.5 + 3
    assert scored(case(question()), how_to()).mistake_cost.at_best == 1.5  # type: ignore[union-attr]  # Seen above.


def test_a_question_after_the_answer_leaves_it_open() -> None:
    assert contained(case(answer(), question(2)), how_to()).open_question
    assert not contained(case(question(), answer(number=2)), how_to()).open_question
    assert contained(case(answer(), question(2)), how_to()).verified is False


def test_an_answer_that_did_not_help_is_not_complete() -> None:
    assert contained(case(answer(solved=False)), how_to()).verified is False
    assert contained(case(answer(broken_off="cut")), how_to()).verified is False
    assert contained(case(answer(solved=False), answer(number=2, solved=True)), how_to()).verified is True


def test_thanks_after_the_answer_may_be_met_with_a_courtesy() -> None:
    assert contained(case(answer(), turn(2, reply="You're welcome!")), how_to()).verified is True


def test_a_greeting_in_answer_to_a_request_is_wrong() -> None:
    found = contained(case(turn(reply="Hello! How can I help?")), how_to())

    assert (found.verified, found.wrong) == (False, True)


def test_answering_whoever_needed_a_person_is_two_mistakes() -> None:
    found = contained(case(answer("other")), for_person())

    assert (found.verified, found.wrong) == (False, True)
    assert cost(case(answer("other")), for_person()) == 10 + 12


def test_a_handoff_that_was_needed_costs_nothing_and_a_needless_one_does() -> None:
    said, effect = handoff()
    made = case(said, effects=(effect,), ending="handed_off")

    assert cost(made, for_person()) == 0
    assert cost(made, how_to()) == 3
    assert contained(made, how_to()).verified is False
    assert contained(made, how_to()).wrong is False


def test_a_promise_without_a_handoff_is_false_and_wrong() -> None:
    promised = turn(reply="I've passed this on to a colleague, who will get back to you today.")
    says_so = turn(outcome="handed_off", reply="A person takes over.")

    for made in (case(promised), case(says_so)):
        found = contained(made, how_to(articles=None))
        assert (found.false_promise, found.verified) == (True, False)
        assert scored(made, for_person()).handed.handed_over is False  # type: ignore[union-attr]  # It has a request.
    assert contained(case(promised), how_to(articles=None)).wrong is True


def test_what_the_source_says_word_by_word_is_the_team_s_own_promise() -> None:
    text = "We will send you a new link within five minutes."
    quoted = answer(reply=text, claims=(Claim(text=text, cites=("reset#1",), support=1.0),))
    reworded = answer(reply=text, claims=(Claim(text=text, cites=("reset#1",), support=0.6),))

    assert contained(case(quoted), how_to()).verified is True
    assert contained(case(reworded), how_to()).false_promise is True


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_offer_to_report_a_bug_is_kept_and_no_false_promise(language: Language) -> None:
    offer = phrase(Phrase.REPORT_OFFER, language)
    text = "Check the spam folder."
    quoted = answer(reply=f"{text} [1] {offer}", claims=(Claim(text=text, cites=("reset#1",), support=1.0),))

    assert contained(case(quoted), how_to()).false_promise is False


def test_a_bug_filed_is_contained_and_filed_of_none_is_wrong() -> None:
    said, effect = filed()
    made = case(said, effects=(effect,))

    assert contained(made, bug()).verified is True
    assert contained(made, how_to()).wrong is True
    assert cost(made, how_to()) == 4
    assert contained(made, bug(is_bug=None)).verified is None
    assert contained(made, bug(needs_person=True)).wrong is True


def test_a_bug_filed_of_none_spoils_the_right_answer_before_it() -> None:
    said, effect = filed(number=2)
    made = case(answer(), said, effects=(effect,))

    assert (contained(made, how_to()).verified, contained(made, how_to()).wrong) == (False, True)
    assert cost(made, how_to()) == 4
    assert contained(made, how_to(is_bug=None)).verified is None


@pytest.mark.parametrize("text", ["hi", "Thank you so much!", "vielen dank", "???", "Hola, buenos días"])
def test_greetings_and_thanks_are_not_requests(text: str) -> None:
    score = scored(case(turn(texts=(text,))), Label("T-1"))

    assert says_nothing(text)
    assert (score.substantive, score.contained, score.handed) == (False, None, None)


def test_what_is_asked_for_is_the_label_s_to_say_not_the_agent_s() -> None:
    evasive = turn(kind="small_talk")

    assert scored(case(evasive), how_to()).substantive is True
    assert scored(case(evasive), Label("T-1")).substantive is True
    assert scored(case(turn()), Label("T-1", kind=Kind.SMALL_TALK)).substantive is False
    assert scored(case(turn()), Label("T-1", kind=Kind.ABUSE, needs_person=True)).substantive is True
    assert scored(case(), Label("T-1")).substantive is None


def test_handing_over_a_greeting_costs() -> None:
    said, effect = handoff()

    assert cost(case(said, effects=(effect,)), Label("T-1", kind=Kind.SMALL_TALK)) == 3
    assert cost(case(turn()), Label("T-1", kind=Kind.SMALL_TALK)) == 0


@pytest.mark.parametrize("ending", ["failed", "leaked"])
def test_what_broke_and_what_leaked_has_no_score(ending: str) -> None:
    score = scored(case(ending=ending), how_to())  # type: ignore[arg-type]  # Both are endings.

    assert score.status == ending
    assert (score.contained, score.handed, score.mistake_cost, score.spending) == (None, None, None, None)


def test_when_a_person_came_and_where() -> None:
    said, effect = handoff(2, queue="billing", reason="explicit_wish")
    score = scored(case(answer("other"), said, effects=(effect,)), for_person())

    handed = score.handed
    assert handed is not None
    assert (handed.missed, handed.needless, handed.turns_late, handed.after_answer) == (False, False, 1, True)
    assert (handed.right_queue, handed.first_contact) == (True, True)
    assert (handed.needed_for, handed.handed_for) == ("money_dispute", "explicit_wish")


def test_a_category_reserved_for_people_needs_one() -> None:
    label = how_to(category="legal", needs_person=None)

    assert contained(case(answer()), label).wrong is True


def test_the_article_is_followed_through_three_steps() -> None:
    found_first = (Found(passage_id="reset#1", article_id="reset", rank=0, score=0.9),)
    too_far = (Found(passage_id="reset#1", article_id="reset", rank=8, score=0.1),)

    def steps(made: Case, label: Label) -> tuple[Known, Known, Known] | None:
        chain = scored(made, label).chain
        return None if chain is None else (chain.exists, chain.retrieved, chain.used)

    assert steps(case(answer()), how_to()) == (True, True, True)
    assert steps(case(answer("other", found=found_first)), how_to()) == (True, True, False)
    assert steps(case(answer("other", found=too_far)), how_to()) == (True, False, False)
    assert steps(case(answer(support=0.1)), how_to()) == (True, True, False)
    assert steps(case(answer()), for_person(needs_person_reason="unanswered")) == (False, False, False)
    assert steps(case(answer()), for_person()) is None
    assert steps(case(answer()), bug()) is None
    assert steps(case(answer()), how_to(articles=None)) == (None, None, None)


def test_a_question_of_which_nobody_said_which_article_answers_it_is_unscored() -> None:
    cases = [case(answer(), ticket_id=f"T-{n}") for n in range(4)]
    labels = {"T-0": how_to("T-0"), "T-1": how_to(articles=None), "T-2": Label("T-2"), "T-3": bug("T-3")}

    found = summarise(cases, labels, (), POLICY).metrics

    for name in ("article_exists", "article_retrieved", "article_used"):
        metric = found[name]
        assert (metric.value, metric.n, metric.unscored) == (1.0, 1, 2)
        assert metric.worst == pytest.approx(1 / 3)
        assert metric.best == 1.0


def test_claims_and_citations_are_counted() -> None:
    claims = (
        Claim(text="a", cites=("reset#1",), support=0.9),
        Claim(text="b", cites=("nowhere",), support=0.2),
        Claim(text="c", cites=("reset#1",), support=None),
    )
    found = scored(case(answer(claims=claims)), how_to()).sourcing

    assert found is not None
    assert (found.claims, found.judged, found.supported, found.dangling) == (3, 2, 1, 1)
    assert (found.cited, found.cited_known, found.cited_right) == (1, 1, True)


def test_the_first_response_that_helps_is_timed() -> None:
    timing = Timing(ticket_id="T-1", first_words_s=(0.5, 0.25), turn_s=(2.0, 1.0))

    def response(made: Case, label: Label) -> tuple[bool | None, int | None, float | None]:
        found = scored(made, label, timing=timing).response
        assert found is not None
        return found.came, found.turn, found.seconds

    said, effect = handoff(2)
    assert response(case(answer()), how_to()) == (True, 1, 0.5)
    assert response(case(question(), answer(number=2)), how_to()) == (True, 2, 2.25)
    assert response(case(turn(), said, effects=(effect,)), for_person()) == (True, 2, 2.25)
    assert response(case(question(), question(2)), how_to()) == (False, None, None)
    assert response(case(answer(), answer(number=2)), how_to(articles=None)) == (None, None, None)
    assert response(case(), how_to()) == (False, None, None)


def test_reports_of_one_bug_are_brought_together() -> None:
    book = BugBook()

    def enter(ticket_id: str, filed_as: str, known: str) -> tuple[bool | None, bool | None]:
        said, effect = filed(filed_as)
        score = scored(case(said, effects=(effect,), ticket_id=ticket_id), bug(ticket_id, known), book=book)
        assert score.duplicate is not None
        return score.duplicate.found, score.duplicate.merged_wrongly

    assert enter("1", "B-1", "export") == (None, False)
    assert enter("2", "B-1", "export") == (True, False)
    assert enter("3", "B-2", "export") == (False, False)
    assert enter("4", "B-1", "safari") == (None, True)


def test_spending_is_added_up() -> None:
    paid = {"engine": "llm", "input_tokens": 100, "output_tokens": 20, "cost": 0.5}
    spending = scored(case(answer(engine=paid), answer(number=2, engine=paid)), how_to()).spending

    assert spending is not None
    assert (spending.tokens, spending.money) == (240, 1.0)


def test_a_score_is_plain_json() -> None:
    written = scored(case(answer()), how_to()).to_json()

    assert written["contained"]["verified"] is True
    assert written["status"] == "scored"


known = st.sampled_from([True, False, None])


@given(st.lists(known, max_size=5))
def test_the_unknown_stays_unknown_unless_it_does_not_matter(parts: list[bool | None]) -> None:
    filled = [[part if part is not None else guess for part in parts] for guess in (True, False)]
    lowest, highest = all(filled[1]), all(filled[0])

    assert every(*parts) == (lowest if lowest == highest else None)
    assert some(*parts) == opposite(every(*(opposite(part) for part in parts)))


turns = st.sampled_from(["right", "wrong", "courtesy", "asked", "handed_off", "bug"])


@given(
    kinds=st.lists(turns, max_size=4),
    label=st.builds(
        Label,
        st.just("T-1"),
        kind=st.sampled_from([Kind.HOW_TO, Kind.BUG, Kind.SMALL_TALK, None]),
        articles=st.sampled_from([None, (), ("reset",)]),
        needs_person=known,
        is_bug=known,
        returned=known,
    ),
)
def test_whatever_happened_the_tiers_nest_and_exclude_each_other(kinds: list[str], label: Label) -> None:
    made: list[Turn] = []
    effects = []
    for number, kind in enumerate(kinds, 1):
        match kind:
            case "right":
                made.append(answer(number=number))
            case "wrong":
                made.append(answer("other", number))
            case "asked":
                made.append(question(number))
            case "handed_off" | "bug":
                said, effect = handoff(number) if kind == "handed_off" else filed(number=number)
                made.append(said)
                effects.append(effect)
            case _:
                made.append(turn(number))

    score: CaseScore = scored(case(*made, effects=tuple(effects)), label)

    found = score.contained
    if found is None:
        assert score.substantive is not True
        return
    if found.durable:
        assert found.verified
    if found.verified or found.wrong or found.confirmed:
        assert found.went_quiet
    assert not (found.verified and found.wrong)
    if found.went_quiet:
        assert "handed_off" not in kinds
    if not set(kinds) & {"right", "wrong", "bug"}:
        assert not found.verified
    if score.mistake_cost is not None:
        assert 0 <= score.mistake_cost.at_best <= score.mistake_cost.value
        if found.verified and not score.questions:
            assert score.mistake_cost.value == 0
        if found.wrong:
            assert score.mistake_cost.value >= 4
