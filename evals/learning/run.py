"""The whole lesson: read, split by time, train on the older tickets, measure on the newer, keep what is better."""

import asyncio
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import BadTurn
from evals.labels.file import HandLabels
from evals.learning.labelled import how_labelled, with_hand
from evals.learning.lessons import MAX_TICKETS, Lessons, Progress, TimeSplit, prepare, split_by_time
from evals.learning.measure import Ability, Seen, answered_right, calibration, compare, look
from evals.learning.train import LABELS_NEEDED, MANY, MAX_MEASURED, PARTS, Base, better_parts, sample, train
from evals.statistics.measured import Measured
from evals.tickets.articles import article_names, with_article
from evals.tickets.formats import Format
from evals.tickets.jsonl import read_tickets
from evals.tickets.ticket import Ticket
from graphs.assembly import Runtime, open_learned
from tools.learned.model import DamagedModel, LearnedModel, Trust, read
from tools.learned.shelf import InUse, ModelShelf

logger = logging.getLogger(__name__)

NEWER_SHARE = 0.3
_MIN_TICKETS = 20
# What the report of a refitted model calls the one that was measured.
_MEASURED_AS = "measured_as"


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What came of it. `installed` is false when no part of it is better than what is in use, and None for a dry run.

    `parts` are those that are better, and so are used. What is measured learnt from `learnt_from` tickets; what is
    used learnt the same from `refitted_on`, which are all of them unless that would take too long.

    `forced` parts are used whether they are better or not.

    `learnt_until` is when the newest ticket that the model learnt from came in.

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
    parts: tuple[str, ...]
    refitted_on: int
    abilities: tuple[Ability, ...]
    ece_before: Measured | None
    ece_after: Measured | None
    learnt_until: datetime | None = None
    forced: bool = False

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
            "parts_used": list(self.parts),
            "refitted_on": self.refitted_on,
            "learnt_until": self.learnt_until.isoformat() if self.learnt_until else None,
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
    labels: HandLabels | None = None,
    format_: Format | None = None,
    newer_share: float = NEWER_SHARE,
    force: bool = False,
    dry_run: bool = False,
) -> LearnReport:
    """Learn from the tickets in `path`, and use each part of what was learnt that is better than what is used now.

    The newer tickets are never trained on before everything was measured on them. Then the same is learnt once more
    from all tickets, and that is what is used. When it is cancelled or fails, nothing on disk was replaced, but the
    runtime goes by what was being measured: close it.

    Raises:
        BadTurn: there are too few tickets, or none has a label to learn from.
        Misconfigured: a file or folder can't be used.
        ConnectorError: the embedder or the index failed.
    """
    on_progress("reading tickets", 0, 1)
    file = await asyncio.to_thread(read_tickets, path, format_=format_)
    articles = article_names(runtime.knowledge.catalogue())
    tickets = await asyncio.to_thread(_labelled, file.tickets, articles, labels)
    on_progress("reading tickets", 1, 1)
    if len(tickets) < _MIN_TICKETS:
        raise BadTurn(f"{path} holds {len(tickets)} tickets; at least {_MIN_TICKETS} are needed to learn and measure")
    shelf = ModelShelf(runtime.settings.data_dir, runtime.workspace.workspace_id)
    in_use = open_learned(runtime.settings, runtime.workspace.workspace_id, runtime.embedder)
    scratch = runtime.settings.data_dir / "learning"
    base = Base(runtime, articles, scratch, on_progress)
    lessons = await prepare(tickets, runtime.embedder, scratch, on_progress)
    split = await asyncio.to_thread(split_by_time, lessons, newer_share=newer_share)
    newer = sample(split.newer, MAX_MEASURED)
    used = _as_measured(shelf, in_use)
    # An installation that has just been opened may still be preparing its known questions in the background.
    await base.put_in(used)
    before = await look(runtime, newer.tickets, "measuring what is used now", on_progress)
    costs = runtime.deps.policy.costs
    candidate = await train(base, split.older)
    if not _learnt_parts(candidate):
        raise BadTurn(
            f"nothing was learnt: {how_labelled(split.older.tickets)}, of those to learn from. {LABELS_NEEDED}"
        )
    await base.put_in(candidate)
    after = await look(runtime, newer.tickets, "measuring what was learnt", on_progress)
    abilities = compare(newer.tickets, before, after, articles, costs)
    if not abilities:
        raise BadTurn(
            f"nothing can be measured on the newer tickets that repeat no older one: {how_labelled(newer.tickets)}. "
            f"{LABELS_NEEDED}"
        )
    measured, parts = better_parts(candidate, used, abilities)
    if force:
        measured, parts = candidate, list(PARTS)
    elif parts and set(parts) != set(_learnt_parts(candidate)):
        await base.put_in(measured)
        after = await look(runtime, newer.tickets, "measuring what of it is used", on_progress)
        abilities = compare(newer.tickets, before, after, articles, costs)
    elif not parts:
        measured = candidate
    report = replace(
        _report(split, newer, measured, before, after, articles),
        before_id=in_use.model_id,
        tickets=len(tickets),
        refused=file.refused,
        left_out=max(0, len(tickets) - MAX_TICKETS),
        resumed=lessons.resumed,
        parts=tuple(part for part in _learnt_parts(measured) if part in parts),
        abilities=tuple(abilities),
    )
    final = measured
    if parts and len(lessons) <= MANY:
        final = await _refitted(base, lessons, measured, report.parts)
        report = replace(report, refitted_on=len(lessons))
    seen_until = _newest(split.older, used if set(parts) != set(_learnt_parts(candidate)) else None)
    known_until = seen_until if final is measured else max(seen_until, _newest(lessons))
    # The last moment to be interrupted: from here to the end of an installation nothing waits.
    await asyncio.sleep(0)
    report = replace(report, learnt_until=seen_until)
    measured_id = shelf.add(replace(measured, report=report.to_json()))
    model_id = measured_id
    if final is not measured:
        report = replace(report, learnt_until=known_until)
        model_id = shelf.add(replace(final, report={**report.to_json(), _MEASURED_AS: measured_id}))
    installed = None if dry_run else bool(parts)
    if installed:
        shelf.use(model_id)
    else:
        await base.put_in(in_use.model)
    shutil.rmtree(scratch, ignore_errors=True)
    return replace(report, model_id=model_id, installed=installed, forced=force)


