"""What happens in a round, drawn from its seed: who says what, and what breaks when."""

from dataclasses import dataclass
from random import Random
from typing import Literal

Database = Literal["sqlite", "postgres"]
How = Literal["plain", "burst", "twice", "leave"]
Fault = Literal["kill", "kill_again", "terminate", "freeze", "postgres_kill", "postgres_cut"]

QUESTIONS = (
    "Where can I download my invoices?",
    "How do I change my password?",
    "How do I invite a member to the workspace?",
    "How can I export my time entries?",
    "How do I set up two factor authentication?",
    "How do I cancel my plan?",
)
BUGS = (
    "The invite button does nothing in Firefox, the page stays as it is",
    "I get error 500 when I export a report as PDF",
    "The calendar is broken: entries of yesterday show up twice",
    "Bug: the timer crashes the app as soon as I press pause",
)
WISHES = (
    "I want to talk to a person",
    "Please let me speak to a human agent now",
)
# Kills come most often: they are what is counted.
FAULTS: dict[Database, tuple[Fault, ...]] = {
    "sqlite": (*("kill",) * 4, *("kill_again",) * 2, "terminate", "freeze"),
    "postgres": (*("kill",) * 5, *("kill_again",) * 3, "terminate", "freeze", "postgres_kill", "postgres_cut"),
}
# A turn of an example sends about so many events.
_EVENTS_OF_A_TURN = 14


@dataclass(frozen=True, slots=True)
class Act:
    """What a customer says (both texts at once in a burst), and after how many events they leave."""

    how: How
    texts: tuple[str, ...]
    leaves_after: int


@dataclass(frozen=True, slots=True)
class Customer:
    """A conversation: what is said in it, one after the other, and whether somebody watches its whole stream."""

    acts: tuple[Act, ...]
    begins_after_s: float
    watched: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A round. The fault strikes when clients have seen `strikes_after` events, or have nothing left to do."""

    seed: str
    customers: tuple[Customer, ...]
    fault: Fault
    victim: int
    strikes_after: int
    delay_s: float
    second_delay_s: float
    frozen_s: float


def draw(seed: str, database: Database, *, conversations: int) -> Plan:
    """Return the round that belongs to a seed."""
    random = Random(seed)  # noqa: S311  # Not for secrets.
    customers = tuple(_customer(random) for _ in range(conversations))
    acts = sum(len(customer.acts) for customer in customers)
    return Plan(
        seed=seed,
        customers=customers,
        fault=random.choice(FAULTS[database]),
        victim=random.randrange(2),
        strikes_after=random.randrange(1, _EVENTS_OF_A_TURN * acts * 3 // 4),
        delay_s=random.uniform(0, 0.1),
        second_delay_s=random.uniform(0, 0.5),
        frozen_s=random.uniform(0.2, 1.5),
    )


def _customer(random: Random) -> Customer:
    acts = [_act(random) for _ in range(random.choice((1, 2, 2, 3)))]
    return Customer(tuple(acts), begins_after_s=random.uniform(0, 0.5), watched=random.random() < 0.5)


def _act(random: Random) -> Act:
    how: How = random.choice(("plain", "plain", "burst", "twice", "leave"))
    about = random.choice((QUESTIONS, QUESTIONS, BUGS, BUGS, WISHES))
    texts: tuple[str, ...] = (random.choice(about),)
    if how == "burst":
        texts = (*texts, random.choice(QUESTIONS))
    return Act(how, texts, leaves_after=random.randrange(1, _EVENTS_OF_A_TURN))
