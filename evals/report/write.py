"""Writes a run's report into its folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from agent.errors import Misconfigured
from agent.policy import Policy
from agent.wire import JsonObject
from evals.report.baseline import Baseline
from evals.report.choosing import Limits, survey
from evals.report.content import Content
from evals.report.details import read_shown
from evals.report.markdown import as_markdown
from evals.report.page import as_html
from evals.report.sections.knowledge import shown_gaps
from evals.scoring.summary import Summary

HTML, JSON, MARKDOWN = "report.html", "report.json", "report.md"


def write_report(
    folder: Path,
    summary: Summary,
    scored: Iterable[JsonObject],
    manifest: JsonObject,
    policy: Policy,
    *,
    baseline: Baseline | None,
    titles: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    seed: int = 0,
) -> tuple[Path, ...]:
    """Write `report.html`, `report.json` and `report.md`: the same inputs give the same bytes.

    Args:
        folder: of the run; its `cases.jsonl` is read twice, a line at a time.
        summary: of its scores.
        scored: for each case, in order, `ticket_id`, `run`, `score` and `label`; it is gone through twice.
        manifest: what the run was made from.
        policy: the one that it went by.
        baseline: what people did with the same tickets.
        titles: of the articles by id, for those who don't know the ids.
        limits: how many cases the page may carry, and how large they may be.
        seed: of the sample that a page too large for all cases shows.

    Returns:
        Their paths.

    Raises:
        BadTurn: `scored` is not of all of the run's cases.
        Misconfigured: the folder can't be read or written.
    """
    limits = limits or Limits()
    gaps = (gap for gaps in shown_gaps(summary.gaps).values() for gap in gaps)
    pinned = {(mistake.ticket_id, mistake.run) for mistake in summary.mistakes}
    pinned |= {(ticket_id, 1) for gap in gaps for ticket_id in gap.examples}
    try:
        chosen = survey(folder, scored, pinned=pinned, limits=limits, seed=seed)
        content = Content(summary, chosen, manifest, policy, baseline, titles or {})
        shown = read_shown(folder, scored, chosen, limits)
        json = orjson.dumps(content.to_json(), option=orjson.OPT_INDENT_2) + b"\n"
        return (
            _write(folder / HTML, as_html(content, shown).encode(errors="replace")),
            _write(folder / JSON, json),
            _write(folder / MARKDOWN, as_markdown(content).encode(errors="replace")),
        )
    except OSError as exc:
        raise Misconfigured(f"the report in {folder} can't be written ({exc.strerror})") from exc


def _write(path: Path, content: bytes) -> Path:
    """Whole or not at all."""
    partial = path.with_name(f"{path.name}.tmp")
    partial.write_bytes(content)
    partial.replace(path)
    return path
