"""What a case's log shows, as far as scores need it: who was told what, and what was really done."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.dialogue import without_report_offer
from agent.promises import promises
from agent.types import Outcome
from evals.replay.case import Case, Claim, Effect, Turn

_FILED = (Outcome.BUG_FILED, Outcome.BUG_COUNTED)


@dataclass(frozen=True, slots=True)
class Rules:
    """The thresholds of scoring, recorded with the result.

    `agrees` and above, our reply says what the human said; below `differs` it says something else; between them
    nobody knows. `differs` is 0, which is never: right answers in other words are as unlike (docs/scores.md).
    `cited_articles` is how many different articles may stand for an answer: of those cited beyond, none makes it
    right. A promise may stand in a claim that its source supports to `verbatim`: it is the team's own then.
    """

    agrees: float = 0.57
    differs: float = 0.0
    cited_articles: int = 3
    verbatim: float = 0.95


@dataclass(frozen=True, slots=True)
class Log:
    """A case, read once. Turn numbers count from 1.

    `answers` are the turns whose reply claims something, `courtesies` those that went out as an answer and claim
    nothing. A handoff or a bug counts only with its side effect: saying so is not doing so.
    """

    case: Case
    answers: tuple[Turn, ...]
    courtesies: tuple[Turn, ...]
    questions: tuple[Turn, ...]
    handoff: Effect | None
    bug: Effect | None

    @property
    def handed_over(self) -> bool:
        """Whether a person was really called."""
        return self.handoff is not None

    @property
    def answered(self) -> bool:
        """Whether something went out as an answer, be it only a courtesy."""
        return bool(self.answers or self.courtesies)

    @property
    def settled(self) -> bool:
        """Whether the customer was told something that claims to settle it: an answer, or a bug that was filed."""
        return self.answered or self.bug is not None

    @property
    def last_word(self) -> bool | None:
        """Whether the customer's last words on it said that it is solved; None when they never said."""
        said = [turn.solved for turn in self.case.turns if turn.solved is not None]
        return said[-1] if said else None


def read(case: Case) -> Log:
    """Read the log."""
    answered = [turn for turn in case.turns if turn.outcome == Outcome.ANSWERED]
    return Log(
        case=case,
        answers=tuple(turn for turn in answered if turn.claims),
        courtesies=tuple(turn for turn in answered if not turn.claims),
        questions=tuple(turn for turn in case.turns if turn.outcome == Outcome.ASKED),
        handoff=next((effect for effect in case.effects if effect.kind == "handoff"), None),
        bug=next((effect for effect in case.effects if effect.kind == "bug"), None),
    )


def cited_articles(turn: Turn, rules: Rules) -> tuple[str, ...]:
    """The first different articles that the customer saw cited, as many as may stand for an answer."""
    return tuple(dict.fromkeys(cited.article_id for cited in turn.citations))[: rules.cited_articles]


def promised_falsely(log: Log, rules: Rules) -> bool:
    """Whether the customer was promised something that nobody does: no side effect had happened by then."""
    for turn in log.case.turns:
        if any(effect.turn <= turn.turn for effect in log.case.effects):
            # What was really done may be told; from here on somebody is on it.
            return False
        if turn.outcome in (Outcome.DELIVERED, Outcome.CONTACT_TAKEN):
            continue
        if turn.outcome in (Outcome.HANDED_OFF, *_FILED):
            return True
        if _promises(turn.reply, turn.claims, rules):
            return True
    return False


def _promises(reply: str, claims: Sequence[Claim], rules: Rules) -> bool:
    """Whether the reply promises something, apart from what its sources say in these words and the system does."""
    rest = without_report_offer(reply)
    for claim in claims:
        if claim.support is not None and claim.support >= rules.verbatim:
            rest = rest.replace(claim.text.strip(), "")
    return bool(rest.strip()) and _is_promise(rest)


@lru_cache(maxsize=4096)
def _is_promise(text: str) -> bool:
    return promises(text)
