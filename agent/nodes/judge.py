"""Answer, ask, file a bug, or fetch a person: decided before a word is said."""

import logging
from dataclasses import replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.judgement import Signals, decide, failed_attempts, is_borderline, last_bot_route
from agent.state import TurnState
from agent.types import Evidence, Reason, Route, Verdict

logger = logging.getLogger(__name__)


class JudgeUpdate(TypedDict):
    """The keys this node owns."""

    evidence: Evidence
    verdict: Verdict


async def judge(state: TurnState, runtime: Runtime[TurnDeps]) -> JudgeUpdate:
    """Weigh all signals together and pick the route with the lowest expected cost.

    Fails closed: when the evidence can't be assessed a person takes over.
    """
    deps = runtime.context
    request, understanding = state["request"], state["understanding"]
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
    account = state["account"]
    signals = Signals(
        understanding=understanding,
        evidence=evidence.probability,
        category=deps.policy.category(understanding.category),
        tier=account.tier if account else None,
        health=account.health if account else None,
        pressed_for_person=request.wish_for_person,
        failed_attempts=failed_attempts(request.history, understanding),
        last_bot_route=last_bot_route(request.history),
        page_errors=len(state["page"].errors),
        knowledge_down=state["knowledge_down"],
        text=understanding.question.render_plain(),
        newest_text="\n".join(text.render_plain() for text in request.texts),
        known=evidence.features.get("known", 0.0),
        clarifications=sum(message.route == Route.CLARIFY for message in request.history[-6:]),
    )
    verdict = decide(signals, deps.policy)
    if is_borderline(verdict, deps.policy):
        opinion = await deps.engine.second_opinion(request.texts, request.history, understanding)
        if opinion is not None:
            verdict = decide(replace(signals, opinion=opinion), deps.policy)
    return {"evidence": evidence, "verdict": verdict}
