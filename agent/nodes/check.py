"""Only what the sources say gets out."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.links import all_cited
from agent.promises import promises
from agent.state import TurnState
from agent.types import CheckReport, Passage, Sentence

# A promise may stand only where a source makes it in these words: it is the team's own then.
_VERBATIM = 0.95


class CheckUpdate(TypedDict):
    """The key this node owns."""

    check_report: CheckReport


def sources(state: TurnState) -> tuple[Passage, ...]:
    """All passages that the turn may cite: those retrieved, then those that a tool found, each once."""
    found = [*state["passages"], *(p for result in state.get("tool_results", ()) for p in result.passages)]
    return tuple({passage.passage_id: passage for passage in found}.values())


def cited(sentence: Sentence, passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """The passages that a sentence cites, as far as they exist."""
    return tuple(passage for passage in passages if passage.passage_id in sentence.cites)


async def may_stand(sentence: Sentence, state: TurnState, deps: TurnDeps) -> bool:
    """Whether a sentence may be said.

    It claims nothing, or the sources it cites (passages, results of tools in this turn) support it. Either way they
    exist, it leads nowhere that they don't lead, and promises nothing unless they promise it in these words.
    """
    defences = deps.policy.defences
    passages = cited(sentence, sources(state))
    results = tuple(r for r in state.get("tool_results", ()) if r.ok and r.tool == sentence.from_tool)
    addresses = [part for p in passages for part in (p.text.render_plain(), p.url or "")]
    if len(passages) != len(set(sentence.cites)):
        return False
    if defences.links_are_cited and not all_cited(sentence.text, addresses):
        return False
    needed = 0.0
    if sentence.claim and defences.sources_support:
        if not (passages or results):
            return False
        needed = deps.policy.sentence_support
    if defences.promises_are_kept and promises(sentence.text):
        needed = _VERBATIM
    if not needed:
        return True
    return await deps.engine.support(sentence, passages, results) >= needed


async def check(state: TurnState, runtime: Runtime[TurnDeps]) -> CheckUpdate:
    """Judge the answer as a whole: it was finished, something was said, and no more was held back than let out."""
    draft = state["draft"]
    claims = sum(s.claim for s in draft.sentences)
    total = claims + len(draft.held_back)
    reason = None
    if not draft.sentences:
        reason = "nothing_supported"
    elif draft.broken_off is not None:
        reason = draft.broken_off
    elif len(draft.held_back) > claims:
        reason = "mostly_unsupported"
    return {"check_report": CheckReport(reason is None, total, claims, reason)}
