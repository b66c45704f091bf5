"""The turns whose every point is tried: the six ways that a turn goes, and one with a language model."""

from dataclasses import dataclass

from tests.chaos.plan import BUGS, QUESTIONS, WISHES, Act, Customer, Shift


@dataclass(frozen=True, slots=True)
class Route:
    """What is said, and how each turn of it ends, whatever happens meanwhile.

    `new_bugs`: bugs that are open are closed before, or a report would be counted with one that is open.
    """

    customer: Customer
    outcomes: tuple[str, ...]
    model: bool = False
    new_bugs: bool = True


def _says(*texts: str, shift: Shift | None = None) -> Customer:
    acts = tuple(Act("plain", (text,), 0) for text in texts)
    return Customer(acts, begins_after_s=0.0, watched=True, shift=shift)


# Later than any event: the person begins when the bot has nothing more to say.
_WHEN_ALL_IS_SAID = 1_000
_SHIFT = Shift("Ada", _WHEN_ALL_IS_SAID, replies=1, pause_s=0.0, parting="hand_back", doubtful=False)

ROUTES = {
    "answer": Route(_says(QUESTIONS[0]), ("answered",)),
    "clarify": Route(_says("Which colours do you have for the office chairs?"), ("asked",)),
    "bug": Route(_says(BUGS[0]), ("bug_filed",)),
    "same-bug": Route(_says(BUGS[0]), ("bug_counted",), new_bugs=False),
    "handoff": Route(_says(WISHES[0]), ("handed_off",)),
    "person": Route(
        _says(WISHES[0], "It is about the invoice of May", QUESTIONS[1], shift=_SHIFT),
        ("handed_off", "delivered", "answered"),
    ),
    "model": Route(_says(QUESTIONS[0]), ("answered",), model=True),
}
