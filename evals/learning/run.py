"""The whole lesson: read, split by time, train on the older tickets, measure on the newer, keep what is better."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import BadTurn
from evals.learning.lessons import (
    MAX_TICKETS,
    Lessons,
    Progress,
    TimeSplit,
    embed_questions,
    prepare,
    split_by_time,
    without_repeats,
)
from evals.learning.measure import Ability, Seen, answered_right, calibration, compare, look
from evals.learning.teach import known_questions, learn_category, learn_kind, learn_trust
from evals.stats import Measured
from evals.tickets.articles import article_names, with_article
from evals.tickets.jsonl import read_tickets
from evals.tickets.ticket import Ticket
from graphs.assembly import Runtime, open_learned
from tools.knowledge.matching import Questions
from tools.learned.model import LearnedModel, Trust
from tools.learned.shelf import ModelShelf

NEWER_SHARE = 0.3
MAX_MEASURED = 2000
# Of the older tickets, the share that only later rounds are trained on: how far to trust is learnt from all of it.
_CALIBRATED_ON = 0.6
_ROUNDS = 3
# With so many tickets one round says enough, and rounds take minutes.
_MANY, _CALIBRATED_ON_WHEN_MANY = 3000, 0.3
_MIN_TICKETS = 20


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What came of it. `installed` is false when the model in use was better, and is None for a dry run.

    Of `tickets` in the file, the oldest `left_out` were too many; `resumed` texts had been embedded by a run that was
    interrupted.
    """

    model_id: str
    installed: bool | None
    before_id: str
    tickets: int
    refused: tuple[tuple[int, str], ...]
    left_out: int
    resumed: int
    learnt_from: int
    measured_on: int
    repeated: int
    learnt: Mapping[str, int]
    abilities: tuple[Ability, ...]
    ece_before: Measured | None
    ece_after: Measured | None

    def to_json(self) -> dict[str, Any]:
        """As JSON, as it is kept in the model's manifest."""
        return {
            "tickets": self.tickets,
            "refused_lines": len(self.refused),
            "oldest_left_out": self.left_out,
            "resumed_texts": self.resumed,
            "learnt_from": self.learnt_from,
            "measured_on": self.measured_on,
            "repetitions_left_out": self.repeated,
            "learnt": dict(self.learnt),
            "compared_with": self.before_id,
            "abilities": {
                a.name: {"before": a.before.to_json(), "after": a.after.to_json(), "gain": a.gain.to_json()}
                for a in self.abilities
            },
            "ece": {
                "before": self.ece_before.to_json() if self.ece_before else None,
                "after": self.ece_after.to_json() if self.ece_after else None,
            },
        }


async def learn(
    runtime: Runtime,
    path: Path,
    *,
    on_progress: Progress,
    newer_share: float = NEWER_SHARE,
    force: bool = False,
    dry_run: bool = False,
) -> LearnReport:
    """Learn from the tickets in `path`, and use what was learnt when it is better than what is used now.

    What is measured is what gets installed: the newer tickets are never trained on. When it is cancelled or fails,
    nothing on disk was replaced, but the runtime goes by what was being measured: close it.

    Raises:
        BadTurn: there are too few tickets, or none has a label to learn from.
        Misconfigured: a file or folder can't be used.
        ConnectorError: the embedder or the index failed.
    """
    on_progress("reading tickets", 0, 1)
    file = await asyncio.to_thread(read_tickets, path)
    articles = article_names(runtime.knowledge.catalogue())
    tickets = await asyncio.to_thread(_with_articles, file.tickets, articles)
    on_progress("reading tickets", 1, 1)
    if len(tickets) < _MIN_TICKETS:
        raise BadTurn(f"{path} holds {len(tickets)} tickets; at least {_MIN_TICKETS} are needed to learn and measure")
    shelf = ModelShelf(runtime.settings.data_dir, runtime.workspace.workspace_id)
    in_use = open_learned(runtime.settings, runtime.workspace.workspace_id, runtime.embedder)
    scratch = runtime.settings.data_dir / "learning"
    lessons = await prepare(tickets, runtime.embedder, scratch, on_progress)
    split = await asyncio.to_thread(split_by_time, lessons, newer_share=newer_share)
    newer = _sample(split.newer, MAX_MEASURED)
    # An installation that has just been opened may still be preparing its known questions in the background.
    await _put_in(runtime, in_use.model, on_progress)
    before = await look(runtime, newer.tickets, "measuring what is used now", on_progress)
    candidate = await _train(runtime, split.older, articles, scratch, on_progress)
    await _put_in(runtime, candidate, on_progress)
    after = await look(runtime, newer.tickets, "measuring what was learnt", on_progress)
    report = replace(
        _report(split, newer, candidate, before, after, articles),
        before_id=in_use.model_id,
        tickets=len(tickets),
        refused=file.refused,
        left_out=max(0, len(tickets) - MAX_TICKETS),
        resumed=lessons.resumed,
    )
    # The last moment to be interrupted: from here to the end of an installation nothing waits.
    await asyncio.sleep(0)
    model_id = shelf.add(replace(candidate, report=report.to_json()))
    installed = None if dry_run else force or is_better(report.abilities)
    if installed:
        shelf.use(model_id)
    else:
        await _put_in(runtime, in_use.model, on_progress)
    shutil.rmtree(scratch, ignore_errors=True)
    return replace(report, model_id=model_id, installed=installed)


