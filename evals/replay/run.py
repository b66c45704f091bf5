"""A whole replay: the tickets in order through workers, into a folder that describes itself and can be gone on with."""

import os
import random
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import BadTurn, Misconfigured
from agent.wire import JsonObject
from evals.progress import OnProgress
from evals.replay.bugs import BugGroups, with_bug
from evals.replay.case import Failure
from evals.replay.manifest import differences, manifest, read_manifest, write_manifest
from evals.replay.play import failed
from evals.replay.pool import Lost, Pool, open_pool
from evals.replay.record import Recorder
from evals.replay.script import MAX_EXCHANGES
from evals.replay.snapshot import Snapshot, drop_snapshot, for_worker, look_at, take_snapshot
from evals.replay.worker import Done, Job, Start
from evals.tickets.index import TicketIndex
from graphs.assembly import open_workspace
from graphs.settings import Settings

SNAPSHOT = "snapshot"
# A model's endpoint is what such a run waits for, and one process holds many calls.
IN_FLIGHT_WITH_MODEL = 32
_AHEAD = 8
# A ticket lies ready at each worker, so that none waits for this process between two tickets.
_READY = 1
_SLACK_S = 60.0
_STARTING = "starting the engine in each process"


@dataclass(frozen=True, slots=True)
class Options:
    """What to replay and how. `workers` and `in_flight` change nothing but the time it takes.

    `sample` draws so many tickets with `seed`; `repeats` plays each so many times, for models that vary.
    """

    since: datetime | None = None
    until: datetime | None = None
    sample: int | None = None
    seed: int = 0
    repeats: int = 1
    workers: int | None = None
    in_flight: int | None = None

    def to_json(self) -> JsonObject:
        """What decides the outcome."""
        return {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "sample": self.sample,
            "seed": self.seed,
            "repeats": self.repeats,
        }


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a run came to. `resumed` cases were there before; `seconds` is what the others took."""

    folder: Path
    manifest: JsonObject
    cases: int
    resumed: int
    failed: int
    seconds: float


async def replay(
    settings: Settings, index: TicketIndex, folder: Path, options: Options, *, on_progress: OnProgress
) -> Replayed:
    """Replay the tickets into `folder`, going on where an interrupted run of the same inputs stopped.

    Cancelling it loses nothing that was written.

    Raises:
        BadTurn: no ticket is left to replay, the knowledge base is empty, or `folder` holds a run of other inputs.
        Misconfigured: the installation, the folder or the disk can't be used.
    """
    places = _chosen(index, options)
    if not places:
        raise BadTurn("there is no ticket between --since and --until")
    before = _begun(folder)
    snapshot = None
    if before is not None and before["finished_at"] is not None:
        installed = await look_at(settings, folder / SNAPSHOT)
    else:
        on_progress("copying the installation", 0, 1)
        snapshot = await take_snapshot(settings, folder / SNAPSHOT)
        installed = snapshot.installed
        on_progress("copying the installation", 1, 1)
    now = manifest(settings, installed, index, options.to_json())
    _same_inputs(folder, before, now)
    with Recorder(folder) as recorder:
        run = _Run(settings, index, places, options, recorder, on_progress)
        if snapshot is not None:
            now = await run.play(snapshot, folder, before, now)
            drop_snapshot(folder / SNAPSHOT)
    return Replayed(folder, before or now, recorder.done, run.resumed, recorder.failed, run.seconds)


class _Run:
    def __init__(
        self,
        settings: Settings,
        index: TicketIndex,
        places: Sequence[int],
        options: Options,
        recorder: Recorder,
        on_progress: OnProgress,
    ) -> None:
        self._settings = settings
        self._index = index
        self._places = places
        self._options = options
        self._recorder = recorder
        self._on_progress = on_progress
        self.resumed = recorder.done
        self.seconds = 0.0

    async def play(self, snapshot: Snapshot, folder: Path, before: JsonObject | None, now: JsonObject) -> JsonObject:
        """Play what is left, and return the run's manifest."""
        policy = open_workspace(self._settings).policy
        groups = BugGroups(policy.same_bug_similarity)
        for reported in self._recorder.bugs:
            groups.known(reported)
        total = len(self._places) * self._options.repeats
        self._on_progress(_STARTING, 0, 1)
        async with self._pool(snapshot, folder) as pool:
            self._on_progress(_STARTING, 1, 1)
            said = {**now, "engine": {**now["engine"], **pool.engine.model_dump()}}
            if before is None:
                write_manifest(folder, said)
            else:
                _same_inputs(folder, before, said, whole=True)
                said = before
            began = time.monotonic()
            self._on_progress("replaying", self.resumed, total)
            async for answer in pool.play(self._jobs(), ahead=_AHEAD * pool.lanes):
                self._write(answer, groups)
                self.seconds = time.monotonic() - began
                self._on_progress("replaying", self._recorder.done, total)
        said = {**said, "finished_at": datetime.now(UTC).isoformat(timespec="seconds")}
        self._recorder.sync()
        write_manifest(folder, said)
        return said

    def _pool(self, snapshot: Snapshot, folder: Path) -> AbstractAsyncContextManager[Pool]:
        cores = os.cpu_count() or 1
        with_model = self._settings.model is not None
        workers = self._options.workers or (1 if with_model else cores)
        in_flight = self._options.in_flight or (IN_FLIGHT_WITH_MODEL if with_model else 1)
        starts = [
            Start(
                data_dir=for_worker(snapshot, number),
                workspace=self._settings.workspace,
                index=self._index.path,
                in_flight=in_flight,
            )
            for number in range(1, workers + 1)
        ]
        return open_pool(
            starts,
            logs=folder,
            in_flight=in_flight + _READY,
            # A ticket is tried twice within its worker, after the one before it; what takes longer than that hangs.
            deadline_s=2 * (1 + _READY) * MAX_EXCHANGES * self._settings.turn_timeout_s + _SLACK_S,
            threads=max(1, cores // workers),
        )

    def _jobs(self) -> Iterator[Job]:
        repeats = self._options.repeats
        for number in range(self.resumed, len(self._places) * repeats):
            yield Job(place=self._places[number // repeats], run=number % repeats + 1)

    def _write(self, answer: Done | Lost, groups: BugGroups) -> None:
        if isinstance(answer, Lost):
            # Memory that ran out, a crash of a library: nothing of the ticket can be known, and the rest goes on.
            failure = Failure(error="WorkerDied", message=answer.how, attempts=2)
            played = failed(self._index.get(answer.place), failure, None, run=answer.run)
            self._recorder.write(played.case, played.timing, None)
            return
        reported = groups.place(answer.gist, answer.vector) if answer.gist is not None else None
        case = with_bug(answer.case, reported) if reported is not None else answer.case
        self._recorder.write(case, answer.timing, reported)


def _chosen(index: TicketIndex, options: Options) -> Sequence[int]:
    places = index.between(options.since, options.until)
    if options.sample is None or options.sample >= len(places):
        return places
    drawn = random.Random(options.seed).sample(places, options.sample)  # noqa: S311  # No secret.
    return array("q", sorted(drawn))


def _begun(folder: Path) -> JsonObject | None:
    """The manifest of the run in this folder, None for a new one.

    Raises:
        Misconfigured: the folder can't be made, or holds something else.
    """
    try:
        # Its log quotes customers, scrubbed as it is: for its owner only.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise Misconfigured(f"{folder}: can't be made ({exc.strerror})") from exc
    return read_manifest(folder)


def _same_inputs(folder: Path, before: JsonObject | None, now: JsonObject, *, whole: bool = False) -> None:
    """Raise `BadTurn` when the folder holds a run of other inputs: the two must not be mixed."""
    if before is None:
        return
    differing = differences(before, now)
    if not whole:
        # What only a worker can tell is compared when there is one.
        differing = [name for name in differing if not name.startswith("engine.")]
    if differing:
        again = "" if before["finished_at"] is None else "; to score that run again: `helpgraph score`"
        raise BadTurn(
            f"{folder} holds a run of other inputs ({', '.join(differing[:5])} differ): choose another folder with "
            f"--out, or begin it anew with --fresh{again}"
        )
