"""The state of one turn's graph. Every key has exactly one writer; docs/state.md has the same table."""

from typing_extensions import TypedDict

from agent.types import (
    AccountFacts,
    AnswerDraft,
    BugTicket,
    CheckReport,
    Citation,
    Evidence,
    Handoff,
    PageContext,
    Passage,
    Proposal,
    Reply,
    ToolCall,
    ToolResult,
    TurnRequest,
    Understanding,
    Verdict,
)


class TurnState(TypedDict, total=False):
    """What a turn knows so far."""

    request: TurnRequest  # the caller
    page: PageContext  # page_context
    account: AccountFacts | None  # page_context
    understanding: Understanding  # understand
    passages: tuple[Passage, ...]  # retrieve
    knowledge_down: bool  # retrieve
    evidence: Evidence  # judge
    verdict: Verdict  # judge
    tool_calls: tuple[ToolCall, ...]  # answer
    draft: AnswerDraft  # answer
    tool_results: tuple[ToolResult, ...]  # use_tools
    proposal: Proposal  # propose
    check_report: CheckReport  # check
    clarification: str  # clarify
    nearest: tuple[Citation, ...]  # clarify
    ticket: BugTicket | None  # bug_report
    bug_message: str  # bug_report
    handoff: Handoff  # handoff
    reply: Reply  # finish


WRITERS: dict[str, str] = {
    "request": "caller",
    "page": "page_context",
    "account": "page_context",
    "understanding": "understand",
    "passages": "retrieve",
    "knowledge_down": "retrieve",
    "evidence": "judge",
    "verdict": "judge",
    "tool_calls": "answer",
    "draft": "answer",
    "tool_results": "use_tools",
    "proposal": "propose",
    "check_report": "check",
    "clarification": "clarify",
    "nearest": "clarify",
    "ticket": "bug_report",
    "bug_message": "bug_report",
    "handoff": "handoff",
    "reply": "finish",
}