def is_better(abilities: Sequence[Ability]) -> bool:
    """Whether to replace what is used: better taken together, and no single ability surely worse."""
    gains = [ability.gain for ability in abilities]
    return bool(gains) and sum(gain.value for gain in gains) > 0 and not any(gain.high < 0 for gain in gains)


def _with_articles(tickets: Sequence[Ticket], names: Mapping[str, str]) -> list[Ticket]:
    return [with_article(ticket, names) for ticket in tickets]


async def _train(
    runtime: Runtime, older: Lessons, articles: Mapping[str, str], scratch: Path, on_progress: Progress
) -> LearnedModel:
    on_progress("learning kinds and categories", 0, 2)
    kind = await asyncio.to_thread(learn_kind, older)
    on_progress("learning kinds and categories", 1, 2)
    category_ids = [category.category_id for category in runtime.workspace.policy.categories]
    category = await asyncio.to_thread(learn_category, older, category_ids)
    on_progress("learning kinds and categories", 2, 2)
    languages = {article.article_id: article.language for article in runtime.knowledge.catalogue()}
    vectors: dict[str, NDArray[np.float32]] = {}
    if runtime.embedder is not None:
        vectors = await embed_questions(older, articles, runtime.embedder, scratch, on_progress)

    async def questions_of(lessons: Lessons) -> Questions | None:
        return await asyncio.to_thread(known_questions, lessons, articles, languages, vectors)

    questions = await questions_of(older)
    if kind is None and category is None and questions is None:
        raise BadTurn(
            "there is nothing to learn: no two kinds or categories have five tickets each, and no ticket names an "
            "article of the knowledge base (in gold.article_slug, or by its address in a reply)"
        )
    trust = await _learn_trust(runtime, older, articles, questions_of, on_progress)
    return LearnedModel(_embedder_name(runtime), kind, category, questions, trust)


async def _learn_trust(
    runtime: Runtime,
    older: Lessons,
    articles: Mapping[str, str],
    questions_of: Callable[[Lessons], Awaitable[Questions | None]],
    on_progress: Progress,
) -> Trust:
    """Learn how far to trust the probability of an answer, each time from tickets that come after those known.

    Source of the rounds with a moving border: Tashman, "Out-of-sample tests of forecasting accuracy", Int. J.
    Forecasting 16 (2000), 437-450.
    """
    share, rounds = (_CALIBRATED_ON, _ROUNDS) if len(older) < _MANY else (_CALIBRATED_ON_WHEN_MANY, 1)
    borders = [round(place) for place in np.linspace(len(older) * (1 - share), len(older), rounds + 1)]
    promised: list[float] = []
    kept: list[bool] = []
    for number, (start, end) in enumerate(pairwise(borders), 1):
        known = older.take(range(start))
        asked = await asyncio.to_thread(without_repeats, older.take(range(end)), start)
        asked = _sample(asked, MAX_MEASURED // rounds)
        questions = await questions_of(known)
        await _put_in(runtime, LearnedModel(_embedder_name(runtime), questions=questions), on_progress)
        stage = "learning how far to trust" + (f", {number} of {rounds}" if rounds > 1 else "")
        seen = await look(runtime, asked.tickets, stage, on_progress)
        for found, right in zip(seen, answered_right(asked.tickets, seen, articles), strict=True):
            if right is not None:
                promised.append(found.probability)
                kept.append(right)
    return learn_trust(promised, kept)


def _embedder_name(runtime: Runtime) -> str:
    return runtime.embedder.name if runtime.embedder else ""


async def _put_in(runtime: Runtime, model: LearnedModel | None, on_progress: Progress) -> None:
    runtime.learn(model)
    await runtime.knowledge.teach(model.questions if model is not None else None, on_progress)


def _report(
    split: TimeSplit,
    newer: Lessons,
    candidate: LearnedModel,
    before: Sequence[Seen],
    after: Sequence[Seen],
    articles: Mapping[str, str],
) -> LearnReport:
    return LearnReport(
        model_id="",
        installed=None,
        before_id="",
        tickets=0,
        refused=(),
        left_out=0,
        resumed=0,
        learnt_from=len(split.older),
        measured_on=len(newer),
        repeated=split.repeated,
        learnt={
            "kinds_from": candidate.kind.examples if candidate.kind else 0,
            "categories_from": candidate.category.examples if candidate.category else 0,
            "known_questions": len(candidate.questions) if candidate.questions else 0,
        },
        abilities=tuple(compare(newer.tickets, before, after, articles)),
        ece_before=calibration(answered_right(newer.tickets, before, articles), before),
        ece_after=calibration(answered_right(newer.tickets, after, articles), after),
    )


def _sample(lessons: Lessons, most: int) -> Lessons:
    if len(lessons) <= most:
        return lessons
    return lessons.take(np.sort(np.random.default_rng(0).permutation(len(lessons))[:most]))
