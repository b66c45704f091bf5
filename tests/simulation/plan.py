"""What happens in a simulated round, drawn from its seed: who says what, what breaks when, how slow everything is."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.chaos.plan import BUGS, QUESTIONS, WISHES, Act, Customer, How, Shift

Fault = Literal["kill", "kill_at_commit", "kill_again", "terminate", "freeze", "outage"]
# Kills come most often: they are what is counted.
FAULTS: tuple[Fault, ...] = (
    *("kill",) * 4,
    *("kill_at_commit",) * 4,
    *("kill_again",) * 2,
    *("freeze",) * 2,
    "outage",
    "terminate",
)
_EVENTS_OF_A_TURN = 14


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that breaks: so many steps (or commits) of the victim after the last one was over."""

    fault: Fault
    victim: int
    steps: int
    commits: int
    after_commit: bool
    lasts_s: float
    second_steps: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A round. `keeps`: turns' places are kept in checkpoints; `one_host`: a death is seen by the other process.

    `moods` is how often the engine takes a bug for a question.
    """

    seed: str
    servers: int
    customers: tuple[Customer, ...]
    strikes: tuple[Strike, ...]
    keeps: bool
    one_host: bool
    webhooks: bool
    disk_s: float
    network_s: float
    engine_s: float
    moods: float
    hints_lost: float
    receiver_fails: float

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What breaks, in order."""
        return tuple(strike.fault for strike in self.strikes)


def draw(seed: str) -> Plan:
    """Return the round that belongs to a seed."""
    random = Random(seed)  # noqa: S311  # Not for secrets.
    servers = random.choice((1, 2, 2))
    return Plan(
        seed=seed,
        servers=servers,
        customers=tuple(_customer(random) for _ in range(random.choice((1, 2, 2)))),
        strikes=tuple(_strike(random) for _ in range(random.choice((1, 1, 2, 2, 3)))),
        keeps=random.random() < 0.5,
        one_host=random.random() < 0.7,
        webhooks=random.random() < 0.3,
        disk_s=random.choice((0.001, 0.01, 0.1)),
        network_s=random.choice((0.01, 0.1)),
        engine_s=random.choice((0.0, 0.1, 1.0, 8.0)),
        moods=random.choice((0.0, 0.0, 0.5)),
        hints_lost=random.choice((0.0, 0.0, 0.3)),
        receiver_fails=random.choice((0.0, 0.3)),
    )


def _strike(random: Random) -> Strike:
    return Strike(
        fault=random.choice(FAULTS),
        victim=random.randrange(2),
        steps=int(10 ** random.uniform(0, 3.2)),
        commits=random.randrange(1, 12),
        after_commit=random.random() < 0.5,
        lasts_s=random.choice((0.0, 0.5, 2.0, 15.0)) * random.random(),
        second_steps=int(10 ** random.uniform(0, 2.5)),
    )


def _customer(random: Random) -> Customer:
    acts = [_act(random) for _ in range(random.choice((1, 1, 1, 2)))]
    shift = None
    if random.random() < 0.15:
        shift = Shift(
            person=random.choice(("Ada", "Grace", "Mary")),
            takes_after=random.randrange(1, _EVENTS_OF_A_TURN * len(acts)),
            replies=random.choice((0, 1, 1)),
            pause_s=random.uniform(0, 0.5),
            parting=random.choice(("hand_back", "hand_back", "resolve")),
            doubtful=random.random() < 0.3,
        )
        acts.append(_act(random))
    return Customer(tuple(acts), begins_after_s=random.uniform(0, 0.5), watched=random.random() < 0.3, shift=shift)


def _act(random: Random) -> Act:
    how: How = random.choice(("plain", "plain", "burst", "twice", "leave"))
    about = random.choice((QUESTIONS, QUESTIONS, BUGS, BUGS, WISHES))
    texts: tuple[str, ...] = (random.choice(about),)
    if how == "burst":
        texts = (*texts, random.choice(random.choice((QUESTIONS, WISHES))))
    return Act(how, texts, leaves_after=random.randrange(1, _EVENTS_OF_A_TURN))
