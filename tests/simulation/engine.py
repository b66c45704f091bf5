"""The five abilities that need language, by rote: it knows what is said in a round, and takes as long as it likes."""

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from agent.ports import AnswerBrief
from agent.types import (
    BugDraft,
    Evidence,
    Kind,
    Message,
    PageContext,
    Passage,
    Sentence,
    ToolCall,
    Understanding,
    Untrusted,
)
from tests.chaos.plan import BUGS, WISHES
from tests.fakes import CALM, EMPTY_EXPORT, ScriptedEngine

_SENTENCES = (
    Sentence("Invoices are under **Billing > History**.", cites=("p1",)),
    Sentence(" **Billing > History**.", cites=("p1",)),
    Sentence(" Invoices are under", cites=("p1",)),
)


@dataclass
class RoteEngine(ScriptedEngine):
    """Answers questions, reports bugs and fetches people. Each ability takes up to `slowness_s`.

    In `moods` of the cases a bug is taken for a question: as a model may, the next time that it is asked.
    """

    slowness_s: float = 0.1
    moods: float = 0.0

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        await self._think()
        said = " ".join(text.render_plain() for text in texts)
        heard = await super().understand(texts, history, page)
        if any(wish in said for wish in WISHES):
            return replace(heard, kind=Kind.WANTS_PERSON, wish_for_person=1.0)
        if any(bug in said for bug in BUGS) and random.random() >= self.moods:  # noqa: S311  # Seeded by the round.
            return replace(heard, kind=Kind.BUG, kind_confidence=0.97)
        return heard

    async def assess(
        self, understanding: Understanding, passages: tuple[Passage, ...], tools: tuple[str, ...]
    ) -> Evidence:
        await self._think()
        return Evidence(0.1 if understanding.kind is Kind.BUG else 0.95, {}, ("p1",))

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        for sentence in _SENTENCES:
            await self._think()
            yield sentence

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        await self._think()
        said = " ".join(text.render_plain() for text in texts)
        return replace(EMPTY_EXPORT, title=said[:80], actual=said, doing="")

    async def _think(self) -> None:
        await asyncio.sleep(self.slowness_s * random.random() ** 3)  # noqa: S311  # Seeded by the round.


assert CALM
