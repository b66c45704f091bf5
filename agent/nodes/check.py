"""Only what the sources say gets out."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.state import TurnState
from agent.types import CheckReport, Sentence


class CheckUpdate(TypedDict):
    """The key this node owns."""

    check_report: CheckReport


async def may_stand(sentence: Sentence, state: TurnState, deps: TurnDeps) -> bool:
    """Whether a sentence may be said: it claims nothing, a tool said it in this turn, or its sources support it."""
    if not sentence.claim:
        return True
    if sentence.from_tool is not None:
        return any(result.tool == sentence.from_tool and result.ok for result in state.get("tool_results", ()))
    cited = tuple(passage for passage in state["passages"] if passage.passage_id in sentence.cites)
    if not cited or len(cited) != len(set(sentence.cites)):
        return False
    return await deps.engine.support(sentence, cited) >= deps.policy.sentence_support


async def check(state: TurnState, runtime: Runtime[TurnDeps]) -> CheckUpdate:
    """Judge the answer as a whole: something was said, and not more was held back than let out."""
    draft = state["draft"]
    claims = [s for s in draft.sentences if s.claim]
    total = len(claims) + len(draft.held_back)
    if not draft.sentences:
        return {"check_report": CheckReport(False, total, 0, "nothing_supported")}
    return {"check_report": CheckReport(True, total, len(claims))}
