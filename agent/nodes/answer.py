"""The answer, let out sentence by sentence."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import reports_trouble
from agent.errors import ConnectorError
from agent.judgement import is_courtesy
from agent.nodes.check import cited, may_stand, sources
from agent.phrases import Phrase, begins_with_month, language_name, phrase
from agent.pointing import named_elements
from agent.ports import AnswerBrief, ToolOffer
from agent.short_replies import short_reply
from agent.speech import Words
from agent.state import TurnState
from agent.tool_rules import EFFECT_OFFERS
from agent.types import AnswerDraft, Citation, Passage, Sentence, ToolCall

logger = logging.getLogger(__name__)

_ITEM = re.compile(r"\s*(?:(?P<number>\d{1,3})[.)]|[-*+])\s+")
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)]\s", re.MULTILINE)
# A model that says a sentence again and again has got caught in it.
_MOST_REPEATS = 3


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
    rewrites: int = 0
    repeats: int = 0
    # What the passes before the tools said: a model may begin anew after them.
    earlier: frozenset[str] = frozenset()
    broken_off: str | None = None

    def repeated(self, sentence: Sentence) -> bool:
        """Whether the answer has it word for word; a step of a list may come twice ("Select **Save**")."""
        before = [_compared(each) for each in (*self.said, *self.waiting)]
        now = _compared(sentence)
        may_come_twice = _ITEM.match(sentence.text) is not None and before[-1:] != [now]
        return before.count(now) > may_come_twice

    def marker(self, sentence: Sentence) -> str:
        """The mark of a list's item that the sentence begins with, when it is only that: a bullet, or the next number.

        Any other number could be one that only a source can know ("3. März").
        """
        item = _ITEM.match(sentence.text)
        if item is None:
            return ""
        if item["number"] is not None:
            last = int((_NUMBERED.findall(self.text) or ["0"])[-1])
            if int(item["number"]) not in (1, last + 1) or begins_with_month(sentence.text[item.end() :]):
                return ""
        return item.group()

    @classmethod
    def after(cls, earlier: AnswerDraft | None) -> "_Progress":
        """Go on where the pass before the tools ended."""
        if earlier is None:
            return cls()
        return cls(
            said=list(earlier.sentences),
            held_back=list(earlier.held_back),
            citations={_source_key(c.article_id, c.section): c for c in earlier.citations},
            text=earlier.text,
            rewrites=earlier.rewrites,
            earlier=frozenset(map(_compared, earlier.sentences)),
        )


async def answer(state: TurnState, runtime: Runtime[TurnDeps]) -> AnswerUpdate:
    """Have the engine answer, and stream each sentence once its sources are found to support it.

    A pass may end in tool calls; the next pass has their results and goes on from what was said. A sentence that
    can't stand is replaced by its source's own words once, or left out; a step of a list that can't stand ends the
    answer there, because the steps after it would be wrong without it. When nothing stands, the sources are quoted.
    """
    deps = runtime.context
    progress = _Progress.after(state.get("draft"))
    brief = _brief(state, deps, progress.text)
    reply = short_reply(state["request"])
    parts = deps.engine.answer(brief) if reply is None else _said_back(reply, brief)
    calls = await _speak(parts, brief, progress, state, runtime)
    if progress.held_back and not progress.said and not calls:
        # Nothing of it stands, though the evidence is there: the sources can speak for themselves.
        progress.held_back.clear()
        progress.waiting.clear()
        progress.broken_off = None
        calls = await _speak(deps.engine.quote(brief), brief, progress, state, runtime)
    if not calls and not progress.held_back and progress.broken_off is None:
        # Nothing was claimed at all: a courtesy may stand alone.
        for sentence in progress.waiting:
            _say(sentence, brief.passages, progress, state, runtime)
    if not calls and progress.broken_off is None and _may_be_a_bug(state, progress):
        offer = Sentence(phrase(Phrase.REPORT_OFFER, state["understanding"].language), claim=False)
        _say(offer, brief.passages, progress, state, runtime)
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
            chosen=_pointed_at(state, progress.text, deps),
        ),
        broken_off=progress.broken_off,
        rewrites=progress.rewrites,
    )
    return {"draft": draft, "tool_calls": tuple(calls) if progress.broken_off is None else ()}


async def _said_back(reply: Phrase, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
    yield Sentence(phrase(reply, brief.understanding.language), claim=False)


def _may_be_a_bug(state: TurnState, progress: _Progress) -> bool:
    """Whether trouble was reported, and told what may help against it."""
    return reports_trouble(state["understanding"]) and any(sentence.claim for sentence in progress.said)


def _brief(state: TurnState, deps: TurnDeps, said: str) -> AnswerBrief:
    results = state.get("tool_results", ())
    rounds_left = deps.policy.tool_rounds - len({result.call_id.split(":")[0] for result in results})
    offers: tuple[ToolOffer, ...] = (*(tool.offer for tool in deps.tools), *EFFECT_OFFERS)
    return AnswerBrief(
        question=state["understanding"].question,
        understanding=state["understanding"],
        passages=sources(state),
        page=state["page"],
        account=state["account"],
        history=state["request"].history,
        tool_results=results,
        tools=offers if rounds_left > 0 else (),
        courtesy=is_courtesy(
            state["understanding"], state["evidence"].probability, state["evidence"].features.get("known", 0.0)
        ),
        said=said,
        found_later=len(sources(state)) - len(state["passages"]),
        texts=state["request"].texts,
    )


async def _speak(
    parts: AsyncGenerator[Sentence | ToolCall, None],
    brief: AnswerBrief,
    progress: _Progress,
    state: TurnState,
    runtime: Runtime[TurnDeps],
) -> list[ToolCall]:
    """Let out what can stand of an engine's parts; return its calls. What wasn't offered isn't called."""
    calls: list[ToolCall] = []
    try:
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, ToolCall):
                    calls += [part] if brief.tools else []
                elif _compared(part) in progress.earlier:
                    continue
                elif progress.repeated(part):
                    progress.repeats += 1
                    # Behind a step that is left out the others would be counted wrong.
                    if progress.repeats >= _MOST_REPEATS or _NUMBERED.match(part.text):
                        break
                elif not await _take(part, brief.passages, progress, state, runtime):
                    progress.broken_off = "unsupported"
                    break
    except ConnectorError as exc:
        logger.warning("answer cut turn_id=%s error=%s", state["request"].turn_id, type(exc).__name__)
        progress.broken_off = "cut"
    return calls


