"""The answer, let out sentence by sentence."""

from dataclasses import dataclass, field

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.judgement import is_courtesy
from agent.nodes.check import may_stand
from agent.ports import AnswerBrief
from agent.speech import Words
from agent.state import TurnState
from agent.types import AnswerDraft, Citation, Passage, Sentence, ToolCall


class AnswerUpdate(TypedDict):
    """The keys this node owns."""

    draft: AnswerDraft
    tool_calls: tuple[ToolCall, ...]


@dataclass
class _Progress:
    said: list[Sentence] = field(default_factory=list)
    held_back: list[Sentence] = field(default_factory=list)
    citations: dict[str, Citation] = field(default_factory=dict)
    # Courtesies wait for a claim that stands, so that nobody reads "Here is how:" and then nothing.
    waiting: list[Sentence] = field(default_factory=list)
    text: str = ""


async def answer(state: TurnState, runtime: Runtime[TurnDeps]) -> AnswerUpdate:
    """Have the engine answer, and stream each sentence once its sources are found to support it.

    A pass that ends in tool calls says nothing; the next pass has their results.
    """
    deps = runtime.context
    request = state["request"]
    results = state.get("tool_results", ())
    rounds_left = deps.policy.tool_rounds - len({result.call_id.split(":")[0] for result in results})
    brief = AnswerBrief(
        question=state["understanding"].question,
        understanding=state["understanding"],
        passages=state["passages"],
        page=state["page"],
        account=state["account"],
        history=request.history,
        tool_results=results,
        tools=tuple(tool.name for tool in deps.tools) if rounds_left > 0 else (),
        courtesy=is_courtesy(
            state["understanding"], state["evidence"].probability, state["evidence"].features.get("known", 0.0)
        ),
    )
    progress, calls = _Progress(), []
    async for part in deps.engine.answer(brief):
        if isinstance(part, ToolCall):
            calls.append(part)
            continue
        if not part.claim and not progress.said:
            progress.waiting.append(part)
            continue
        if await may_stand(part, state, deps):
            for sentence in [*progress.waiting, part]:
                _say(sentence, state["passages"], request.reply_message_id, progress, runtime)
            progress.waiting.clear()
        else:
            progress.held_back.append(part)
    if not calls and not progress.held_back:
        # Nothing was claimed at all: a courtesy may stand alone.
        for sentence in progress.waiting:
            _say(sentence, state["passages"], request.reply_message_id, progress, runtime)
    draft = AnswerDraft(
        text=progress.text,
        sentences=tuple(progress.said),
        held_back=tuple(progress.held_back),
        citations=tuple(progress.citations.values()),
        guidance=deps.pages.guidance(
            state["page"],
            list(dict.fromkeys(citation.article_id for citation in progress.citations.values())),
            progress.text,
            question=state["understanding"].question.render_plain(),
        ),
    )
    return {"draft": draft, "tool_calls": tuple(calls)}


def _say(
    sentence: Sentence,
    passages: tuple[Passage, ...],
    message_id: str,
    progress: _Progress,
    runtime: Runtime[TurnDeps],
) -> None:
    """Stream a sentence with the numbers of its sources behind it."""
    by_id = {passage.passage_id: passage for passage in passages}
    numbers: list[int] = []
    for passage_id in sentence.cites:
        source = by_id[passage_id]
        # One number per section: two sentences of a section share it.
        key = f"{source.article_id}\n{source.section}"
        if key not in progress.citations:
            progress.citations[key] = Citation(
                n=len(progress.citations) + 1,
                article_id=source.article_id,
                title=source.title,
                section=source.section,
                url=source.url,
                passage_id=passage_id,
            )
        numbers.append(progress.citations[key].n)
    marks = "".join(f" [{n}]" for n in dict.fromkeys(numbers))
    delta = f"{_separator(progress.text, sentence.text)}{sentence.text.strip()}{marks}"
    progress.said.append(sentence)
    progress.text += delta
    runtime.stream_writer(Words(message_id, delta))


def _separator(before: str, sentence: str) -> str:
    """A new paragraph around lists, a space between sentences of one paragraph."""
    if not before:
        return ""
    is_block = sentence.lstrip().startswith(("-", "*", "1.", ">", "#")) or "\n" in sentence.strip()
    after_block = before.rsplit("\n", 1)[-1].lstrip().startswith(("-", "*")) or "\n" in before.rsplit("\n\n", 1)[-1]
    return "\n\n" if is_block or after_block or sentence.startswith("\n") else " "
