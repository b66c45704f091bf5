"""A replay as a LangSmith experiment: tickets as the dataset, what was replayed as outputs, our scores as feedback.

Nothing is replayed again: LangSmith's own runner is handed what the log has, so that both show the same run.
"""

import asyncio
import io
import random
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import orjson
from langsmith import Client, aevaluate
from langsmith.schemas import Example, TracerSession
from pydantic import SecretStr

from agent.wire import JsonObject
from evals.langsmith.sending import Scored, not_taken, open_sender
from evals.progress import OnProgress
from evals.replay.case import Case
from evals.replay.record import read_cases
from evals.scoring.written import SCORES
from graphs.settings import Settings

MAX_SENT = 1000
"""Of a larger run so many cases are drawn, by chance."""

DEADLINE_S = 900.0
"""The whole may take so long."""

_STAGE = "sending to LangSmith"
_SCORES = {
    "containment": ("contained", "verified"),
    "wrong_containment": ("contained", "wrong"),
    "confirmed": ("contained", "confirmed"),
    "went_quiet": ("contained", "went_quiet"),
    "handed_over": ("handed", "handed_over"),
    "needs_person": ("handed", "needs_person"),
    "right_queue": ("handed", "right_queue"),
    "mistake_cost": ("mistake_cost", "value"),
}
_OF_THE_RUN = ("revision", "engine", "knowledge", "learned", "chosen")


@dataclass(frozen=True, slots=True)
class Sent:
    """The names, and how many of the run's cases the experiment has and hasn't."""

    experiment: str
    dataset: str
    cases: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Line:
    case: Case
    score: JsonObject
    label: JsonObject


