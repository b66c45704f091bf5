"""A played run to the end: its tickets labelled, its cases scored, its report written."""

import asyncio
from pathlib import Path

from agent.wire import JsonObject
from evals.labels.file import HandLabels
from evals.labels.labelling import Labelling, label_all
from evals.labels.source import articles_of
from evals.progress import OnProgress
from evals.report.baseline import measure_baseline
from evals.report.lines import scored_lines
from evals.report.write import write_report
from evals.scoring.run import score_run
from evals.scoring.summary import Summary
from evals.tickets.index import TicketIndex
from graphs.assembly import open_workspace
from graphs.settings import Settings


async def score_and_report(
    settings: Settings,
    folder: Path,
    manifest: JsonObject,
    index: TicketIndex,
    labels: Path,
    *,
    cases: int,
    on_progress: OnProgress,
) -> tuple[Summary, tuple[Path, ...]]:
    """Score a run by the labels, rules and costs of now, write its report, and return the paths of it.

    Raises:
        BadTurn: a case's ticket is not in the file of tickets.
        Misconfigured: the folder can't be written, or the labels can't be read.
    """
    policy = open_workspace(settings).policy
    articles = await articles_of(settings)
    labelling = Labelling(policy, articles, HandLabels.open(labels))

    def scored() -> tuple[Summary, tuple[Path, ...]]:
        labelled = label_all(labelling, index.tickets)
        summary = score_run(folder, labelled, policy, cases=cases, on_progress=on_progress)
        written = scored_lines(folder)
        baseline = measure_baseline(label_all(labelling, index.tickets), (line["ticket_id"] for line in written))
        on_progress("writing the report", 0, 1)
        titles = {article.article_id: article.title for article in articles}
        paths = write_report(folder, summary, written, manifest, policy, baseline=baseline, titles=titles)
        on_progress("writing the report", 1, 1)
        return summary, paths

    return await asyncio.to_thread(scored)
