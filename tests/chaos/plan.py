"""What happens in a round, drawn from its seed: who says what, who takes over, and what breaks when."""

from dataclasses import dataclass
from random import Random
from typing import Literal

Database = Literal["sqlite", "postgres"]
How = Literal["plain", "burst", "twice", "leave"]
Fault = Literal["kill", "kill_again", "terminate", "freeze", "disk_full", "postgres_kill", "postgres_cut"]
Parting = Literal["hand_back", "resolve"]

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
    "sqlite": (*("kill",) * 8, *("kill_again",) * 4, "terminate", "freeze", "disk_full"),
    "postgres": (*("kill",) * 8, *("kill_again",) * 4, "terminate", "freeze", "postgres_kill", "postgres_cut"),
}
# A turn of an example sends about so many events.
_EVENTS_OF_A_TURN = 14
# A blow falls when clients have seen at most so many events since the one before.
_EVENTS_BETWEEN = 100
_STRIKES = (4, 5, 6)


@dataclass(frozen=True, slots=True)
class Act:
    """What a customer says (both texts at once in a burst), and after how many events they leave."""

    how: How
    texts: tuple[str, ...]
    leaves_after: int


@dataclass(frozen=True, slots=True)
class Shift:
    """What a person does in a conversation: takes it when so much was seen of it, replies, and lets go of it.

    `doubtful` acts are sent twice at once, as by somebody who presses a button again.
    """

    person: str
    takes_after: int
    replies: int
    pause_s: float
    parting: Parting
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """A conversation: what is said in it, one after the other, and whether somebody watches its whole stream.

    With a shift the last act comes when the person has gone.
    """

    acts: tuple[Act, ...]
    begins_after_s: float
    watched: bool
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that breaks, when clients have seen `after` new events since the last one."""

    fault: Fault
    victim: int
    after: int
    delay_s: float
    second_delay_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A round. With a model, its endpoint comes and goes: each of `gaps` is seconds there, and seconds away."""

    seed: str
    conversations: int
    strikes: tuple[Strike, ...]
    model: bool
    gaps: tuple[tuple[float, float], ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What breaks, in order."""
        return tuple(strike.fault for strike in self.strikes)

    def customer(self, place: int, turn: int) -> Customer:
        """The `turn`-th customer in a place: another one comes in while the storm lasts."""
        return _customer(Random(f"{self.seed}:{place}:{turn}"))  # noqa: S311  # Not for secrets.


def draw(seed: str, database: Database, *, conversations: int) -> Plan:
    """Return the round that belongs to a seed."""
    random = Random(seed)  # noqa: S311  # Not for secrets.
    strikes = tuple(_strike(random, database) for _ in range(random.choice(_STRIKES)))
    model = random.random() < 0.4
    gaps = tuple((random.uniform(0.3, 4), random.uniform(0.2, 3)) for _ in range(6))
    return Plan(seed, conversations, strikes, model, gaps)


def _strike(random: Random, database: Database) -> Strike:
    return Strike(
        fault=random.choice(FAULTS[database]),
        victim=random.randrange(2),
        after=random.randrange(1, _EVENTS_BETWEEN),
        delay_s=random.uniform(0, 0.1),
        second_delay_s=random.uniform(0, 2.5),
        lasts_s=random.uniform(0.3, 2.0),
    )


def _customer(random: Random) -> Customer:
    acts = [_act(random) for _ in range(random.choice((1, 2, 2, 3)))]
    shift = None
    if random.random() < 0.3:
        shift = _shift(random, len(acts))
        acts.append(_act(random))
    return Customer(tuple(acts), begins_after_s=random.uniform(0, 0.5), watched=random.random() < 0.5, shift=shift)


def _shift(random: Random, acts: int) -> Shift:
    return Shift(
        person=random.choice(("Ada", "Grace", "Mary")),
        takes_after=random.randrange(1, _EVENTS_OF_A_TURN * acts),
        replies=random.choice((0, 1, 1, 2)),
        pause_s=random.uniform(0, 0.5),
        parting=random.choice(("hand_back", "hand_back", "resolve")),
        doubtful=random.random() < 0.3,
    )


def _act(random: Random) -> Act:
    how: How = random.choice(("plain", "plain", "burst", "twice", "leave"))
    about = random.choice((QUESTIONS, QUESTIONS, BUGS, BUGS, WISHES))
    texts: tuple[str, ...] = (random.choice(about),)
    if how == "burst":
        texts = (*texts, random.choice(QUESTIONS))
    return Act(how, texts, leaves_after=random.randrange(1, _EVENTS_OF_A_TURN))
