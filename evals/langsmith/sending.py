"""What an experiment sends to LangSmith, each request with an end: `ConnectorError` for whatever goes wrong.

Its client's own threads are not trusted with it: they swallow errors, die of an answer that they don't expect
(langsmith 0.15: one key missing from /info, and `flush` waits for ever) and keep a process from ending.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from langsmith import Client
from langsmith.schemas import Dataset, Example, TracerSession
from langsmith.utils import LangSmithError, LangSmithUserError
from pydantic import SecretStr

from agent.errors import ConnectorError, Misconfigured
from agent.wire import JsonObject
from evals.langsmith.detached import detached

REQUEST_S = 120.0
"""One request may take so long, with its client's attempts."""

_TIMEOUT_MS = (5_000, 20_000)
_AT_ONCE = 8
_BATCH = 100
_FEEDBACK_ATTEMPTS = 4
# What isn't LangSmith's answer comes out of its client as any of these.
_FAILURES = (LangSmithError, OSError, LookupError, TypeError, ValueError)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scored:
    """A run as LangSmith takes it, and the scores that are known of it."""

    run: JsonObject
    scores: dict[str, float]


class Sender:
    """LangSmith at one address. Nothing is sent before it is asked to."""

    def __init__(self, client: Client, failed: list[Exception], url: str) -> None:
        self._client = client
        self._failed = failed
        self._url = url

    async def dataset(self, name: str, description: str) -> Dataset:
        """The dataset of that name, made when there is none."""
        if await self._ask(self._client.has_dataset, dataset_name=name):
            known: Dataset = await self._ask(self._client.read_dataset, dataset_name=name)
            return known
        # Its client says of what system it is run on, unless told otherwise.
        said: JsonObject = {"runtime": {}}
        return await self._ask(self._client.create_dataset, name, description=description, metadata=said)

    async def examples(self, dataset: Dataset, examples: Sequence[Example]) -> None:
        """Have these examples in it: new ones are added, those that changed are written over, others are left."""
        known = {each.id: each for each in await self._ask(lambda: list(self._client.list_examples(dataset.id)))}
        wanted = {each.id: each for each in examples}
        fresh = [each for each in wanted.values() if each.id not in known]
        for batch in _batches(fresh):
            new = [{"id": each.id, "inputs": each.inputs, "reference_outputs": each.outputs} for each in batch]
            await self._ask(self._client.create_examples, dataset_id=dataset.id, examples=new)
        changed = [each for each in wanted.values() if each.id in known and _differ(each, known[each.id])]
        for batch in _batches(changed):
            updates = [{"id": each.id, "inputs": each.inputs, "outputs": each.outputs} for each in batch]
            await self._ask(self._client.update_examples, dataset_id=dataset.id, updates=updates)

    async def experiment(self, name: str, dataset: Dataset, **said: Any) -> TracerSession:
        """A new experiment over the dataset."""
        return await self._ask(self._client.create_project, name, reference_dataset_id=dataset.id, **said)

    async def results(
        self, experiment: TracerSession, scored: Sequence[Scored], on_sent: Callable[[int], None]
    ) -> None:
        """Runs a hundred at a time, then their scores: one request each, eight at once.

        Its public client has no way to send scores in batches.
        """
        for batch in _batches(scored):
            await self._ask(self._send_runs, [dict(each.run) for each in batch])
        waiting, sent = iter(scored), 0

        async def send_scores() -> None:
            nonlocal sent
            for each in waiting:
                for key, score in each.scores.items():
                    await self._ask(
                        self._client.create_feedback,
                        run_id=each.run["id"],
                        trace_id=each.run["trace_id"],
                        session_id=experiment.id,
                        start_time=each.run["start_time"],
                        key=key,
                        score=score,
                        feedback_source_type="model",
                        stop_after_attempt=_FEEDBACK_ATTEMPTS,
                    )
                sent += 1
                on_sent(sent)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(send_scores())
        except* ConnectorError as failed:
            raise failed.exceptions[0] from None

    def _send_runs(self, runs: list[JsonObject]) -> None:
        self._client.multipart_ingest(create=runs)
        # It raises nothing, but tells its callback.
        if self._failed:
            raise self._failed[0]

    async def _ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(REQUEST_S):
                return await detached(call, *args, **kwargs)
        except _FAILURES as exc:
            raise not_taken(self._url, type(exc).__name__) from exc


def not_taken(url: str, why: str) -> ConnectorError:
    """Say that LangSmith has not got the experiment, and what to do about it."""
    return ConnectorError(
        f"the run is whole and scored, but LangSmith at {url} can't be reached, is too slow or refused it ({why}): see "
        "HELPGRAPH_LANGSMITH_URL and HELPGRAPH_LANGSMITH_KEY. The same command sends it again, --no-langsmith doesn't",
        retryable=True,
    )


@contextmanager
def open_sender(url: str, key: SecretStr) -> Iterator[Sender]:
    """A sender for the length of the block.

    Raises:
        Misconfigured: the environment says something of LangSmith that its client can't go by.
    """
    # Its warnings quote addresses and answers, one for each attempt.
    logging.getLogger("langsmith.client").setLevel(logging.CRITICAL)
    failed: list[Exception] = []
    try:
        client = Client(
            url,
            api_key=key.get_secret_value(),
            timeout_ms=_TIMEOUT_MS,
            auto_batch_tracing=False,
            tracing_mode="langsmith",
            tracing_sampling_rate=1.0,
            # It would add variables of the environment.
            omit_traced_runtime_info=True,
            tracing_error_callback=failed.append,
        )
    except LangSmithUserError as exc:
        raise Misconfigured(f"LangSmith's client can't be opened: {exc}") from exc
    try:
        yield Sender(client, failed, url)
    finally:
        client.close(0)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _differ(ours: Example, known: Example) -> bool:
    return (ours.inputs, ours.outputs) != (known.inputs, known.outputs)
