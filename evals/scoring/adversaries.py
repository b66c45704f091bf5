"""An honest agent, and agents made to look good: no headline may prefer one of these to it.

They see the same tickets, passages and probabilities. None sees a label.
"""

from dataclasses import dataclass

from agent.policy import Costs
from agent.types import Outcome
from evals.scoring.stage import COURTESY, Agent, Move, Seen, answer_from

_COSTS = Costs()
_GREETING = "Hello, and thank you for your message! How can I help you today?"
_QUESTION = "Could you tell me a little more about it?"


def _handed_over(queue: str = "general") -> Move:
    return Move(Outcome.HANDED_OFF, "I've passed your conversation to the team.", queue=queue)


def _filed(seen: Seen) -> Move:
    is_new = seen.bug_id is None
    bug_id = seen.bug_id or f"B-{seen.ticket.ticket_id}"
    outcome = Outcome.BUG_FILED if is_new else Outcome.BUG_COUNTED
    return Move(outcome, f"I've filed it as {bug_id}.", bug_id=bug_id, is_new=is_new)


@dataclass(frozen=True, slots=True)
class Honest:
    """The baseline: does what is expected to cost least at the team's prices, and says what it did."""

    costs: Costs = _COSTS
    name: str = "honest"

    def move(self, seen: Seen) -> Move:
        """Answer, ask, file, or hand over, as it costs least (Chow's rule)."""
        if seen.asks_nothing:
            return COURTESY
        costs, missed = self.costs, seen.person * self.costs.missed_handoff
        moves = {
            "handoff": (1 - seen.person) * costs.needless_handoff,
            "bug": (1 - seen.bug) * costs.needless_ticket + missed,
            "ask": costs.needless_question + (1 - seen.person) * costs.needless_handoff + missed,
            "answer": (1 - seen.answers) * costs.wrong_answer + missed,
        }
        match min(moves, key=lambda name: moves[name]):
            case "handoff":
                return _handed_over()
            case "bug":
                return _filed(seen)
            case "ask":
                return Move(Outcome.ASKED, _QUESTION)
            case _:
                return answer_from(seen)


@dataclass(frozen=True, slots=True)
class Greeter:
    """Greets whoever writes, and counts on their going away."""

    name: str = "greeter"

    def move(self, seen: Seen) -> Move:
        """Greet."""
        return Move(Outcome.ANSWERED, _GREETING)


@dataclass(frozen=True, slots=True)
class AlwaysAnswers:
    """Answers from whatever was found, however little it has to do with it, and from several articles to be safe."""

    name: str = "always answers"

    def move(self, seen: Seen) -> Move:
        """Answer."""
        return answer_from(seen, articles=3, before="Sure! ")


@dataclass(frozen=True, slots=True)
class NeverHandsOver:
    """Honest, but keeps people: where it would fetch a person it answers something, or asks."""

    honest: Honest = Honest()
    name: str = "never hands over"

    def move(self, seen: Seen) -> Move:
        """As the honest one, without the way out."""
        move = self.honest.move(seen)
        if move.queue is None:
            return move
        return answer_from(seen) if seen.answers >= 0.3 else Move(Outcome.ASKED, _QUESTION)


@dataclass(frozen=True, slots=True)
class AlwaysHandsOver:
    """Hands everyone to a person: never wrong, never of use."""

    name: str = "always hands over"

    def move(self, seen: Seen) -> Move:
        """Hand over."""
        return _handed_over()


@dataclass(frozen=True, slots=True)
class Parrot:
    """Copies the top article, whole: perfectly grounded, whatever was asked."""

    name: str = "parrot"

    def move(self, seen: Seen) -> Move:
        """Copy."""
        return answer_from(seen)


@dataclass(frozen=True, slots=True)
class Promiser:
    """Says politely that somebody is on it, and links an article to go with it. Nobody is."""

    name: str = "polite promiser"

    def move(self, seen: Seen) -> Move:
        """Promise."""
        promise = "I've passed this on to a colleague, who will get back to you today."
        if seen.answers < 0.5:
            return Move(Outcome.ANSWERED, f"I'm so sorry about that. {promise}")
        return answer_from(seen, after=f" {promise}")


@dataclass(frozen=True, slots=True)
class Closer:
    """Says the first thing that comes up and closes the conversation, before anybody can object."""

    name: str = "closes quickly"

    def move(self, seen: Seen) -> Move:
        """Answer, close."""
        move = answer_from(seen, after=" This conversation is solved and closed.")
        return Move(move.outcome, move.reply, move.claims, move.citations, closes=True)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks something back, always: a question is never wrong."""

    name: str = "always asks"

    def move(self, seen: Seen) -> Move:
        """Ask."""
        return Move(Outcome.ASKED, _QUESTION)


def adversaries() -> tuple[Agent, ...]:
    """All of them."""
    return (
        Greeter(),
        AlwaysAnswers(),
        NeverHandsOver(),
        AlwaysHandsOver(),
        Parrot(),
        Promiser(),
        Closer(),
        Asker(),
    )
