"""The scores of a run, beside its log: `scores.jsonl`, a line a case, and `scoring.json`, what they were scored by."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from agent.errors import Misconfigured
from agent.policy import Policy
from agent.wire import JsonObject, to_json
from evals.labels.label import Label
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore

SCORES, SCORING = "scores.jsonl", "scoring.json"
# Goes up when the same log and label come to another score.
SCORES_FORMAT = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """What is read of a line."""

    score: CaseScore


@contextmanager
def writing_scores(
    folder: Path, policy: Policy, rules: Rules | None = None
) -> Iterator[Callable[[CaseScore, Label | None], None]]:
    """Yield what writes a case's score with the label it was scored by; the files are there at the end, or as before.

    Raises:
        Misconfigured: the folder can't be written.
    """
    partial = folder / f"{SCORES}.tmp"
    try:
        with partial.open("wb") as file:

            def write(score: CaseScore, label: Label | None) -> None:
                line = {
                    "ticket_id": score.ticket_id,
                    "run": score.run,
                    "score": score.to_json(),
                    "label": to_json(label),
                }
                file.write(orjson.dumps(line) + b"\n")

            yield write
        content = orjson.dumps(scored_by(policy, rules or Rules()), option=orjson.OPT_INDENT_2)
        (folder / SCORING).write_bytes(content + b"\n")
        partial.replace(folder / SCORES)
    except OSError as exc:
        raise Misconfigured(f"{folder / SCORES} can't be written ({exc.strerror})") from exc


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
    adapter = TypeAdapter(_Line)
    path = folder / SCORES
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield adapter.validate_json(line).score
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
