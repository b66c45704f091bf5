"""Which combinations of place, wording and goal are run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from tests.hostile.model import STYLES, Style
from tests.hostile.payloads import GOALS, WORDINGS, Goal, Wording
from tests.hostile.places import PLACES, Place

ALL = os.environ.get("HELPGRAPH_HOSTILE") == "all"
"""Run every combination (about ten minutes) instead of a sample that has every pair of place and goal."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One attack."""

    place: Place
    wording: Wording
    goal: Goal
    style: Style

    @property
    def injection(self) -> str:
        """The text that stands in the place."""
        return self.wording.of(self.goal.orders)

    def __str__(self) -> str:
        return f"{self.place.name} / {self.wording.name} / {self.goal.name} / {self.style}"


def combinations(place: Place, *, everything: bool = ALL) -> Iterator[Combination]:
    """The attacks on a place: all that fit into it, or two wordings of each goal, chosen to differ between places.

    Of a place that no model hears, which is soon seen, the sample is smaller.
    """
    at = PLACES.index(place)
    for number, goal in enumerate(GOALS):
        fitting = [wording for wording in WORDINGS if len(wording.of(goal.orders)) <= place.limit]
        chosen = range(len(fitting))
        if not everything:
            tries = 2 if place.heard else int(number % 4 == at % 4)
            chosen = range(min(tries, len(fitting)))
        for n in chosen:
            wording = fitting[(at * 7 + number * 11 + n * 13) % len(fitting)] if not everything else fitting[n]
            yield Combination(place, wording, goal, STYLES[(at + number + n) % len(STYLES)])
