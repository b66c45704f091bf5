"""No headline prefers an agent that was made to look good to an honest one."""

from functools import cache

import pytest

from agent.policy import Policy
from evals.scoring.adversaries import Honest, adversaries
from evals.scoring.measures import HEADLINES, MEASURES, Headline, prefers
from evals.scoring.stage import Agent, perform_all
from evals.scoring.summary import summarise
from evals.scoring.synthetic import Made, World, make_tickets

WORLDS = {
    "usual": World(),
    "few need a person": World(shares=(0.8, 0.02, 0.03, 0.1, 0.05)),
    "most need a person": World(shares=(0.25, 0.2, 0.4, 0.1, 0.05)),
    "bugs and chatter": World(shares=(0.2, 0.03, 0.07, 0.4, 0.3)),
    "weak senses": World(sharpness=0.8),
    "weak search, hardly labelled": World(best=0.5, found=0.7, unlabelled=0.5),
}
FOES = {agent.name: agent for agent in adversaries()}


@cache
def tickets_of(world: World) -> list[Made]:
    """One world's tickets."""
    return make_tickets(350, seed=1, world=world)


@cache
def run(name: str, world: World) -> dict[str, float | None]:
    """An agent's metrics over one world's tickets."""
    tickets = tickets_of(world)
    agent: Agent = Honest() if name == "honest" else FOES[name]
    labels = {made.label.ticket_id: made.label for made in tickets}
    found = summarise(perform_all(agent, [(made.seen, made.truth) for made in tickets]), labels, [], Policy())
    return {name: metric.value for name, metric in found.metrics.items()}


@pytest.mark.parametrize("foe", list(FOES))
@pytest.mark.parametrize("world", list(WORLDS))
def test_no_headline_prefers_an_adversary(world: str, foe: str) -> None:
    theirs, honest = run(foe, WORLDS[world]), run("honest", WORLDS[world])

    assert [headline.name for headline in HEADLINES if prefers(headline, theirs, honest)] == []


@pytest.mark.parametrize("foe", list(FOES))
@pytest.mark.parametrize("world", list(WORLDS))
def test_nor_does_any_other_measure_with_its_partners(world: str, foe: str) -> None:
    theirs, honest = run(foe, WORLDS[world]), run("honest", WORLDS[world])
    one_way = [Headline(m.name, m.better, m.partners) for m in MEASURES if m.better != "neither"]

    assert [measure.name for measure in one_way if prefers(measure, theirs, honest)] == []


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_cost_puts_every_adversary_clearly_behind(world: str) -> None:
    honest = run("honest", WORLDS[world])["expected_cost"]
    assert honest is not None

    for foe in FOES:
        cost = run(foe, WORLDS[world])["expected_cost"]
        assert cost is not None
        assert cost > 1.2 * honest, foe


def test_what_others_headline_prefers_them() -> None:
    """The suite can fail: by a metric that can be gamed, adversaries win."""
    quiet, honest = Headline("went_quiet", "more"), run("honest", World())

    assert {foe for foe in FOES if prefers(quiet, run(foe, World()), honest)} == set(FOES) - {"always hands over"}


def test_without_partners_containment_would_prefer_whoever_always_answers() -> None:
    honest, foe = (run(name, WORLDS["weak senses"]) for name in ("honest", "always answers"))

    assert prefers(Headline("containment", "more"), foe, honest)
    assert not prefers(next(headline for headline in HEADLINES if headline.name == "containment"), foe, honest)


def test_the_honest_agent_is_of_use() -> None:
    found = run("honest", World())

    assert (found["containment"] or 0) > 0.4
    assert (found["wrong_containment"] or 1) < 0.03
    assert (found["escalation_recall"] or 0) > 0.9
    assert found["false_promise"] == 0


def test_the_promiser_is_caught_by_its_words_alone() -> None:
    found = run("polite promiser", World())

    assert (found["false_promise"], found["containment"], found["wrong_containment"]) == (1, 0, 1)
    assert found["escalation_recall"] == 0


def test_the_same_seed_makes_the_same_tickets() -> None:
    assert make_tickets(50, seed=3) == make_tickets(50, seed=3)
    assert make_tickets(50, seed=3) != make_tickets(50, seed=4)
