"""A replay with a language model keeps many calls in flight."""

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evals.replay.conftest import Replaying
from tests.evals.replay.runs import Operator, cases, wait_until, workers_of
from tests.honest_model import honest
from tests.model_server.hosting import in_thread
from tests.model_server.replies import Answer, Reply


def test_thirty_two_tickets_are_in_flight_at_the_same_time(
    replaying: Replaying, tickets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A turn each: more tickets than there may be in flight, and no more work than that.
    short = [json.loads(line) for line in tickets.read_text(encoding="utf-8").splitlines()[:36]]
    path = tmp_path / "short.jsonl"
    path.write_text(
        "".join(json.dumps(ticket | {"messages": ticket["messages"][:1]}) + "\n" for ticket in short), encoding="utf-8"
    )
    most = 0

    def slow(body: dict[str, Any]) -> Reply:
        nonlocal most
        most = max(most, server.open_streams)
        reply = honest(body)
        assert isinstance(reply, Answer)
        # As slow as a model: what the turns do between their calls takes less, on slow machines too.
        return replace(reply, delay_s=1.0)

    with in_thread(honest) as server:
        server.script = slow
        monkeypatch.setenv("HELPGRAPH_MODEL", "scripted")
        monkeypatch.setenv("HELPGRAPH_MODEL_URL", server.url)
        # A call in every turn, however sure the engine is by itself.
        monkeypatch.setenv("HELPGRAPH_MODEL_JUDGES", "always")
        code, said = replaying(path, tmp_path / "run")

    assert code == 0, said
    played = cases(tmp_path / "run")
    assert len(played) == len(short)
    assert any(turn["engine"]["calls"] for case in played for turn in case["turns"])
    assert 24 <= most <= 32


def test_a_worker_whose_run_is_killed_ends_while_all_its_tickets_wait_for_the_model(
    operating: Operator, tickets: Path, tmp_path: Path
) -> None:
    def silent(body: dict[str, Any]) -> Reply:
        reply = honest(body)
        assert isinstance(reply, Answer)
        return replace(reply, delay_s=300.0)

    with in_thread(silent) as server:
        # It waits for answers alone: a judgement is given up after seconds.
        model = {"HELPGRAPH_MODEL": "scripted", "HELPGRAPH_MODEL_URL": server.url, "HELPGRAPH_MODEL_JUDGES": "never"}
        # Longer than is waited for below.
        model |= {"HELPGRAPH_TURN_TIMEOUT_S": "120", "HELPGRAPH_MODEL_TURN_S": "110", "HELPGRAPH_MODEL_CALL_S": "100"}
        model |= {"HELPGRAPH_MODEL_FIRST_TOKEN_S": "90"}
        asking = replace(operating, env={**operating.env, **model})
        run = asking.start(tickets, tmp_path / "run", "--workers", "1", "--in-flight", "2")
        wait_until(lambda: server.open_streams == 2, run)
        (worker,) = workers_of(run)

        run.send(signal.SIGKILL)
        run.end()
        killed = time.monotonic()
        while Path(f"/proc/{worker}").exists() and time.monotonic() - killed < 60:
            time.sleep(0.1)

        assert not Path(f"/proc/{worker}").exists()