async def _take(
    part: Sentence, passages: tuple[Passage, ...], progress: _Progress, state: TurnState, runtime: Runtime[TurnDeps]
) -> bool:
    """Say a sentence, in its source's words if need be, or hold it back; false when the answer can't go on."""
    if not part.text.strip():
        return True
    if not part.claim and not progress.said and await may_stand(part, state, runtime.context):
        progress.waiting.append(part)
        return True
    standing = await _standing(part, passages, progress, state, runtime.context)
    if standing is None:
        progress.held_back.append(part)
        return _ITEM.match(part.text) is None
    foreign = _foreign(standing, passages, progress, state) if standing is not part else []
    for sentence in [*progress.waiting, *foreign, standing]:
        _say(sentence, passages, progress, state, runtime)
    progress.waiting.clear()
    return True


async def _standing(
    part: Sentence, passages: tuple[Passage, ...], progress: _Progress, state: TurnState, deps: TurnDeps
) -> Sentence | None:
    """The sentence when it may stand, else its source's own words for it when those may and weren't said yet."""
    marker = progress.marker(part)
    bare = replace(part, text=part.text[len(marker) :])
    if await may_stand(bare, state, deps):
        return part
    if not part.claim or not part.cites or progress.rewrites >= deps.policy.rewrites_per_turn:
        return None
    progress.rewrites += 1
    quoted = await deps.engine.rewrite(bare, cited(part, passages))
    if quoted is None or quoted.text.strip() in progress.text:
        return None
    words = _bare(quoted.text)
    if not await may_stand(replace(quoted, text=words), state, deps):
        return None
    item = _ITEM.match(part.text)
    return quoted if item is None else replace(quoted, text=item.group() + words)


def _foreign(quoted: Sentence, passages: tuple[Passage, ...], progress: _Progress, state: TurnState) -> list[Sentence]:
    """That the source's own words are in another language than the customer's; said once, before the first of them."""
    language = state["understanding"].language
    (source, *_) = cited(quoted, passages)
    told = phrase(Phrase.OTHER_LANGUAGE, language, of=language_name(source.language, language))
    return [] if source.language == language or told in progress.text else [Sentence(told, claim=False)]


def _pointed_at(state: TurnState, said: str, deps: TurnDeps) -> list[str]:
    """What the engine pointed at, as far as the question or the answer names it."""
    results = state.get("tool_results", ())
    picked = [result.facts["element_id"] for result in results if result.ok and "element_id" in result.facts]
    if not deps.policy.defences.pointers_are_named:
        return picked
    named = named_elements(state["page"].elements, f"{state['understanding'].question.render_plain()} {said}")
    return [element_id for element_id in picked if element_id in named]


def _bare(text: str) -> str:
    """A sentence without the mark of a list's item."""
    item = _ITEM.match(text)
    return text if item is None else text[item.end() :]


def _compared(sentence: Sentence) -> str:
    """A sentence without the mark of a list's item, case and spacing."""
    return " ".join(_bare(sentence.text).split()).casefold()


def _source_key(article_id: str, section: str) -> str:
    # One number per section: two sentences of a section share it.
    return f"{article_id}\n{section}"


def _say(
    sentence: Sentence,
    passages: tuple[Passage, ...],
    progress: _Progress,
    state: TurnState,
    runtime: Runtime[TurnDeps],
) -> None:
    """Stream a sentence with the numbers of its sources behind it."""
    by_id = {passage.passage_id: passage for passage in passages}
    numbers: list[int] = []
    for passage_id in sentence.cites:
        source = by_id[passage_id]
        key = _source_key(source.article_id, source.section)
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
    runtime.stream_writer(Words(state["request"].reply_message_id, delta))


def _separator(before: str, sentence: str) -> str:
    """A new paragraph around lists, a new line between items of one, a space between sentences of a paragraph."""
    if not before:
        return ""
    last_line = before.rsplit("\n", 1)[-1]
    if _ITEM.match(sentence) and "\n" not in sentence.strip() and _ITEM.match(last_line):
        return "\n"
    is_block = sentence.lstrip().startswith(("-", "*", "1.", ">", "#")) or "\n" in sentence.strip()
    after_block = last_line.lstrip().startswith(("-", "*")) or "\n" in before.rsplit("\n\n", 1)[-1]
    return "\n\n" if is_block or after_block or _ITEM.match(last_line) or sentence.startswith("\n") else " "
