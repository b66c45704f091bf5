"""Several workers behind one port, as an operator starts them: one dies, all know the same articles, all can go."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from graphs.running import find_running
from tests.installed import use_models
from tests.loopback import NO_TLS
from tests.server.forked_workers import served_by_forks, start_forks
from tests.server.harness import bearer, run_input
from tests.serving import Process, served

WORKERS = 2
# What is in the command line of a worker that was spawned, and of one that was forked.
SERVING = (b"spawn_main", b"forkserver")


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[str]:
    """The URL of the workers' database."""
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE workers")
        yield postgres_server.replace("/postgres?", "/workers?")
        admin.execute("DROP DATABASE workers WITH (FORCE)")


@pytest.fixture(scope="module")
def team(model_cache: Path, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An installation with one article, served by two workers."""
    data_dir = tmp_path_factory.mktemp("workers") / "data"
    use_models(data_dir, model_cache)
    articles = data_dir.with_name("articles")
    articles.mkdir()
    (articles / "button.md").write_text(
        "# Purple teleport button\n\nPress the purple teleport button to get to Mars.\n"
    )
    settings = {"HELPGRAPH_DATABASE_URL": database, "HELPGRAPH_SESSIONS_PER_MINUTE": "100000"}
    with served(data_dir, "--workers", str(WORKERS), **settings) as running:
        assert ingest(running, articles)["added"] == 1
        yield running


def children_of(running: Process) -> list[int]:
    """The process numbers of what the parent has started."""
    path = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def workers_of(running: Process) -> list[int]:
    """The process numbers of the workers: the children that serve."""
    return [pid for pid in children_of(running) if any(name in command_of(pid) for name in SERVING)]


def command_of(pid: int) -> bytes:
    """The command line of a process; empty when it is gone, or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def until(condition: object, seconds: float = 60.0) -> None:
    """Wait until a callable says yes."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come about"
        time.sleep(0.05)


def converse(url: str, text: str) -> str:
    """Ask in a conversation of one's own and return the stream, resumed until the run is over."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False, verify=NO_TLS) as client:
        begun = again(lambda: client.post("/v1/sessions", json={})).json()
        headers = bearer(begun["session_token"])
        body = run_input(begun["conversation_id"], text)
        stream = again(lambda: client.post("/v1/agui", json=body, headers=headers)).text
        deadline = time.monotonic() + 60
        while "RUN_FINISHED" not in stream:
            assert time.monotonic() < deadline, stream
            stream = again(lambda: client.post("/v1/agui", json=body, headers=headers)).text
    return stream


def again(ask: object, seconds: float = 60.0) -> httpx.Response:
    """What a client does whose connection broke: the same again."""
    assert callable(ask)
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer: httpx.Response = ask()
            if answer.status_code < 500:
                assert answer.is_success, answer.text
                return answer
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "no answer"
        time.sleep(0.1)


def ingest(running: Process, folder: Path) -> dict[str, int]:
    """Ingest a folder as the command does, through one of the workers, and return the report."""
    server = find_running(running.data_dir)
    assert server is not None
    answer = httpx.post(
        f"{server.url}/v1/admin/ingest",
        json={"path": str(folder)},
        headers=bearer(server.token),
        timeout=60,
        trust_env=False,
        verify=NO_TLS,
    )
    report: dict[str, int] = json.loads(answer.text.splitlines()[-1])["report"]
    return report


def test_what_one_worker_ingests_all_know(team: Process) -> None:
    def all_know() -> bool:
        # Each request is a connection of its own, which either worker may take.
        asked = [httpx.get(f"{team.url}/readyz", trust_env=False, verify=NO_TLS).json()["knowledge"] for _ in range(12)]
        return all(said.startswith("1 articles") for said in asked)

    assert len(workers_of(team)) == WORKERS
    until(all_know)


def test_whichever_worker_is_asked_counts_for_all(team: Process) -> None:
    def accepted() -> set[float]:
        name = 'helpgraph_messages_accepted_total{door="widget"} '
        texts = [httpx.get(f"{team.url}/metrics", trust_env=False, verify=NO_TLS).text for _ in range(12)]
        lines = [line for text in texts for line in text.splitlines() if line.startswith(name)]
        return {float(line.removeprefix(name)) for line in lines} or {0.0}

    before = accepted()
    for n in range(4):
        converse(team.url, f"Where is the teleport button, once more {n}?")

    assert len(before) == 1
    assert accepted() == {before.pop() + 4}


def test_a_parent_that_is_killed_takes_everything_with_it(team: Process) -> None:
    """The last test: nothing is left to serve, and nothing holds the port or the folder."""
    orphans = children_of(team)
    assert [pid for pid in orphans if b"chroma" in command_of(pid)]
    team.stop(signal.SIGKILL)

    until(lambda: not [pid for pid in orphans if command_of(pid)])


@pytest.fixture(scope="module")
def impatient(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Two workers with a workspace, whose parent waits for nobody's end longer than three seconds."""
    folder = tmp_path_factory.mktemp("impatient")
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "workspace.yaml").write_text("workspace_id: purple\nname: Purple\n")
    settings = {"HELPGRAPH_DATABASE_URL": database, "HELPGRAPH_SESSIONS_PER_MINUTE": "100000"}
    with served_by_forks(folder / "data", "--workspace", str(workspace), end_s=3, **settings) as running:
        yield running


def test_a_worker_that_is_killed_loses_nothing_and_is_replaced(impatient: Process) -> None:
    until(lambda: len(workers_of(impatient)) == WORKERS)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(converse, impatient.url, f"Where is the teleport button, number {n}?") for n in range(8)]
        time.sleep(0.3)
        victim = workers_of(impatient)[0]
        os.kill(victim, signal.SIGKILL)
        streams = [answer.result() for answer in asked]

    assert all(stream.count('"RUN_FINISHED"') == 1 for stream in streams)
    until(lambda: len(workers_of(impatient)) == WORKERS and victim not in workers_of(impatient))