class _Runner(Client):
    """What LangSmith's runner sends by: nothing, what it made is taken from its results.

    It would also say who last committed to the repository that the command is run in.
    """

    def create_run(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def update_run(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def create_feedback(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing."""

    def update_project(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing."""


async def send_experiment(
    settings: Settings,
    key: SecretStr,
    folder: Path,
    manifest: JsonObject,
    on_progress: OnProgress,
    *,
    max_sent: int = MAX_SENT,
    deadline_s: float = DEADLINE_S,
) -> Sent | None:
    """Send a scored run; None when none of its tickets could be played.

    Texts are those of the log, which were scrubbed when the tickets were read.
    Sending a run again makes another experiment over the same dataset: its examples are named by their tickets.

    Args:
        settings: say where LangSmith is, and whether texts may go there.
        key: of LangSmith.
        folder: of the run.
        manifest: of the run.
        on_progress: is told how many cases are there.
        max_sent: of a larger run so many are drawn.
        deadline_s: for all of it.

    Raises:
        ConnectorError: LangSmith can't be reached, refused, or was too slow; it may have some of it.
        Misconfigured: the environment says something of LangSmith that its client can't go by.
    """
    url, texts = settings.langsmith_url, settings.trace_texts
    lines, count = await asyncio.to_thread(_drawn, folder, max_sent)
    if not lines:
        return None
    name = f"helpgraph {manifest['workspace']['workspace_id']} {manifest['tickets']['sha256'][:12]}"
    on_progress(_STAGE, 0, len(lines))
    try:
        async with asyncio.timeout(deadline_s):
            with open_sender(url, key) as sender:
                dataset = await sender.dataset(name, "Historical tickets that Helpgraph replays, and their labels")
                examples = [_example(dataset.id, line, texts=texts) for line in lines]
                await sender.examples(dataset, examples)
                experiment = await sender.experiment(
                    f"helpgraph {manifest['version']}-{uuid4().hex[:8]}",
                    dataset,
                    metadata={part: manifest[part] for part in _OF_THE_RUN},
                    num_examples=len({example.id for example in examples}),
                    evaluator_keys=list(_SCORES),
                )
                scored = await _evaluate(experiment, examples, lines, manifest, texts=texts)
                await sender.results(experiment, scored, lambda done: on_progress(_STAGE, done, len(lines)))
    except TimeoutError as exc:
        raise not_taken(url, f"it was not done after {deadline_s:.0f} s") from exc
    return Sent(str(experiment.name), name, len(lines), count - len(lines))


def _drawn(folder: Path, max_sent: int) -> tuple[list[_Line], int]:
    count, played = 0, []
    for place, case in enumerate(read_cases(folder)):
        count += 1
        if case.turns:
            played.append(place)
    chosen = set(played)
    if len(played) > max_sent:
        chosen = set(random.Random(0).sample(played, max_sent))  # noqa: S311  # No secret.
    return [line for place, line in enumerate(_lines(folder)) if place in chosen], count


def _lines(folder: Path) -> Iterator[_Line]:
    with (folder / SCORES).open("rb") as file:
        for case, raw in zip(read_cases(folder), file, strict=True):
            scored = orjson.loads(raw)
            yield _Line(case, scored["score"], scored["label"])


def _example(dataset_id: UUID, line: _Line, *, texts: bool) -> Example:
    case = line.case
    return Example(
        id=uuid5(NAMESPACE_URL, f"helpgraph:{dataset_id}:{case.ticket_id}"),
        dataset_id=dataset_id,
        inputs={
            "ticket_id": case.ticket_id,
            # How many more were played differs from run to run, and is no part of the ticket.
            "messages": list(case.turns[0].texts) if texts else None,
            "page": case.page if texts else None,
        },
        outputs={"label": line.label},
        created_at=datetime.fromisoformat(case.created_at),
    )


async def _evaluate(
    experiment: TracerSession, examples: Sequence[Example], lines: Sequence[_Line], manifest: JsonObject, *, texts: bool
) -> list[Scored]:
    by_ticket: dict[str, list[_Line]] = {}
    for line in lines:
        by_ticket.setdefault(line.case.ticket_id, []).append(line)
    left = {ticket_id: iter(found) for ticket_id, found in by_ticket.items()}

    async def replayed(inputs: dict[str, Any]) -> JsonObject:
        return _outputs(next(left[inputs["ticket_id"]]).case, texts=texts)

    def scores(inputs: dict[str, Any], outputs: JsonObject) -> JsonObject:
        found = by_ticket[inputs["ticket_id"]]
        line = next(line for line in found if line.case.run == outputs["run"])
        return {"results": [{"key": key, "score": _score(line.score, *path)} for key, path in _SCORES.items()]}

    runner = _Runner(api_url="http://localhost", api_key="none", auto_batch_tracing=False, tracing_mode="langsmith")
    # It prints a link and draws a bar of its own.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        rows = await aevaluate(
            replayed,
            data=examples,
            evaluators=[scores],
            client=runner,
            experiment=experiment,
            # It would ask git otherwise.
            metadata={"revision_id": manifest["revision"] or manifest["version"]},
            max_concurrency=1,
        )
    runner.close(0)
    return [
        Scored(
            row["run"].model_dump(exclude_none=True),
            {each.key: each.score for each in row["evaluation_results"]["results"] if each.score is not None},
        )
        async for row in rows
    ]


def _outputs(case: Case, *, texts: bool) -> JsonObject:
    last = case.turns[-1]
    return {
        "run": case.run,
        "ending": case.ending,
        "why": case.why,
        "outcomes": [turn.outcome for turn in case.turns],
        "messages": [text for turn in case.turns for text in turn.texts] if texts else None,
        "reply": last.reply if texts else None,
        "articles": [cited.article_id for cited in last.citations],
        "effects": [
            effect.model_dump(exclude_none=True, exclude=None if texts else {"title"}) for effect in case.effects
        ],
    }


def _score(score: JsonObject, part: str, name: str) -> float | None:
    """A score as LangSmith takes it: a number, or none where it isn't known."""
    value = (score[part] or {}).get(name)
    return None if value is None else float(value)
