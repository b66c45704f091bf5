"""Which effect may follow from an answer at once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy import Defences, Policy
from agent.tool_rules import EFFECT_OFFERS, EFFECTS, BugArguments, HandOverArguments, weigh
from agent.types import Kind, Route
from tests.fakes import CALM

POLICY = Policy()
UNIT = st.floats(0, 1)


@pytest.mark.parametrize(
    ("wish", "pressed", "allowed"), [(0.0, False, False), (0.29, False, False), (0.3, False, True), (0.0, True, True)]
)
def test_a_person_comes_when_the_customer_hints_at_it_or_pressed_the_button(
    wish: float, pressed: bool, allowed: bool
) -> None:
    heard = replace(CALM, wish_for_person=wish)

    assert weigh(Route.HANDOFF, heard, POLICY, pressed=pressed).allowed is allowed


@pytest.mark.parametrize(
    ("kind", "confidence", "allowed"), [(Kind.BUG, 0.5, True), (Kind.BUG, 0.49, False), (Kind.HOW_TO, 0.9, False)]
)
def test_a_bug_is_filed_when_the_customer_reports_one(kind: Kind, confidence: float, allowed: bool) -> None:
    heard = replace(CALM, kind=kind, kind_confidence=confidence)

    assert weigh(Route.BUG_REPORT, heard, POLICY, pressed=True).allowed is allowed


@given(
    route=st.sampled_from([Route.HANDOFF, Route.BUG_REPORT]),
    kind=st.sampled_from(list(Kind)),
    confidence=UNIT,
    wish=UNIT,
    pressed=st.booleans(),
)
def test_an_effect_leads_where_it_was_asked_to_and_without_the_defence_always(
    route: Route, kind: Kind, confidence: float, wish: float, pressed: bool
) -> None:
    heard = replace(CALM, kind=kind, kind_confidence=confidence, wish_for_person=wish)
    off = replace(POLICY, defences=Defences(effects_need_consent=False))

    assert weigh(route, heard, POLICY, pressed=pressed).route is route
    assert weigh(route, heard, off, pressed=pressed).allowed


def test_every_effect_is_offered_and_what_a_model_makes_up_beside_it_is_dropped() -> None:
    assert {offer.name for offer in EFFECT_OFFERS} == set(EFFECTS)
    assert BugArguments.model_validate({"what_happens": "x", "bug_id": "BUG-1"}) == BugArguments(what_happens="x")
    assert HandOverArguments.model_validate({}) == HandOverArguments(reason="")
