"""Answer, ask, file a bug, or fetch a person: decided before a word is said."""

import logging
from dataclasses import dataclass, replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import clarifications, confirmed_question, failed_attempts, last_bot_route, report_offered
from agent.judgement import decide, is_borderline
from agent.policy import Policy
from agent.signals import History, Signals
from agent.state import TurnState
from agent.types import (
    AccountFacts,
    Author,
    Evidence,
    PageContext,
    Passage,
    Reason,
    Route,
    TurnRequest,
    Understanding,
    Verdict,
)

logger = logging.getLogger(__name__)


class JudgeUpdate(TypedDict):
    """The keys this node owns."""

    evidence: Evidence
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a turn when it is judged."""

    understanding: Understanding
    evidence: Evidence
    page: PageContext
    account: AccountFacts | None
    knowledge_down: bool = False
    passages: tuple[Passage, ...] = ()


def signals_of(request: TurnRequest, known: Known, policy: Policy) -> Signals:
    """Everything the judgement looks at."""
    understanding, account = known.understanding, known.account
    answered = any(message.author is not Author.CUSTOMER for message in request.history)
    picked = confirmed_question(request)
    return Signals(
        understanding=understanding,
        evidence=known.evidence.probability,
        category=policy.category(understanding.category),
        tier=account.tier if account else None,
        health=account.health if account else None,
        pressed_for_person=request.wish_for_person,
        failed_attempts=failed_attempts(request.history, understanding),
        last_bot_route=last_bot_route(request.history),
        page_errors=len(known.page.errors),
        knowledge_down=known.knowledge_down,
        text=understanding.question.render_plain(),
        newest_text="\n".join(text.render_plain() for text in request.texts),
        known=known.evidence.features.get("known", 0.0),
        # An article that has gone meanwhile confirms nothing: "yes" is for a person then.
        confirmed=picked is not None and any(found.article_id == picked.article_id for found in known.passages),
        report_offered=report_offered(request.history),
        remedy=known.evidence.features.get("remedy", 0.0),
        # Tickets teach what openings come to: "fine, thanks" after an answer is like none of them.
        history=History.of(known.evidence) if not answered else None,
        clarifications=clarifications(request.history, understanding),
    )


async def judge(state: TurnState, runtime: Runtime[TurnDeps]) -> JudgeUpdate:
    """Weigh all signals together and pick the route with the lowest expected cost.

    Fails closed: when the evidence can't be assessed a person takes over. A turn that has filed a bug goes on telling
    of it: judged once more, by a model above all, it might take another way, and the customer would never hear.
    """
    deps = runtime.context
    request, understanding = state["request"], state["understanding"]
    if deps.filed:
        filed = Reason("already_filed", 1.0, 1.0, Route.BUG_REPORT)
        return {"evidence": Evidence(0.0), "verdict": Verdict(Route.BUG_REPORT, (filed,), expected_cost={})}
    try:
        evidence = await deps.engine.assess(understanding, state["passages"], tuple(t.offer.name for t in deps.tools))
    except Exception:
        logger.exception("assessment failed turn_id=%s", request.turn_id)
        verdict = Verdict(
            route=Route.HANDOFF,
            reasons=(Reason("judge_failed", 1.0, 1.0, Route.HANDOFF),),
            expected_cost={},
            handoff_reason="judge_failed",
        )
        return {"evidence": Evidence(0.0), "verdict": verdict}
    known = Known(understanding, evidence, state["page"], state["account"], state["knowledge_down"], state["passages"])
    signals = signals_of(request, known, deps.policy)
    verdict = decide(signals, deps.policy)
    if is_borderline(verdict, deps.policy):
        opinion = await deps.engine.second_opinion(request.texts, request.history, understanding)
        if opinion is not None:
            verdict = decide(replace(signals, opinion=opinion), deps.policy)
    return {"evidence": evidence, "verdict": verdict}
