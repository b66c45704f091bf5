"""An endpoint that keeps failing is left alone for a while."""

import pytest

from agent.errors import ModelFailed
from tools.engines.llm.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker, reason: str = "unreachable") -> None:
    breaker.enter()
    breaker.failed(reason)


def opened_half_a_minute_ago(clock: Clock) -> Breaker:
    """A breaker whose pause is over."""
    breaker = Breaker(clock=clock, open_s=30)
    for _ in range(3):
        fail(breaker)
    clock.now += 31
    return breaker


def test_three_failures_in_a_row_open_it() -> None:
    breaker = Breaker(clock=Clock())

    fail(breaker)
    fail(breaker)
    assert not breaker.is_open
    fail(breaker)

    with pytest.raises(ModelFailed, match="circuit_open"):
        breaker.enter()


def test_a_success_between_counts_anew() -> None:
    breaker = Breaker(clock=Clock())

    fail(breaker)
    fail(breaker)
    breaker.enter()
    breaker.succeeded()
    fail(breaker)

    assert not breaker.is_open


@pytest.mark.parametrize("reason", ["key_refused", "no_such_model"])
def test_what_trying_again_cannot_change_opens_it_at_once(reason: str) -> None:
    breaker = Breaker(clock=Clock())

    fail(breaker, reason)

    assert breaker.is_open


@pytest.mark.parametrize("reason", ["turn_budget", "refusal", "bad_request"])
def test_what_is_not_the_endpoints_fault_never_opens_it(reason: str) -> None:
    breaker = Breaker(clock=Clock())

    for _ in range(10):
        fail(breaker, reason)

    assert not breaker.is_open


def test_after_a_pause_one_call_tries() -> None:
    clock = Clock()
    breaker = opened_half_a_minute_ago(clock)

    breaker.enter()
    with pytest.raises(ModelFailed, match="circuit_open"):
        breaker.enter()
    breaker.failed("unreachable")
    with pytest.raises(ModelFailed, match="circuit_open"):
        breaker.enter()

    clock.now = 62
    breaker.enter()
    breaker.succeeded()
    assert not breaker.is_open


def test_a_trial_that_was_given_up_leaves_room_for_another() -> None:
    clock = Clock()
    breaker = opened_half_a_minute_ago(clock)
    breaker.enter()
    breaker.left()

    breaker.enter()
