"""The llm engine behind the `Engine` port: a model speaks, the local engine checks it and takes over when it fails."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

import httpx

from agent.errors import ModelFailed
from agent.links import all_cited
from agent.ports import AnswerBrief, Engine, EngineReport
from agent.prompting import digest, load_prompt
from agent.types import (
    Author,
    BugDraft,
    Evidence,
    Kind,
    Message,
    PageContext,
    Passage,
    Sentence,
    Source,
    Spent,
    ToolCall,
    ToolResult,
    Understanding,
    Untrusted,
)
from tools.engines.llm.answering import Pass, tool_schema, tools_in_words
from tools.engines.llm.calling import Model
from tools.engines.llm.judgements import Heard, Opinion, Summary, Supported, WrittenBug
from tools.engines.llm.ledger import Ledger
from tools.engines.llm.options import ModelOptions
from tools.engines.llm.structured import J, Judge, ask_for
from tools.engines.llm.telling import (
    answer_messages,
    customer_lines,
    judgement_messages,
    page_lines,
    said_before,
    sources,
)
from tools.engines.llm.thoughts import Thoughts
from tools.engines.local.words import content_words

_UNSURE_KIND = 0.7
_UNSURE_WISH = (0.2, 0.8)
_HEARD_SURE = 0.8
_FOR_A_PERSON = (Kind.COMPLAINT, Kind.WANTS_PERSON)
_DOUBTFUL = (0.3, 0.7)
_SECOND_YES = 0.8
_SECOND_NO = 0.1


@dataclass(frozen=True, slots=True)
class _Parts:
    """What all turns share."""

    local: Engine
    options: ModelOptions
    answering: Model
    judge: Judge
    product: str


class LlmEngine:
    """Implements `Engine` with a model. What decides over safety (evidence, the gate) stays with the local engine."""

    name = "llm"
    repeatable = False

    def __init__(self, parts: _Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger

    @classmethod
    def open(cls, local: Engine, options: ModelOptions, client: httpx.AsyncClient, *, product: str) -> "LlmEngine":
        """Join a model with the local engine. Nothing is asked of the endpoint yet."""
        answering = Model(options.answering, client, options.clocks, temperature=options.temperature)
        judging = answering
        if options.judge != options.answering:
            judging = Model(options.judge, client, options.clocks, temperature=options.temperature)
        judge = Judge(judging, max_tokens=options.max_judgement_tokens)
        return cls(_Parts(local, options, answering, judge, product), _new_ledger(options, Spent()))

    def for_turn(self, spent: Spent) -> "LlmEngine":
        """Return the engine of one turn, with a budget and a clock of its own."""
        return LlmEngine(self._parts, _new_ledger(self._parts.options, spent))

    def report(self) -> EngineReport:
        """What the turn's calls came to."""
        ledger = self._ledger
        return EngineReport(
            engine=self.name,
            model=self._parts.options.answering.model,
            calls=ledger.calls,
            input_tokens=ledger.input_tokens,
            output_tokens=ledger.output_tokens,
            cost=round(ledger.cost, 6),
            fallbacks=tuple(ledger.fallbacks),
            prompts=dict(ledger.prompts),
        )

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        """Classify with the local engine, and ask the model where that is in doubt.

        The model can't lower what speaks for a person: its wish and risk only add to what was heard.
        """
        heard = await self._parts.local.understand(texts, history, page)
        if not self._in_doubt(heard, history):
            return heard
        told = await self._judged("understand", "understand", _customer_alone(texts, history), Heard)
        return heard if told is None else _joined(heard, told, follow_up=bool(history))

    async def assess(
        self, understanding: Understanding, passages: tuple[Passage, ...], tools: tuple[str, ...]
    ) -> Evidence:
        """The local engine's calibrated probability: a model that has read an article decides no route."""
        return await self._parts.local.assess(understanding, passages, tools)

    async def second_opinion(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> float | None:
        """The model's, from the customer's words alone."""
        if self._parts.options.judges == "never":
            return None
        told = await self._judged("second_opinion", "opinion", _customer_alone(texts, history), Opinion)
        return None if told is None else told.person_needed

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """Have the model answer; the local engine does it when the model gives nothing.

        Raises:
            ModelFailed: it failed after a part was given.
        """
        given = False
        if not brief.courtesy:
            try:
                async with aclosing(self._ask(brief)) as parts:
                    async for part in parts:
                        given = True
                        yield part
                return
            except ModelFailed as failed:
                self._ledger.fall_back("rest_of_answer" if given else "answer", failed)
                if given:
                    raise
        async with aclosing(self._parts.local.answer(brief)) as parts:
            async for part in parts:
                yield part

    def quote(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """The local engine's answer."""
        self._ledger.fall_back("answer", ModelFailed("unsupported"))
        return self._parts.local.answer(brief)

    async def _ask(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        prompt, model, options = load_prompt("answer"), self._parts.answering, self._parts.options
        messages = answer_messages(prompt, brief, product=self._parts.product)
        if brief.tools:
            told = tools_in_words(brief.tools)
            # What a model is told of a tool is a prompt too.
            self._ledger.prompts["tools"] = digest(told.encode())
            messages[0].content = f"{messages[0].content}\n\nYour tools:\n{told}"
            bound = model.chat.bind_tools(
                [tool_schema(offer) for offer in brief.tools], max_completion_tokens=options.max_answer_tokens
            )
        else:
            bound = model.chat.bind(max_completion_tokens=options.max_answer_tokens)
        chunks = model.stream(prompt, messages, self._ledger, bound=bound)
        thoughts = Thoughts(begun=model.thinks_first)
        try:
            async with aclosing(chunks), aclosing(Pass(brief, thoughts).parts(chunks)) as parts:
                async for part in parts:
                    yield part
        finally:
            model.thinks_first = model.thinks_first or thoughts.unopened

    async def support(
        self, sentence: Sentence, passages: tuple[Passage, ...], results: tuple[ToolResult, ...] = ()
    ) -> float:
        """The local engine's calibrated score; in its doubtful band a second opinion, when a judging model is named."""
        score = await self._parts.local.support(sentence, passages, results)
        low, high = _DOUBTFUL
        if self._parts.options.judging is None or not low <= score <= high or not passages:
            return score
        said = Untrusted.of(sentence.text, Source.MODEL, limit=1_000)
        sections = [("The source", [sources(passages, start=1)]), ("The sentence", [said.render_for_prompt()])]
        told = await self._judged("support", "support", sections, Supported)
        if told is None:
            return score
        return _SECOND_YES if told.supported else _SECOND_NO

    async def rewrite(self, sentence: Sentence, passages: tuple[Passage, ...]) -> Sentence | None:
        """The source's own words: free, at once, and nothing that a model could be talked into."""
        return await self._parts.local.rewrite(sentence, passages)

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        """The local engine's draft, with what the model wrote better from the same words."""
        draft = await self._parts.local.draft_bug(texts, history, page, understanding)
        if self._parts.options.judges == "never":
            return draft
        sections = [*_customer_alone(texts, history), ("The page", page_lines(page, elements=False))]
        told = await self._judged("draft_bug", "bug", sections, WrittenBug)
        if told is None:
            return draft
        return _written(draft, told, _said(texts, history), [error.render_plain() for error in page.errors])

    async def summarise(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> str:
        """The model's summary, from the customer's words alone."""
        own = await self._parts.local.summarise(texts, history, understanding)
        if self._parts.options.judges == "never":
            return own
        told = await self._judged("summarise", "summary", _customer_alone(texts, history), Summary)
        if told is None:
            return own
        written = Untrusted.of(told.summary, Source.MODEL, limit=500).render_plain()
        return written if all_cited(written, [_said(texts, history)]) else own

    async def _judged(
        self, ability: str, prompt_name: str, sections: list[tuple[str, list[str]]], schema: type[J]
    ) -> J | None:
        """The model's judgement; None, and noted, when it gives none."""
        prompt = load_prompt(prompt_name)
        messages = judgement_messages(prompt, sections, ask_for(schema))
        try:
            return await self._parts.judge.ask(prompt, messages, schema, self._ledger)
        except ModelFailed as failed:
            self._ledger.fall_back(ability, failed)
            return None

    def _in_doubt(self, heard: Understanding, history: tuple[Message, ...]) -> bool:
        judges = self._parts.options.judges
        if judges != "doubtful":
            return judges == "always"
        low, high = _UNSURE_WISH
        return heard.kind_confidence < _UNSURE_KIND or low < heard.wish_for_person < high or heard.is_follow_up


def _new_ledger(options: ModelOptions, spent: Spent) -> Ledger:
    return Ledger(options.budget, options.clocks.turn_s, spent)


def _customer_alone(texts: tuple[Untrusted, ...], history: tuple[Message, ...]) -> list[tuple[str, list[str]]]:
    """All that a judgement of a message may go by."""
    return [("What they said before", said_before(history)), ("The newest message", customer_lines(texts))]


def _in_words_of(title: str, reported: str) -> str:
    """The title when half of its words or more are those of the report, else nothing."""
    words = set(content_words(title))
    return title if 2 * len(words & set(content_words(reported))) >= max(1, len(words)) else ""


def _joined(heard: Understanding, told: Heard, *, follow_up: bool) -> Understanding:
    """What both heard. Whatever speaks for a person, the kind and the mood included, is at least what it was."""
    unsure = heard.kind_confidence < _UNSURE_KIND and heard.kind not in _FOR_A_PERSON
    return replace(
        heard,
        kind=told.kind if unsure else heard.kind,
        kind_confidence=_HEARD_SURE if unsure else heard.kind_confidence,
        sentiment=round(min(heard.sentiment, (heard.sentiment + told.sentiment) / 2), 4),
        wish_for_person=max(heard.wish_for_person, told.wants_person),
        risk=max(heard.risk, told.risk),
        question=Untrusted.of(told.question, Source.MODEL, limit=400) if follow_up else heard.question,
    )


def _said(texts: tuple[Untrusted, ...], history: tuple[Message, ...]) -> str:
    """All that the customer wrote."""
    before = [message.text for message in history if message.author is Author.CUSTOMER]
    return "\n".join(text.render_plain() for text in (*before, *texts))


def _written(draft: BugDraft, told: WrittenBug, reported: str, errors: list[str]) -> BugDraft:
    """What the model wrote, cleaned; the page, the feature and what nobody said stay as the local engine has them.

    No address gets in that wasn't reported. The title is read by the customer as well, so it has to be in their words.
    """

    def clean(text: str) -> str:
        written = Untrusted.of(text, Source.MODEL, limit=600).render_plain().strip()
        return written if all_cited(written, [reported, *errors]) else ""

    given = {
        "title": _in_words_of(clean(told.title), reported),
        "doing": clean(told.doing),
        "expected": clean(told.expected),
        "actual": clean(told.actual),
        "environment": clean(told.environment),
    }
    kept = {name: text for name, text in given.items() if text}
    steps = tuple(step for step in map(clean, told.steps) if step) or draft.steps
    found = {*kept, *(("steps",) if steps else ())}
    missing = tuple(name for name in draft.missing if name not in found)
    return replace(draft, **kept, steps=steps, severity=told.severity, missing=missing)
