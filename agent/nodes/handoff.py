"""A person, with the whole story."""

from typing import Literal

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.handoff import MAX_HANDBACKS, promise
from agent.policy import Policy
from agent.state import TurnState
from agent.types import AccountFacts, Author, Handoff, Kind, TurnRequest, Understanding

Priority = Literal["normal", "high", "urgent"]

_NEXT_STEPS = {
    "explicit_wish": "The customer asked for a person: greet them and take it from here.",
    "risk": "Verify who is asking before changing anything; this touches money, identity, law or security.",
    "category_needs_person": "The team reserved this category for people: handle it by its procedure.",
    "category_not_automated": "Not automated yet: answer it, and note whether an article would have done.",
    "failed_attempts": "The articles were tried and didn't help: look at what was sent before repeating it.",
    "knowledge_down": "The knowledge base was unavailable: a simple answer may be all that is needed.",
    "engine_asked": "The agent began to answer and found that a person is needed: read what it said last.",
    "second_opinion": "On the border between an answer and a person: a short look may be enough.",
    "complaint": "Acknowledge the complaint first, then look at its cause.",
}


class HandoffUpdate(TypedDict):
    """The key this node owns."""

    handoff: Handoff


async def handoff(state: TurnState, runtime: Runtime[TurnDeps]) -> HandoffUpdate:
    """Write what they wanted, what was tried and why it is handed over; choose the queue, the priority, the promise."""
    deps = runtime.context
    request, heard, verdict = state["request"], state["understanding"], state["verdict"]
    account = state["account"]
    wanted = await deps.engine.summarise(request.texts, request.history, heard)
    reason = verdict.handoff_reason or ("engine_asked" if "proposal" in state else "no_answer")
    promised = promise(request.now, deps.policy.business_hours, minutes=deps.policy.reply_promise_minutes)
    # Whoever only asks for a person has said nothing that an article could be about.
    found = () if heard.kind is Kind.WANTS_PERSON else state["passages"][:3]
    links = [passage.url for passage in found if passage.url]
    return {
        "handoff": Handoff(
            wanted=wanted,
            tried=_tried(request),
            reason=reason,
            reasons=verdict.reasons,
            sentiment=heard.sentiment,
            queue_id=choose_queue(deps.policy, heard, account),
            priority=choose_priority(deps.policy, heard, account, request),
            suggested_next_step=_NEXT_STEPS.get(reason, "No article answers this well: answer it, then write one."),
            language=heard.language,
            account_id=account.account_id if account else None,
            account_summary=_account_summary(account),
            page=state["page"].route,
            links=tuple(dict.fromkeys(links)),
            promised_by=promised.by,
            in_business_hours=promised.open_now,
            ask_email=not promised.open_now and not request.asked_email and request.contact_email is None,
        )
    }


def choose_queue(policy: Policy, heard: Understanding, account: AccountFacts | None) -> str:
    """The category's own queue, else the first queue that names the category or tier, else the first of all."""
    own = policy.category(heard.category).queue
    if own is not None:
        return own
    for queue in policy.queues:
        if heard.category in queue.categories or (account is not None and account.tier in queue.tiers):
            return queue.queue_id
    return policy.queues[0].queue_id


def choose_priority(
    policy: Policy, heard: Understanding, account: AccountFacts | None, request: TurnRequest
) -> Priority:
    """How soon: ping-pong, danger, or an unhappy customer of a high tier come first."""
    high_tier = account is not None and account.tier in policy.high_tiers
    if request.handbacks >= MAX_HANDBACKS or heard.risk >= 0.8 or (high_tier and heard.sentiment < -0.4):
        return "urgent"
    if high_tier or heard.sentiment < -0.5 or heard.risk >= 0.5:
        return "high"
    return "normal"


def _tried(request: TurnRequest) -> tuple[str, ...]:
    """What the bot sent before, by the titles it cited, oldest first."""
    tried: list[str] = []
    for message in request.history:
        if message.author is Author.BOT and message.citations:
            tried.append(", ".join(dict.fromkeys(citation.title for citation in message.citations)))
    return tuple(tried[-5:])


def _account_summary(account: AccountFacts | None) -> str | None:
    if account is None:
        return None
    parts = [account.name.render_plain(), account.plan, account.tier, account.billing_status]
    if account.health is not None:
        parts.append(f"health {account.health:.2f}")
    if account.renewal_on:
        parts.append(f"renews {account.renewal_on}")
    return ", ".join(part for part in parts if part)
