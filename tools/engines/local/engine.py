"""The local engine behind the `Engine` port."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import ConnectorError
from agent.policy import CategoryPolicy
from agent.ports import AnswerBrief, Embedder, EngineReport
from agent.types import (
    BugDraft,
    Evidence,
    Kind,
    Message,
    PageContext,
    Passage,
    Sentence,
    Spent,
    ToolCall,
    ToolResult,
    Understanding,
    Untrusted,
)
from tools import language
from tools.embedding.by_language import beyond_english, reads_english, searching
from tools.embedding.openai_compatible import ask_for_size
from tools.embedding.sentences import sentence_encoder
from tools.engines.local import bugs, evidence, hearing, signals, telling
from tools.engines.local.answering import Understood, compose
from tools.engines.local.choosing import Reading, Wanted
from tools.engines.local.ears.examples import by_language, distinct_texts, load_examples, training_sets
from tools.engines.local.ears.features import Vectors
from tools.engines.local.ears.store import shipped_ears
from tools.engines.local.ears.training import Meaning, train_ears
from tools.engines.local.facts import as_sources
from tools.engines.local.gloss import Glossary
from tools.engines.local.questions import asks_for_steps, parts_of
from tools.engines.local.remedies import remedy
from tools.engines.local.requoting import NO_QUOTE, nearest_quote
from tools.engines.local.stated import NOT_STATED, STATED, knows, stated
from tools.engines.local.support.entailing import Entailing
from tools.engines.local.support.judging import QUOTED, Says, Weighing, judge, quotation, statements
from tools.engines.local.support.model import SupportModel
from tools.engines.local.support.store import open_support
from tools.engines.local.tongue import LANGUAGE, Tongue
from tools.engines.local.vectors import VectorMemory, embed_examples
from tools.engines.local.words import content_words
from tools.learned.model import LearnedModel

_LOOKUP_SURE = 0.8
_ABOUT_THE_ACCOUNT = (Kind.ACCOUNT_BILLING, Kind.COMPLAINT)
_ELSEWHERE = 0.8
_NEAR_ENOUGH_TO_QUOTE = 0.5
_WORDS_IN_COMMON = 2


@dataclass(frozen=True, slots=True)
class Impression:
    """A message as tickets are compared with it: what is shipped makes of it, and its meaning."""

    signals: dict[str, float]
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Memories:
    messages: VectorMemory
    articles: VectorMemory


class LocalEngine:
    """Implements `Engine` without a language model: trained classifiers, retrieval scores and quotation."""

    name = "local"
    repeatable = True

    def __init__(self, heard: hearing.Hearing, supports: SupportModel, embedder: Embedder | None) -> None:
        self._hearing = heard
        self._supports = supports
        self._taught = embedder is not None and searching(embedder) is not embedder
        other = beyond_english(embedder) if embedder is not None else None
        # What customers say and what articles say, in English and in other languages.
        self._english = _Memories(heard.vectors, VectorMemory.of_articles(embedder))
        self._beyond = _Memories(VectorMemory(other), VectorMemory.of_articles(other))
        self._reading = ThreadPoolExecutor(1, "reading")
        # Opened by its first text: an installation that has learnt nothing needs no second model.
        self._sentences = VectorMemory(sentence_encoder() if heard.vectors.can_embed else None)

    @classmethod
    async def open(
        cls,
        embedder: Embedder | None,
        categories: Sequence[CategoryPolicy],
        *,
        cache_dir: Path,
        entailment: Entailing | None = None,
    ) -> "LocalEngine":
        """Take the shipped ears and learn the workspace's own categories from their examples.

        A few seconds the first time, with another embedding model than the installed one a minute, with an entailment
        model many; what was learnt is kept in `cache_dir`. Without an embedder, or when it fails now, the engine goes
        by words alone. With an entailment model, `support` goes by that too.

        Raises:
            Misconfigured: the shipped examples are damaged.
        """
        shipped, glossary = load_examples(), Glossary.load()
        await asyncio.to_thread(language.prepare, cache_dir)
        ready = await asyncio.to_thread(shipped_ears)
        of_languages = ready.get("", {}).get(LANGUAGE)
        tongue = await asyncio.to_thread(Tongue.train, by_language(shipped), cache_dir, of_languages)
        said: dict[str, str] = {}

        def in_english(text: str, language: str) -> str:
            gist = glossary.gloss(text, language)
            said.setdefault(gist, text)
            return gist

        own = {
            category.category_id: [
                in_english(text, tongue.identify(text).language)
                for text in dict.fromkeys([*category.examples, category.description or category.name])
            ]
            for category in categories
            if category.examples
        }
        taught = training_sets(shipped, in_english)
        sets = {**taught, "category": own}
        meaning = None
        if embedder is not None:
            # Kept apart: a changed category doesn't cost the shipped examples again.
            groups = [distinct_texts({"category": own})]
            if embedder.name not in ready:
                groups.insert(0, distinct_texts(taught))
            try:
                meaning = await _meaning(embedder, groups, said, cache_dir)
            except ConnectorError:
                embedder = None
        ears = await asyncio.to_thread(train_ears, sets, meaning, cache_dir, ready)
        supports = await asyncio.to_thread(open_support, cache_dir, entailment)
        beside = sentence_encoder() if meaning is not None and meaning.beside is not None else None
        heard = hearing.Hearing(ears, tongue, glossary, VectorMemory(embedder), VectorMemory(beside))
        return cls(heard, supports, embedder)

    def learn(self, model: LearnedModel | None) -> None:
        """Go by this learnt model from now on, beside what is shipped; None is what is shipped alone."""
        self._hearing = self._hearing.taught(model)

    def for_turn(self, spent: Spent) -> "LocalEngine":
        """Return itself: it spends nothing."""
        return self

    def report(self) -> EngineReport:
        """It did everything itself, for nothing."""
        return EngineReport(self.name)

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        """Classify the newest messages in the light of the conversation."""
        return await hearing.understand(self._hearing, texts, history, page)

    async def assess(
        self, understanding: Understanding, passages: tuple[Passage, ...], tools: tuple[str, ...]
    ) -> Evidence:
        """Estimate whether the passages, or a lookup of the account, answer the question."""
        found = evidence.assess(
            understanding,
            passages,
            in_english=self._in_english(understanding),
            beyond_english=self._hearing.beside.can_embed,
            taught=self._taught,
        )
        learned = self._hearing.learned
        if learned is not None and learned.outcomes is not None:
            found = await self._by_outcomes(understanding, passages, found, learned)
        elif learned is not None and passages:
            trusted = learned.trust(found.probability)
            found = replace(
                found, probability=round(trusted, 4), features={**found.features, "before_trust": found.probability}
            )
        if understanding.kind is Kind.BUG:
            memory = self._memories(understanding.language).articles
            known = await remedy(await self._as_asked(understanding), passages, memory)
            found = replace(found, features={**found.features, "remedy": round(known, 4)})
        lookup, sure = await self._lookup(understanding)
        if lookup not in tools:
            return found
        return replace(
            found,
            probability=max(found.probability, round(sure, 4)),
            features={**found.features, "lookup": round(sure, 4)},
        )

    async def impression(self, understanding: Understanding, found: Evidence) -> Impression | None:
        """What learning from tickets starts from; None when the sentence encoder is damaged.

        Without an embedding model it has no vector (one of no dimensions).
        """
        question = understanding.question.render_plain()
        (row,) = await self._hearing.rows([question], understanding.language)
        vector = np.zeros(0, dtype=np.float32)
        if self._sentences.can_embed:
            vectors = await self._sentences.embed([question])
            if vectors is None:
                return None
            vector = vectors[0]
        return Impression(signals.of_message(self._hearing.ears, row, understanding, found), vector)

    async def _by_outcomes(
        self, understanding: Understanding, passages: tuple[Passage, ...], found: Evidence, learned: LearnedModel
    ) -> Evidence:
        """The evidence in the light of what tickets like this one came to."""
        seen = await self.impression(understanding, found)
        if seen is None or learned.outcomes is None:
            return found
        outcomes = learned.outcomes(seen.signals, seen.vector)
        probability = found.probability
        if learned.answers is not None and passages:
            probability = learned.answers(signals.of_answer(found, passages, outcomes))
        said = {f"outcome_{label}": round(p, 4) for label, p in outcomes.items()}
        return replace(
            found,
            probability=round(probability, 4),
            features={
                **found.features,
                **said,
                "outcome_trust": round(learned.outcomes.trust, 4),
                "before_outcomes": found.probability,
            },
        )

    async def second_opinion(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> float | None:
        """None: all it knows is in its understanding already."""
        return None

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """Quote the best article; look the account up when that is what was asked."""
        async for part in compose(brief, await self._read(brief)):
            yield part

    def quote(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """The same: it quotes anyway."""
        return self.answer(brief)

    async def support(
        self, sentence: Sentence, passages: tuple[Passage, ...], results: tuple[ToolResult, ...] = ()
    ) -> float:
        """The best support among the sources, in [0, 1]; each statement of the sentence must be supported."""
        says = Weighing(self._supports)
        value = _support(sentence, passages, results, says)
        if says.settled:
            return value
        # Readers that run side by side take the processor from each other, and the threads from everybody else.
        loop, context = asyncio.get_running_loop(), copy_context()
        await loop.run_in_executor(self._reading, context.run, says.read)
        return _support(sentence, passages, results, says)

    async def rewrite(self, sentence: Sentence, passages: tuple[Passage, ...]) -> Sentence | None:
        """The sentence of the cited passages that comes nearest, when it comes near."""
        found = [nearest_quote(sentence.text, passage.text.render_plain()) for passage in passages]
        best = max(found, key=lambda quote: quote.share, default=NO_QUOTE)
        # "Let me check" is near to any sentence with a word for looking: one word is no subject.
        near = best.share >= _NEAR_ENOUGH_TO_QUOTE and best.words >= _WORDS_IN_COMMON
        return replace(sentence, text=best.text) if near else None

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        """Sort what was said into the fields of a bug."""
        return bugs.draft_bug(texts, history, page, understanding)

    async def summarise(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> str:
        """The customer's own words."""
        return telling.summarise(texts, history)

    async def _as_asked(self, understanding: Understanding) -> Reading:
        """The question's words and its vector."""
        question = understanding.question.render_plain()
        rows = await self._memories(understanding.language).messages.embed([question])
        return Reading(tuple(content_words(question)), rows[0] if rows is not None else None)

    def _memories(self, language: str) -> "_Memories":
        return self._english if language == "en" else self._beyond

    def _in_english(self, understanding: Understanding) -> str:
        return self._hearing.glossary.gloss(understanding.question.render_plain(), understanding.language)

    async def _lookup(self, understanding: Understanding) -> tuple[str | None, float]:
        """The lookup that the question asks for, with its probability; None when it asks for none."""
        question = understanding.question.render_plain()
        (row,) = await self._hearing.rows([question], understanding.language)
        scored = self._hearing.ears.hear("lookup", row)
        # Who asks for a wish or reports a bug rarely means their own account.
        sure = scored.confidence * (1.0 if understanding.kind in _ABOUT_THE_ACCOUNT else _ELSEWHERE)
        if scored.label in ("none", "other") or sure < _LOOKUP_SURE:
            return None, 0.0
        return scored.label, sure

    async def _read(self, brief: AnswerBrief) -> Understood:
        heard = brief.understanding
        question, english = brief.question.render_plain(), self._in_english(heard)
        (row,) = await self._hearing.rows([question], heard.language)
        lookup, _ = await self._lookup(heard)
        behind = _behind(brief)
        parts = parts_of(question)
        asked = [question, english, *parts, *([behind] if behind else [])]
        titles = {passage.article_id: passage.title for passage in brief.passages}
        memories = self._memories(heard.language)
        rows = await memories.messages.embed(asked)
        titled = await memories.articles.embed(list(titles.values()))
        readings = [
            Reading(tuple(content_words(text)), rows[place] if rows is not None else None)
            for place, text in enumerate(asked)
        ]
        return Understood(
            lookup=lookup,
            courtesy=self._hearing.ears.hear("courtesy", row).label,
            wanted=Wanted(
                readings=tuple(readings[:2]),
                memory=memories.articles,
                parts=tuple(readings[2 : 2 + len(parts)]),
                titles=dict(zip(titles, titled, strict=True)) if titled is not None else {},
                steps=asks_for_steps(question),
                behind=readings[-1] if behind else None,
            ),
        )


