"""What is known of every request: its id, its route and its time."""

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from starlette.types import Receive, Send
from starlette.types import Scope as HttpScope

from server.metrics import Metrics
from server.ops_figures import Kept
from server.requests import Observed, request_id_of
from tests.fakes import fake_deps
from tests.forking import ROOT
from tests.server.harness import BOT_KEYS, WORKSPACE, Customer, Here, PacedEngine, bearer, serving
from tools.observing.context import count_statement
from tools.storage.scope import Scope
from tools.tracing.opening import Tracing

MADE = 32


@pytest.mark.parametrize("given", ["a", "4bf92f35-77b3", "trace_1.span-2", "x" * 64])
def test_a_usable_id_is_kept(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "two words", "line\nbreak", "naïve", "<b>", "a\x00b", "../.."])
def test_another_is_replaced_whole(given: str | None) -> None:
    made = request_id_of(given)

    assert len(made) == MADE
    assert made != request_id_of(given)


async def test_every_answer_says_its_requests_id(here: Here, customer: Customer) -> None:
    for path, headers in (
        ("/healthz", {}),
        ("/nowhere", {}),
        ("/v1/inbox/bugs", {}),
        ("/healthz", {"Host": "evil.example"}),
        (customer.path("messages"), customer.headers),
        (customer.path("events"), customer.headers),
    ):
        own = await here.http.get(path, headers={**headers, "X-Request-Id": "mine-1"})
        made = await here.http.get(path, headers=headers)
        assert own.headers["x-request-id"] == "mine-1", path
        assert len(made.headers["x-request-id"]) == MADE, path


async def test_requests_are_timed_by_route_and_never_by_path(here: Here, customer: Customer) -> None:
    await here.http.get(customer.path("messages"), headers=customer.headers)
    await here.http.get("/v1/conversations/of-somebody-else/messages", headers=bearer(BOT_KEYS[0]))
    await here.http.request("DELETE", "/coffee")
    text = (await here.http.get("/metrics")).text

    route = "/v1/conversations/{conversation_id}/messages"
    for status in ("200", "404"):
        assert f'helpgraph_request_seconds_count{{method="GET",route="{route}",status="{status}"}} 1.0' in text
    assert 'method="other",route="none"' in text
    assert not [word for word in (customer.conversation_id, "of-somebody-else", "coffee", "DELETE") if word in text]


