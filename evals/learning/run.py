"""The whole lesson: read, split by time, train on the older tickets, measure on the newer, keep what is better."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import BadTurn
from evals.learning.lessons import Lessons, Progress, TimeSplit, prepare, split_by_time
from evals.learning.measure import Ability, Seen, answered_right, calibration, compare, look
from evals.learning.teach import known_questions, learn_category, learn_kind, learn_trust
from evals.stats import Measured
from evals.tickets import Ticket, read_tickets
from graphs.assembly import Runtime
from tools.learned.model import LearnedModel
from tools.learned.shelf import ModelShelf

NEWER_SHARE = 0.3
MAX_MEASURED = 2000
_CALIBRATED_ON = 0.3
_MIN_TICKETS = 20


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What came of it. `installed` is false when the model in use was better, and is None for a dry run."""

    model_id: str
    installed: bool | None
    before_id: str
    tickets: int
    refused: tuple[tuple[int, str], ...]
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

    What is measured is what gets installed: the newer tickets are never trained on.

    Raises:
        BadTurn: there are too few tickets, or none has a label to learn from.
        Misconfigured: a file or folder can't be used.
    """
    file = read_tickets(path)
    articles = article_names(runtime)
    tickets = [with_article(ticket, articles) for ticket in file.tickets]
    if len(tickets) < _MIN_TICKETS:
        raise BadTurn(f"{path} holds {len(tickets)} tickets; at least {_MIN_TICKETS} are needed to learn and measure")
    shelf = ModelShelf(runtime.settings.data_dir, runtime.workspace.workspace_id)
    in_use = shelf.in_use()
    scratch = runtime.settings.data_dir / "learning"
    split = split_by_time(await prepare(tickets, runtime.embedder, scratch, on_progress), newer_share=newer_share)
    newer = _sample(split.newer, MAX_MEASURED)
    before = await look(runtime, newer.tickets, "measuring what is used now", on_progress)
    candidate = await _train(runtime, split.older, articles, on_progress)
    installed: bool | None = None
    try:
        await _put_in(runtime, candidate, on_progress)
        after = await look(runtime, newer.tickets, "measuring what was learnt", on_progress)
        report = _report(split, newer, candidate, before, after, articles, in_use.model_id, len(tickets), file.refused)
        candidate = replace(candidate, report=report.to_json())
        model_id = shelf.add(candidate)
        if not dry_run:
            installed = force or is_better(report.abilities)
        if installed:
            shelf.use(model_id)
    finally:
        if not installed:
            await _put_in(runtime, in_use.model, on_progress)
    shutil.rmtree(scratch, ignore_errors=True)
    return replace(report, model_id=model_id, installed=installed)


def is_better(abilities: Sequence[Ability]) -> bool:
    """Whether to replace what is used: better taken together, and no single ability surely worse."""
    gains = [ability.gain for ability in abilities]
    return bool(gains) and sum(gain.value for gain in gains) > 0 and not any(gain.high < 0 for gain in gains)


def article_names(runtime: Runtime) -> dict[str, str]:
    """Article ids by everything that a ticket may call them: the id, its last part, the address."""
    names: dict[str, str] = {}
    for article in runtime.knowledge.catalogue():
        names[article.article_id.rsplit("/", 1)[-1]] = article.article_id
        if article.url:
            names[article.url] = article.article_id
    for article in runtime.knowledge.catalogue():
        names[article.article_id] = article.article_id
    return names


def with_article(ticket: Ticket, names: Mapping[str, str]) -> Ticket:
    """Return the ticket with the article that a person sent, when nobody labelled one: the first address in a reply."""
    if ticket.labelled_article or ticket.article:
        return ticket
    for reply in ticket.replies:
        for word in reply.split():
            found = names.get(word.strip("()<>[].,;:!?\"'")) if "://" in word else None
            if found is not None:
                return replace(ticket, article=found)
    return ticket


async def _train(runtime: Runtime, older: Lessons, articles: Mapping[str, str], on_progress: Progress) -> LearnedModel:
    on_progress("learning kinds and categories", 0, 2)
    kind = learn_kind(older)
    on_progress("learning kinds and categories", 1, 2)
    category = learn_category(older, [c.category_id for c in runtime.workspace.policy.categories])
    on_progress("learning kinds and categories", 2, 2)
    languages = {article.article_id: article.language for article in runtime.knowledge.catalogue()}
    questions = known_questions(older, articles, languages)
    if kind is None and category is None and questions is None:
        raise BadTurn(
            "there is nothing to learn: no two kinds or categories have five tickets each, and no ticket names an "
            "article of the knowledge base (in gold.article_slug, or by its address in a reply)"
        )
    # How far to trust the probability of an answer is learnt from tickets that the known questions don't hold yet.
    border = round(len(older) * (1 - _CALIBRATED_ON))
    first, rest = older.take(range(border)), _sample(older.take(range(border, len(older))), MAX_MEASURED)
    name = runtime.embedder.name if runtime.embedder else ""
    draft = LearnedModel(name, kind, category, known_questions(first, articles, languages))
    await _put_in(runtime, draft, on_progress)
    seen = await look(runtime, rest.tickets, "learning how far to trust", on_progress)
    right = answered_right(rest.tickets, seen, articles)
    pairs = [(s.probability, r) for s, r in zip(seen, right, strict=True) if r is not None]
    return LearnedModel(name, kind, category, questions, learn_trust([p for p, _ in pairs], [r for _, r in pairs]))


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
    before_id: str,
    tickets: int,
    refused: tuple[tuple[int, str], ...],
) -> LearnReport:
    return LearnReport(
        model_id="",
        installed=None,
        before_id=before_id,
        tickets=tickets,
        refused=refused,
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
