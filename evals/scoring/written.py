"""The scores of a run, beside its log: `scores.jsonl`, a line a case, and `scoring.json`, what they were scored by."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from agent.errors import Misconfigured
from agent.policy import Policy
from agent.wire import JsonObject, to_json
from evals.labels.label import Label
from evals.replay.case import Case, Timing
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore
from evals.scoring.summary import Collector, Summary

SCORES, SCORING = "scores.jsonl", "scoring.json"
SCORES_FORMAT = 1


def write_scores(
    folder: Path,
    cases: Iterable[Case],
    labels: Mapping[str, Label],
    timings: Iterable[Timing],
    policy: Policy,
    rules: Rules | None = None,
) -> Summary:
    """Score a run into its folder, whole or not at all, and summarise it; nothing of the cases is kept in memory."""
    rules = rules or Rules()
    clocks = {(timing.ticket_id, timing.run): timing for timing in timings}
    collector = Collector(policy, rules)
    partial = folder / f"{SCORES}.tmp"
    with partial.open("wb") as file:
        for case in cases:
            score = collector.add(case, labels.get(case.ticket_id), clocks.get((case.ticket_id, case.run)))
            file.write(orjson.dumps(score.to_json()) + b"\n")
    (folder / SCORING).write_bytes(orjson.dumps(scored_by(policy, rules), option=orjson.OPT_INDENT_2) + b"\n")
    partial.replace(folder / SCORES)
    return collector.summary()


def scored_by(policy: Policy, rules: Rules) -> JsonObject:
    """Everything besides log and labels that scores come from: those of two runs compare only where it is the same."""
    own = {known.category_id: to_json(known.costs) for known in policy.categories if known.costs is not None}
    return {
        "format": SCORES_FORMAT,
        "rules": to_json(rules),
        "costs": to_json(policy.costs),
        "costs_of_categories": own,
        "reserved_for_people": sorted(known.category_id for known in policy.categories if known.needs_person),
        "sentence_support": policy.sentence_support,
        "passages_per_turn": policy.passages_per_turn,
    }


def read_scores(folder: Path) -> Iterator[CaseScore]:
    """The scores of a run, one at a time.

    Raises:
        Misconfigured: they aren't there, or are damaged.
    """
    adapter = TypeAdapter(CaseScore)
    path = folder / SCORES
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield adapter.validate_json(line)
                except ValidationError as exc:
                    raise Misconfigured(f"{path}, line {number}, is no score: score the run again") from exc
    except OSError as exc:
        raise Misconfigured(f"{path} can't be read ({exc.strerror}): score the run first") from exc


def read_scored_by(folder: Path) -> JsonObject:
    """What a run was scored by.

    Raises:
        Misconfigured: it isn't there, or is damaged.
    """
    try:
        found = orjson.loads((folder / SCORING).read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        raise Misconfigured(f"{folder / SCORING} can't be read: score the run first") from exc
    if not isinstance(found, dict):
        raise Misconfigured(f"{folder / SCORING} is damaged: score the run again")
    return found
