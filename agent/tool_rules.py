"""What a call of the engine may do: decided here, from what the customer said, never by the engine.

An engine that answers has read articles, a page and perhaps an account: untrusted text, any of which may hold
instructions. So calls that only read run as they are, scoped by the session; a call with an effect leads out of the
answer, and only when the customer's own words ask for it. Otherwise the customer is asked, and the effect belongs
to the turn in which they say yes.
"""

from pydantic import BaseModel, ConfigDict, Field

from agent.policy import Policy
from agent.ports import ToolOffer
from agent.types import Kind, Proposal, Route, Understanding


class BugArguments(BaseModel):
    """What the engine says about a bug. The ticket is drafted from the customer's words, not from these."""

    model_config = ConfigDict(extra="ignore")
    what_happens: str = Field("", max_length=300, description="What goes wrong, in one sentence.")


class HandOverArguments(BaseModel):
    """Why the engine wants a person. For the trace: the person reads the customer's words, not these."""

    model_config = ConfigDict(extra="ignore")
    reason: str = Field("", max_length=300, description="Why a person is needed, in one sentence.")


EFFECTS: dict[str, Route] = {"report_bug": Route.BUG_REPORT, "hand_over": Route.HANDOFF}

EFFECT_OFFERS: tuple[ToolOffer, ...] = (
    ToolOffer(
        "report_bug",
        "Report that the product itself is broken, when what the customer sees contradicts the sources.",
        BugArguments,
    ),
    ToolOffer(
        "hand_over",
        "Bring in a person, when the sources can't answer and the customer needs one.",
        HandOverArguments,
    ),
)


def weigh(route: Route, understanding: Understanding, policy: Policy, *, pressed: bool) -> Proposal:
    """Whether an effect may follow from an answer at once: only the customer's own words count for it."""
    if not policy.defences.effects_need_consent:
        return Proposal(route, allowed=True)
    if route is Route.HANDOFF:
        return Proposal(route, allowed=pressed or understanding.wish_for_person >= policy.consent)
    reported = understanding.kind is Kind.BUG and understanding.kind_confidence >= policy.bug_confidence
    return Proposal(route, allowed=reported)
