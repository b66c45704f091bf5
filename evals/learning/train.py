"""From lessons to a whole model: which parts are learnt, and what of them is worth using."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import BadTurn
from evals.learning.labelled import how_labelled
from evals.learning.lessons import Lessons, Progress, embed_questions, without_repeats
from evals.learning.measure import Ability, Seen, answered_right, look
from evals.learning.teach import known_questions, learn_category, learn_judging, learn_kind, learn_trust
from graphs.assembly import Runtime
from tools.knowledge.matching import Questions
from tools.learned.model import LearnedModel

MAX_MEASURED = 2000
MANY = 3000
"""With so many tickets one round says enough, and rounds take minutes."""

# Of the older tickets, the share that only later rounds are trained on: what known questions bring is learnt there.
_CALIBRATED_ON, _CALIBRATED_ON_WHEN_MANY = 0.6, 0.3
_ROUNDS = 3
LABELS_NEEDED = (
    "Learning takes labels: gold fields in the tickets (docs/tickets.md), or those that `helpgraph tickets review` "
    "writes beside them (--labels names another file)"
)
PARTS = ("kind", "category", "questions", "judging")


@dataclass(frozen=True, slots=True)
class Base:
    """What training goes by: the installation, and article ids by everything that a ticket may call them."""

    runtime: Runtime
    articles: Mapping[str, str]
    scratch: Path
    on_progress: Progress

    @property
    def embedder(self) -> str:
        """The name of the embedding model, "" for none."""
        return self.runtime.embedder.name if self.runtime.embedder else ""

    async def put_in(self, model: LearnedModel | None) -> None:
        """Have the installation go by this model."""
        self.runtime.learn(model)
        await self.runtime.knowledge.teach(model.questions if model is not None else None, self.on_progress)

    def rights(self, lessons: Lessons, seen: Sequence[Seen]) -> list[bool | None]:
        """For each whether the best article is the right one; None where nobody knows."""
        return answered_right(lessons.tickets, seen, self.articles)


async def train(base: Base, lessons: Lessons, parts: Sequence[str] | None = None) -> LearnedModel:
    """Learn everything, or only these parts.

    Known questions are used when they brought more right articles, in rounds, than searching without them; where
    `parts` are given, that is decided already.

    Raises:
        BadTurn: there is nothing to learn from.
        ConnectorError: the embedder or the index failed.
    """
    wanted = PARTS if parts is None else parts
    base.on_progress("learning kinds and categories", 0, 2)
    kind = await asyncio.to_thread(learn_kind, lessons) if "kind" in wanted else None
    base.on_progress("learning kinds and categories", 1, 2)
    category_ids = [category.category_id for category in base.runtime.workspace.policy.categories]
    category = await asyncio.to_thread(learn_category, lessons, category_ids) if "category" in wanted else None
    base.on_progress("learning kinds and categories", 2, 2)
    shelf = await _Shelf.of(base, lessons)
    questions = await shelf.of_tickets(lessons) if "questions" in wanted else None
    if parts is None and kind is None and category is None and questions is None:
        raise BadTurn(
            "there is nothing to learn: no two kinds or categories have five tickets each, and no known questions come "
            "of articles that tickets name (in gold.article_slug, or by their addresses in a reply): "
            f"{how_labelled(lessons.tickets)}. {LABELS_NEEDED}"
        )
    model = LearnedModel(base.embedder, kind, category, questions)
    return await _with_judgement(base, lessons, shelf, model, parts)


def better_parts(
    candidate: LearnedModel, before: LearnedModel | None, abilities: Sequence[Ability]
) -> tuple[LearnedModel, list[str]]:
    """The candidate with what is used now in place of each part that isn't better; and the parts that are."""
    gains = {ability.name: ability.gain for ability in abilities}
    used = before or LearnedModel(candidate.embedder)
    parts = []
    for part, ability in (("kind", "kind"), ("category", "category")):
        if getattr(candidate, part) is not None and ability in gains and gains[ability].value > 0:
            parts.append(part)
    promises, found = gains.get("answer_probability"), gains.get("right_article")
    decides = gains.get("decisions") or promises
    # Surely worse at what it is made of: the judgement was learnt beside what its questions find.
    spoilt = any(gain is not None and gain.high < 0 for gain in (promises, found))
    if decides is not None and decides.value > 0 and not spoilt:
        parts += ["questions"] if candidate.questions is not None else []
        parts.append("judging")
    return (
        replace(
            candidate,
            kind=candidate.kind if "kind" in parts else used.kind,
            category=candidate.category if "category" in parts else used.category,
            questions=candidate.questions if "judging" in parts else used.questions,
            trust=candidate.trust if "judging" in parts else used.trust,
            outcomes=candidate.outcomes if "judging" in parts else used.outcomes,
            answers=candidate.answers if "judging" in parts else used.answers,
        ),
        parts,
    )


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The vectors of all questions that a ticket may teach."""

    base: Base
    vectors: Mapping[str, NDArray[np.float32]]

    @classmethod
    async def of(cls, base: Base, lessons: Lessons) -> "_Shelf":
        if base.runtime.embedder is None:
            return cls(base, {})
        return cls(
            base,
            await embed_questions(lessons, base.articles, base.runtime.embedder, base.scratch, base.on_progress),
        )

    async def of_tickets(self, lessons: Lessons) -> Questions | None:
        languages = {article.article_id: article.language for article in self.base.runtime.knowledge.catalogue()}
        return await asyncio.to_thread(known_questions, lessons, self.base.articles, languages, self.vectors)


async def _with_judgement(
    base: Base, lessons: Lessons, shelf: _Shelf, model: LearnedModel, parts: Sequence[str] | None
) -> LearnedModel:
    """Learn how tickets end, when the best article answers, and whether known questions help to find it."""
    if parts is not None and "judging" not in parts:
        return model
    newest = newest_of(lessons)
    await base.put_in(None)
    plain = await look(base.runtime, newest.tickets, "reading what tickets came to", base.on_progress, closely=True)
    searched: list[Seen | None] = list(plain)
    if model.questions is not None:
        by_id = {ticket.ticket_id: place for place, ticket in enumerate(newest.tickets)}
        asked = await _rounds(base, lessons, shelf)
        known = {by_id[ticket_id]: seen for ticket_id, seen in asked.items() if ticket_id in by_id}
        places = sorted(known)
        at = newest.take(places)
        with_them = base.rights(at, [known[place] for place in places])
        without = base.rights(at, [plain[place] for place in places])
        if parts is None and with_them.count(True) <= without.count(True):
            model = replace(model, questions=None)
        else:
            searched = [known.get(place) for place in range(len(plain))]
    said = [(place, seen) for place, seen in enumerate(searched) if seen is not None]
    right = base.rights(newest.take([place for place, _ in said]), [seen for _, seen in said])
    told = [(seen.probability, ok) for (_, seen), ok in zip(said, right, strict=True) if ok is not None]
    judging = await asyncio.to_thread(learn_judging, newest.tickets, plain, searched, base.articles)
    return replace(
        model,
        trust=learn_trust([p for p, _ in told], [ok for _, ok in told]),
        outcomes=judging.outcomes if judging else None,
        answers=judging.answers if judging else None,
    )


def newest_of(lessons: Lessons) -> Lessons:
    """The newest, as many as are looked at one by one."""
    return lessons.take(range(max(0, len(lessons) - MAX_MEASURED), len(lessons)))


async def _rounds(base: Base, lessons: Lessons, shelf: _Shelf) -> dict[str, Seen]:
    """What is found of each ticket with the known questions of those before it; by ticket id.

    Source of the rounds with a moving border: Tashman, "Out-of-sample tests of forecasting accuracy", Int. J.
    Forecasting 16 (2000), 437-450.
    """
    share, rounds = (_CALIBRATED_ON, _ROUNDS) if len(lessons) < MANY else (_CALIBRATED_ON_WHEN_MANY, 1)
    borders = [round(place) for place in np.linspace(len(lessons) * (1 - share), len(lessons), rounds + 1)]
    found: dict[str, Seen] = {}
    for number, (start, end) in enumerate(pairwise(borders), 1):
        asked = await asyncio.to_thread(without_repeats, lessons.take(range(end)), start)
        asked = sample(asked, MAX_MEASURED // rounds)
        questions = await shelf.of_tickets(lessons.take(range(start)))
        await base.put_in(LearnedModel(base.embedder, questions=questions))
        stage = "learning what known questions bring" + (f", {number} of {rounds}" if rounds > 1 else "")
        seen = await look(base.runtime, asked.tickets, stage, base.on_progress)
        found |= {ticket.ticket_id: one for ticket, one in zip(asked.tickets, seen, strict=True)}
    return found


def sample(lessons: Lessons, most: int) -> Lessons:
    """At most so many, the same each time, in their order."""
    if len(lessons) <= most:
        return lessons
    return lessons.take(np.sort(np.random.default_rng(0).permutation(len(lessons))[:most]))