def _behind(brief: AnswerBrief) -> str:
    """A follow-up's own words; "" when the message says by itself what it asks, or asks how something is done."""
    newest = " ".join(text.render_plain() for text in brief.texts)
    # A word that was mended is still one word.
    hangs_on_more = len(brief.question.render_plain().split()) > len(newest.split()) + 1
    return newest if newest and hangs_on_more and not asks_for_steps(newest) else ""


async def _meaning(
    embedder: Embedder, groups: Sequence[Sequence[str]], said: Mapping[str, str], cache_dir: Path
) -> Meaning:
    """The examples' vectors; `said` are the texts as they were written, by their gist in English.

    Raises:
        ConnectorError: a model failed.
    """
    vectors: dict[str, Vectors] = {}
    beside: dict[str, Vectors] | None = {} if reads_english(embedder) else None
    await ask_for_size(embedder)
    for gists in groups:
        vectors |= await embed_examples(embedder, gists, cache_dir)
        if beside is not None:
            written = [said[gist] for gist in gists]
            rows = await embed_examples(sentence_encoder(), list(dict.fromkeys(written)), cache_dir)
            beside |= {gist: rows[text] for gist, text in zip(gists, written, strict=True)}
    return Meaning(embedder.name, vectors, beside)


def _support(sentence: Sentence, passages: tuple[Passage, ...], results: tuple[ToolResult, ...], says: Says) -> float:
    values = [judge(sentence.text, p.text.render_plain(), (p.title, p.section), says) for p in passages]
    values += [_stated(sentence.text, result, says) for result in results]
    return max(values, default=0.0)


def _stated(said: str, result: ToolResult, says: Says) -> float:
    if any(quotation(said, text) == QUOTED for text in as_sources(result)):
        # Half a sentence isn't enough: "10 seats are in use" stands in "7 of 10 seats are in use".
        return QUOTED
    if knows(result):
        parts = statements(said)
        return STATED if parts and all(stated(part, result) for part in parts) else NOT_STATED
    return max((judge(said, text, (), says) for text in as_sources(result)), default=0.0)
