"""The collaborators of a turn, handed to every node as LangGraph's run-scoped context."""

from dataclasses import dataclass

from agent.policy import Policy
from agent.ports import AccountLookup, AnswerTool, Engine, KnowledgeBase, PageDirectory, TicketTracker


@dataclass(frozen=True, slots=True)
class TurnDeps:
    """What nodes may use. Evals hand in recording fakes for what writes.

    `filed` says that an earlier attempt at this turn, which didn't come to its end, has filed a bug.
    """

    engine: Engine
    knowledge: KnowledgeBase
    accounts: AccountLookup
    pages: PageDirectory
    tracker: TicketTracker
    tools: tuple[AnswerTool, ...]
    policy: Policy
    workspace_name: str
    escalation_fallback_queue: str = "general"
    filed: bool = False
