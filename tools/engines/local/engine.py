"""The local engine behind the `Engine` port."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from agent.policy import CategoryPolicy
from agent.ports import AnswerBrief, Embedder
from agent.types import (
    BugDraft,
    Evidence,
    Message,
    PageContext,
    Passage,
    Sentence,
    ToolCall,
    Understanding,
    Untrusted,
)
from tools.engines.local import bugs, evidence, hearing
from tools.engines.local.answering import compose
from tools.engines.local.classify import Classifier, Featurizer
from tools.engines.local.examples import Examples, embed_examples, load_examples
from tools.engines.local.support import support

_LOOKUP_SURE = 0.6


class LocalEngine:
    """Implements `Engine` without a language model: trained classifiers, retrieval scores and quotation."""

    name = "local"

    def __init__(self, heard: hearing.Hearing, lookup: Classifier, embedder: Embedder | None) -> None:
        self._hearing = heard
        self._lookup = lookup
        self._embedder = embedder

    @classmethod
    async def open(
        cls, embedder: Embedder | None, categories: Sequence[CategoryPolicy], *, cache_dir: Path
    ) -> "LocalEngine":
        """Train from the shipped examples and the workspace's own category examples; about a second.

        Raises:
            Misconfigured: the shipped examples are missing.
        """
        shipped = {name: load_examples(name) for name in ("kind", "wish", "risk", "sentiment", "feedback", "lookup")}
        own: dict[str, list[str]] = {
            category.category_id: [*category.examples, category.description or category.name]
            for category in categories
            if category.examples
        }
        sets: dict[str, Examples] = {**_with_shared(shipped), "category": own}
        vectors = None
        if embedder is not None:
            texts = [text for examples in sets.values() for group in examples.values() for text in group]
            vectors = await embed_examples(embedder, texts, cache_dir)
        featurize = Featurizer()
        trained = {
            name: await asyncio.to_thread(Classifier(featurize).fit, examples, vectors)
            for name, examples in sets.items()
        }
        lookup = trained.pop("lookup")
        return cls(hearing.Hearing(**trained), lookup, embedder)

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        """Classify the newest messages in the light of the conversation."""
        return await hearing.understand(self._hearing, self._embedder, texts, history, page)

    async def assess(self, understanding: Understanding, passages: tuple[Passage, ...]) -> Evidence:
        """Estimate whether the passages, or a lookup of the account, answer the question."""
        found = evidence.assess(understanding, passages)
        lookup, sure = await self._wanted_lookup(understanding.question.render_plain())
        if lookup is None:
            return found
        features = {**found.features, "lookup": sure}
        return replace(found, probability=max(found.probability, round(sure, 4)), features=features)

    async def answer(self, brief: AnswerBrief) -> AsyncIterator[Sentence | ToolCall]:
        """Quote the best article; look the account up when that is what was asked."""
        lookup, _ = await self._wanted_lookup(brief.question.render_plain())
        async for part in compose(brief, self._embedder, lookup):
            yield part

    async def support(self, sentence: Sentence, passages: tuple[Passage, ...]) -> float:
        """The best support among the cited passages, in [0, 1]."""
        return max((support(sentence.text, passage.text.render_plain()) for passage in passages), default=0.0)

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
        return bugs.summarise(texts, history, understanding)

    async def _wanted_lookup(self, question: str) -> tuple[str | None, float]:
        vector = (await self._embedder.embed([question]))[0] if self._embedder is not None else None
        scored = self._lookup(question, vector)
        if scored.label in ("none", "other") or scored.confidence < _LOOKUP_SURE:
            return None, 0.0
        return scored.label, scored.confidence


# Examples of a kind say something about the other questions as well: somebody who asks how to do a thing doesn't ask
# for a person, is in no danger, is calm, and says nothing of an answer before.
_SHARED = {
    "wish": ("no", ("how_to", "bug", "feature_request", "account_billing", "complaint", "small_talk", "abuse")),
    "risk": ("no", ("how_to", "bug", "feature_request", "small_talk", "wants_person")),
    "sentiment": ("neutral", ("how_to", "feature_request", "account_billing")),
    "feedback": ("other", ("how_to", "feature_request", "account_billing", "bug")),
    "lookup": ("none", ("how_to", "bug", "feature_request", "complaint", "wants_person", "small_talk", "abuse")),
}


def _with_shared(shipped: dict[str, dict[str, list[str]]]) -> dict[str, Examples]:
    """The shipped sets, each with the kinds' examples under the label that they imply; a text is counted once."""
    sets: dict[str, Examples] = {"kind": shipped["kind"]}
    for name, (label, kinds) in _SHARED.items():
        taken = {text for group in shipped[name].values() for text in group}
        more = [text for kind in kinds for text in shipped["kind"][kind] if text not in taken]
        sets[name] = {**shipped[name], label: [*shipped[name][label], *more]}
    return sets