def test_workers_are_replaced_one_by_one_without_a_failed_conversation(impatient: Process) -> None:
    until(lambda: len(workers_of(impatient)) == WORKERS)
    before, stopped = set(workers_of(impatient)), threading.Event()
    streams: list[str] = []

    def talk() -> None:
        while not stopped.is_set():
            streams.append(converse(impatient.url, "How do I press the teleport button?"))
            # Without a break they would be all that the processors do.
            stopped.wait(0.1)

    with ThreadPoolExecutor(2) as pool:
        talks = [pool.submit(talk) for _ in range(2)]
        impatient.send(signal.SIGHUP)
        until(lambda: len(workers_of(impatient)) == WORKERS and not before & set(workers_of(impatient)), 120)
        stopped.set()
        for done in talks:
            done.result()

    assert streams
    assert all("RUN_FINISHED" in stream for stream in streams)


def test_a_worker_that_hangs_holds_up_neither_a_replacement_nor_the_end_and_one_that_cant_start_replaces_none(
    impatient: Process,
) -> None:
    described = impatient.data_dir.with_name("workspace") / "workspace.yaml"
    said = impatient.data_dir / "said"
    before = workers_of(impatient)
    os.kill(before[0], signal.SIGSTOP)
    impatient.send(signal.SIGHUP)
    until(lambda: len(workers_of(impatient)) == WORKERS and not set(before) & set(workers_of(impatient)), 120)
    assert f"a worker doesn't end, killing it pid={before[0]}" in said.read_text()

    between = workers_of(impatient)
    described.write_text("workspace_id: purple\nname: [Purple\n")
    impatient.send(signal.SIGHUP)
    until(lambda: "a new worker doesn't come up, the old ones stay" in said.read_text(), 120)
    assert workers_of(impatient) == between
    assert httpx.get(f"{impatient.url}/readyz", trust_env=False, verify=NO_TLS).status_code == 200

    # Told to end while others come up, and one hangs.
    described.write_text("workspace_id: purple\nname: Purple\n")
    impatient.send(signal.SIGHUP)
    until(lambda: len(workers_of(impatient)) > WORKERS)
    workers = workers_of(impatient)
    os.kill(between[0], signal.SIGSTOP)
    impatient.stop(signal.SIGTERM)

    assert impatient.exit_code == 0
    assert not [pid for pid in workers if command_of(pid)]
    assert f"a worker doesn't end, killing it pid={between[0]}" in said.read_text()


def test_a_worker_that_cant_start_says_why_and_the_command_fails(tmp_path: Path) -> None:
    url = "postgresql://helpgraph:a-secret-word@127.0.0.1:1/absent"
    done = start_forks(tmp_path, HELPGRAPH_DATABASE_URL=url)
    done.join(120)
    said = (tmp_path / "said").read_text()

    assert done.exitcode == 2, said
    assert "can't be reached or used" in said
    assert "check HELPGRAPH_DATABASE_URL" in said
    assert "a worker can't start" in said
    assert "Traceback" not in said
    assert "a-secret-word" not in said