def _newest(lessons: Lessons, beside: LearnedModel | None = None) -> datetime:
    """When the newest ticket came in that these are, or that a model whose parts are kept beside them learnt from."""
    stated = beside.report.get("learnt_until") if beside is not None else None
    newest = max(ticket.created_at for ticket in lessons.tickets)
    return max(newest, datetime.fromisoformat(stated)) if isinstance(stated, str) else newest


def _learnt_parts(model: LearnedModel) -> list[str]:
    has = {
        "kind": model.kind is not None,
        "category": model.category is not None,
        "questions": model.questions is not None,
        "judging": model.outcomes is not None or model.trust != Trust(),
    }
    return [part for part in PARTS if has[part]]


def _as_measured(shelf: ModelShelf, in_use: InUse) -> LearnedModel | None:
    """What is in use as it was when it was measured: what learnt from all tickets has seen the newer ones too."""
    if in_use.model is None or _MEASURED_AS not in in_use.model.report:
        return in_use.model
    try:
        return read(shelf.folder / str(in_use.model.report[_MEASURED_AS]))
    except DamagedModel:
        logger.warning("the measured form of the model in use is gone, comparing with the model itself")
        return in_use.model


async def _refitted(base: Base, lessons: Lessons, measured: LearnedModel, parts: Sequence[str]) -> LearnedModel:
    """The measured model with its newly learnt parts learnt once more, from all tickets."""
    again = await train(base, lessons, parts)
    judging = "judging" in parts
    return replace(
        measured,
        kind=again.kind or measured.kind if "kind" in parts else measured.kind,
        category=again.category or measured.category if "category" in parts else measured.category,
        questions=again.questions or measured.questions if "questions" in parts else measured.questions,
        trust=again.trust if judging else measured.trust,
        outcomes=again.outcomes or measured.outcomes if judging else measured.outcomes,
        answers=again.answers or measured.answers if judging else measured.answers,
    )


def _labelled(tickets: Sequence[Ticket], names: Mapping[str, str], hand: HandLabels | None) -> list[Ticket]:
    said = (with_hand(ticket, hand) for ticket in tickets) if hand is not None else tickets
    return [with_article(ticket, names) for ticket in said]


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
            "outcomes_from": len(candidate.outcomes.targets) if candidate.outcomes else 0,
        },
        parts=(),
        refitted_on=0,
        abilities=(),
        ece_before=calibration(answered_right(newer.tickets, before, articles), before),
        ece_after=calibration(answered_right(newer.tickets, after, articles), after),
    )
