"""Every stream of a run is one that the strictest client accepts, whatever happens to the run meanwhile."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import playwright
import pytest
import pytest_asyncio

from agent.ports import AnswerBrief
from agent.types import Message, PageContext, Sentence, ToolCall, Understanding, Untrusted
from tests.fakes import ScriptedEngine, fake_deps
from tests.server.harness import BOT_KEYS, WORKSPACE, Customer, Here, Sent, bot_texts, serving
from tests.server.judge import check
from tools.storage.scope import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

THINKS_S = 0.3
FIRST, SECOND = "Invoices are under **Billing > History**.", "Invoices are under"


@dataclass
class SlowEngine(ScriptedEngine):
    """Thinks for a while, then says two sentences with a pause between them."""

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        await asyncio.sleep(THINKS_S)
        return await super().understand(texts, history, page)

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        for text in (FIRST, SECOND):
            yield Sentence(text, cites=("p1",))
            await asyncio.sleep(THINKS_S)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    folder, deps = tmp_path_factory.mktemp("strict"), fake_deps(engine=SlowEngine())
    async with serving(folder, deps, messages_per_minute=10_000, streams_per_owner=100) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def customer(here: Here) -> Customer:
    return await here.session()


async def test_one_message_twenty_times_at_once_is_one_turn_and_twenty_whole_streams(customer: Customer) -> None:
    posts = [customer.say("Where are my invoices?", "m1", runId=f"run-{n}") for n in range(20)]
    streams = await asyncio.gather(*posts)

    for number, sent in enumerate(streams):
        check(sent, thread_id=customer.conversation_id, run_id=f"run-{number}")
        assert bot_texts(sent) == bot_texts(streams[0])
    assert len(bot_texts(streams[0])) == 1
    whole = await customer.events(after=0)
    assert [one.kind for one in whole].count("RUN_STARTED") == 1
    assert [one.kind for one in whole].count("RUN_FINISHED") == 1


@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.1, 0.2])
async def test_a_joined_message_gets_the_whole_answer_in_a_stream_of_its_own(customer: Customer, wait_s: float) -> None:
    first = asyncio.create_task(customer.say("Where are", runId="run-1"))
    await _until(customer, "helpgraph.message.v1")
    await asyncio.sleep(wait_s)
    second = asyncio.create_task(customer.say("my invoices?", runId="run-2"))
    streams = await asyncio.gather(first, second)

    for sent, run_id in zip(streams, ("run-1", "run-2"), strict=True):
        check(sent, thread_id=customer.conversation_id, run_id=run_id)
    assert bot_texts(streams[0]) == bot_texts(streams[1])
    assert len(bot_texts(streams[0])) == 1


async def test_a_message_after_the_first_word_has_a_run_of_its_own(customer: Customer) -> None:
    first = asyncio.create_task(customer.say("Where are my invoices?", runId="run-1"))
    await _until(customer, "TEXT_MESSAGE_START")
    second = asyncio.create_task(customer.say("And my receipts?", runId="run-2"))
    streams = await asyncio.gather(first, second)

    for sent, run_id in zip(streams, ("run-1", "run-2"), strict=True):
        check(sent, run_id=run_id)
        assert len(bot_texts(sent)) == 1
    ids = [one.event["messageId"] for sent in streams for one in sent if one.kind == "TEXT_MESSAGE_START"]
    assert len(set(ids)) == 2


@pytest.mark.parametrize("kind", ["helpgraph.message.v1", "RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"])
async def test_a_run_that_is_met_in_the_middle_is_whole(customer: Customer, kind: str) -> None:
    talk = asyncio.create_task(customer.say("Where are my invoices?"))
    await _until(customer, kind)
    sent = await customer.events()
    await talk

    check(sent, thread_id=customer.conversation_id)
    assert sent[1].kind == "MESSAGES_SNAPSHOT"
    assert bot_texts(sent)
    assert FIRST in bot_texts(sent)[0]


async def test_a_repeat_of_a_finished_run_is_the_same_run_as_the_repeater_calls_it(customer: Customer) -> None:
    once = await customer.say("Where are my invoices?", "m1", runId="run-1")
    again = await customer.say("Where are my invoices?", "m1", runId="run-2")

    check(again, run_id="run-2")
    assert [one.kind for one in again] == [one.kind for one in once]
    assert bot_texts(again) == bot_texts(once)


async def test_a_repeat_of_the_first_of_two_runs_is_the_first(customer: Customer) -> None:
    once = await customer.say("Where are my invoices?", "m1")
    await customer.say("And my receipts?", "m2")
    again = await customer.say("Where are my invoices?", "m1")

    check(again)
    assert _ids(again) == _ids(once)


async def test_the_button_and_a_message_at_once_are_whole_streams(customer: Customer) -> None:
    talk = asyncio.create_task(customer.say("Where are my invoices?"))
    await _until(customer, "RUN_STARTED")
    assert (await customer.post("handoff", {})).status_code == 202
    check(await talk)


async def test_a_message_to_a_person_is_a_whole_run(here: Here, customer: Customer) -> None:
    await customer.post("handoff", {})
    await _until(customer, "RUN_FINISHED")
    async with here.staff() as staff:
        path = f"/v1/inbox/conversations/{customer.conversation_id}"
        assert (await staff.post(f"{path}/take", json={"person": "Grace"})).status_code == 200
        sent = await customer.say("Thanks, Grace")

    check(sent)
    assert bot_texts(sent) == []


@pytest.mark.parametrize("who", ["session", "bot"])
async def test_the_official_agui_client_holds_a_conversation(here: Here, customer: Customer, who: str) -> None:
    token = customer.begun["session_token"] if who == "session" else BOT_KEYS[0]
    node = Path(playwright.__file__).parent / "driver" / "node"
    script = Path(__file__).parents[1] / "browser" / "assets" / "agui_two_turns.mjs"
    process = await asyncio.create_subprocess_exec(
        node, script, f"{here.url}/v1/agui", token, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0, errors.decode()
    found = json.loads(output)
    assert found["ok"], found
    assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
    assert all(turn["errors"] == [] for turn in found["turns"])


def _ids(sent: list[Sent]) -> list[str]:
    return [one.event["messageId"] for one in sent if one.kind == "TEXT_MESSAGE_START"]


async def _until(customer: Customer, kind: str) -> None:
    """Wait until the conversation's log holds such an event."""
    log, staff = customer.here.runtime.log, Scope(WORKSPACE, None, "staff")
    async with asyncio.timeout(30):
        while True:
            logged = await log.read(staff, customer.conversation_id, after_seq=0, staff=True)
            if any(kind in (one.event["type"], one.event.get("name")) for one in logged):
                return
            await asyncio.sleep(0.01)