async def test_metrics_of_the_log_and_of_the_process(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    await customer.post("handoff", {"text": "A person, please"})
    await customer.events()
    text = (await here.http.get("/metrics")).text

    assert "helpgraph_conversations_waiting 1.0" in text
    assert "helpgraph_turns_waiting 0.0" in text
    assert "helpgraph_first_event_seconds_count 2.0" in text
    for kind in ("read", "write", "commit"):
        assert f'helpgraph_database_seconds_count{{kind="{kind}"}}' in text
    lag = [line for line in text.splitlines() if line.startswith("helpgraph_stream_lag_seconds_count")]
    assert float(lag[0].split()[1]) > 3


async def test_operations_see_a_turn_that_ended(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    async with here.staff() as staff:
        seen = {last: (await staff.get("/v1/inbox/ops", params={"last": last})).json() for last in ("1h", "7d")}
        refused = await staff.get("/v1/inbox/ops", params={"last": "1y"})

    for last, steps in (("1h", 30), ("7d", 42)):
        assert seen[last]["turns"] == 1
        assert len(seen[last]["starts"]) == steps
        assert seen[last]["outcomes"]["answered"][-1] == 1
        assert seen[last]["turn_seconds"]["all"]["n"] == 1
    assert refused.status_code == 422


async def test_a_request_is_a_span_of_its_own() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))

    async def app(scope: HttpScope, receive: Receive, send: Send) -> None:
        scope["route"] = SimpleNamespace(path="/v1/{thing}")
        count_statement("read", 0.25)
        await send({"type": "http.response.start", "status": int(scope["path"][1:]), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    observed = Observed(app, metrics=Metrics(), tracing=Tracing(tracer=provider.get_tracer("t")), workspace_id="w")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(observed), base_url="http://here") as client:
        for path in ("/200", "/503"):
            await client.get(path, headers={"X-Request-Id": "mine", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    good, bad = kept.get_finished_spans()
    assert (good.name, good.kind, good.parent) == ("GET /v1/{thing}", SpanKind.SERVER, None)
    assert dict(good.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/{thing}",
        "http.response.status_code": 200,
        "helpgraph.request_id": "mine",
        "helpgraph.database.statements": 1,
        "helpgraph.database.seconds": 0.25,
    }
    assert (good.status.is_ok, bad.status.is_ok) == (True, False)


_TWO_PROCESSES = """
import os
from pathlib import Path
from types import SimpleNamespace
import prometheus_client  # As a library may have it imported before the variable was set.
folder = Path(os.environ.pop("FOLDER"))
(folder / "counter_1.db").touch()
from server.metrics import Metrics, empty_shared_folder, forget_process
from tools.storage.operations import QueueState
empty_shared_folder(folder)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
child = os.fork()
metrics = Metrics()
for _ in range(1 if child else 2):
    metrics.turn_ended("answered")
    metrics.stream_opened()
    metrics.turn_seconds(0.2)
if not child:
    os._exit(0)
os.waitpid(child, 0)
queue = QueueState(5, 1, 0, 2.5, 0, 0)
before = metrics.render({"": queue}).decode()
forget_process(child)
print(before, "GONE", metrics.render({"": queue}).decode())
"""


def test_processes_that_share_a_folder_answer_for_one_another(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _TWO_PROCESSES]
    done = subprocess.run(
        command, cwd=ROOT, env={"FOLDER": str(tmp_path), "PATH": ""}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("GONE")
    for text, open_streams in ((before, 3), (after, 1)):
        assert 'helpgraph_turns_total{outcome="answered"} 3.0' in text
        assert f"helpgraph_open_streams {open_streams}.0" in text
        assert "helpgraph_turn_seconds_count 3.0" in text
        assert "helpgraph_turns_waiting 5.0" in text


async def test_turns_that_were_left_are_counted_where_they_go_on(here: Here) -> None:
    """Somebody began a turn once, and another one three times, and died each time."""
    log = here.runtime.log
    for attempts in (1, 3):
        customer = await here.session()
        await log.accept(
            Scope(WORKSPACE, await owner_of(here, customer), "customer"),
            customer.conversation_id,
            client_message_id="m1",
            text="Where are my invoices?",
            page=None,
            run_id="r1",
            wish=False,
            now=datetime.now(UTC),
        )
        for _ in range(attempts):
            # Before the sweep finds it, or in its way: whoever has the lease goes first.
            while (lease := await log.claim(customer.conversation_id, holder="dead", ttl_s=30)) is None:
                await asyncio.sleep(0.01)
            await log.next_turn(lease)
            held = lease
        await log.release(held)
    async with asyncio.timeout(30):
        while "helpgraph_turns_parked_total 1.0" not in (text := (await here.http.get("/metrics")).text):
            await asyncio.sleep(0.05)

    assert "helpgraph_turns_taken_over_total 2.0" in text


async def owner_of(here: Here, customer: Customer) -> str:
    return (await here.runtime.log.conversation(Scope.system(WORKSPACE), customer.conversation_id)).owner_id


async def test_a_conversation_that_another_took_is_a_lost_lease(tmp_path: Path) -> None:
    engine = PacedEngine()
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        asking = asyncio.create_task(customer.say("Where are my invoices?"))
        async with asyncio.timeout(30):
            while not engine.briefs:
                await asyncio.sleep(0.01)
            assert await here.runtime.log.claim(customer.conversation_id, holder="another", ttl_s=0.2) is None
            async with here.staff() as staff:
                path = f"/v1/inbox/conversations/{customer.conversation_id}/take"
                assert (await staff.post(path, json={"person": "Grace"})).status_code == 200
            engine.may_go_on.release()
            await asking
            while "helpgraph_lease_losses_total 1.0" not in (await here.http.get("/metrics")).text:
                await asyncio.sleep(0.05)


async def test_those_who_look_at_once_share_one_reading() -> None:
    read: list[int] = []

    async def slowly() -> int:
        read.append(1)
        await asyncio.sleep(0.02)
        return len(read)

    kept, began = Kept[int](lasts_s=0.0), time.monotonic()
    assert await asyncio.gather(*(kept.get(slowly) for _ in range(5))) == [1] * 5
    # It took 20 ms, so it is good for 200 more.
    assert kept.until - began >= 0.2
    kept.until = 0.0
    assert await kept.get(slowly) == 2
