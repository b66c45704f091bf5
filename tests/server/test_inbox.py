"""The team's side over HTTP: what waits, taking, replying, handing back, resolving, bugs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from agent.events import Custom
from agent.types import Kind, Mode
from agent.wire import mode_value
from server import background
from server.background import remind_overdue
from tests.fakes import CALM, ScriptedEngine, fake_deps
from tests.server.harness import Customer, Here, Sent, bot_texts, read_stream, run_input, serving
from tools.storage.codec import custom
from tools.storage.log import NewEvent
from tools.storage.schema import conversations
from tools.storage.scope import Scope


def of(customer: Customer) -> str:
    return f"/v1/inbox/conversations/{customer.conversation_id}"


async def wait_for_mode(customer: Customer, mode: str) -> None:
    async with asyncio.timeout(30):
        while True:
            listed = await customer.here.http.get(customer.path("messages"), headers=customer.headers)
            if listed.json()["mode"] == mode:
                return
            await asyncio.sleep(0.02)


async def handoffs(staff: httpx.AsyncClient, mode: str = "waiting") -> list[dict[str, Any]]:
    answer = await staff.get("/v1/inbox/handoffs", params={"mode": mode})
    found: list[dict[str, Any]] = answer.json()["handoffs"]
    return found


async def test_a_button_is_enough_to_get_a_person(here: Here, customer: Customer) -> None:
    answer = await customer.post("handoff", {})
    assert answer.status_code == 202, answer.text
    assert answer.json()["turn_id"]
    await wait_for_mode(customer, "waiting")

    async with here.staff() as staff:
        (row,) = await handoffs(staff)
    assert row["conversation_id"] == customer.conversation_id
    assert row["last_message"]
    assert row["promised_by"] > datetime.now(UTC).isoformat()


async def test_a_wish_by_button_knows_the_page(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        await customer.post("handoff", {"page": {"route": "/projects", "title": "Projects"}})
        await wait_for_mode(customer, "waiting")
        async with here.staff() as staff:
            view = (await staff.get(f"/v1/inbox/conversations/{customer.conversation_id}")).json()

    assert view["handoff"]["page"] == "/projects"


async def test_whoever_gave_an_address_is_not_asked_again(here: Here, customer: Customer) -> None:
    await customer.post("handoff", {})
    await wait_for_mode(customer, "waiting")
    scope, conversation_id = Scope.system("example"), customer.conversation_id
    asking = NewEvent(custom(Custom.MODE, mode_value(Mode.WAITING, ask_email=True)))
    await here.runtime.log.record(scope, conversation_id, [asking])

    async def asked() -> bool:
        body = {"session_token": customer.headers["Authorization"].removeprefix("Bearer ")}
        resumed = (await here.http.post("/v1/sessions", json=body)).json()
        assert resumed["conversation_id"] == conversation_id
        return bool(resumed["mode_value"]["ask_email"])

    assert await asked()
    async with here.runtime.db.transaction() as conn:
        changed = conversations.c.conversation_id == conversation_id
        await conn.execute(update(conversations).where(changed).values(contact_email="ada@example.com"))
    assert not await asked()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Each kind of database."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else None


async def test_a_wish_that_is_sent_again_is_one_wish(tmp_path: Path, database_url: str | None) -> None:
    async with serving(tmp_path, database_url=database_url) as here:
        customer = await here.session()
        wish = {"client_message_id": "w1"}
        at_once = await asyncio.gather(*(customer.post("handoff", wish) for _ in range(5)))
        await wait_for_mode(customer, "waiting")
        logged = await customer.events(0)
        later = await customer.post("handoff", {**wish, "text": None})
        # The message's own words, which are the default, are no other text.
        same = await customer.post("handoff", {**wish, "text": logged[0].event["value"]["text"]})
        other = await customer.post("handoff", {**wish, "text": "Somebody, at last"})
        as_message = await here.http.post(
            "/v1/agui",
            json=run_input(customer.conversation_id, logged[0].event["value"]["text"], "w1"),
            headers=customer.headers,
        )
        after = await customer.events(0)
        async with here.staff() as staff:
            waiting = await handoffs(staff)

    answers = [*at_once, later, same]
    assert [answer.status_code for answer in answers] == [202] * 7
    assert len({answer.text for answer in answers}) == 1
    assert logged[0].event["value"]["message_id"] == "w1"
    assert after == logged
    assert len(waiting) == 1
    for refused in (other, as_message):
        assert refused.status_code == 409
        assert refused.headers["content-type"] == "application/problem+json"


async def test_wishes_without_an_id_are_wishes_of_their_own(here: Here, customer: Customer) -> None:
    for _ in range(2):
        assert (await customer.post("handoff", {})).status_code == 202
    await wait_for_mode(customer, "waiting")

    listed = await here.http.get(customer.path("messages"), headers=customer.headers)
    authors = [message["author"] for message in listed.json()["messages"]]
    assert authors.count("customer") == 2


async def test_a_wishs_id_is_checked_like_a_messages(here: Here, customer: Customer) -> None:
    for given in ("", "x" * 201, "nul\x00", 7, ["w1"]):
        answer = await customer.post("handoff", {"client_message_id": given})
        assert answer.status_code == 422, given
        assert answer.json()["errors"][0]["loc"].endswith("client_message_id"), given

    listed = await here.http.get(customer.path("messages"), headers=customer.headers)
    assert listed.json()["messages"] == []


async def test_the_wish_is_said_in_the_customers_language(here: Here) -> None:
    customer = await here.session(language="de-AT")
    await customer.post("handoff", {"text": None})
    await wait_for_mode(customer, "waiting")

    listed = await here.http.get(customer.path("messages"), headers=customer.headers)
    assert listed.json()["messages"][0]["text"] == "Ich möchte mit einem Menschen sprechen."


async def test_from_the_wish_to_the_resolution(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    await customer.post("handoff", {"text": "A person, please"})
    await wait_for_mode(customer, "waiting")
    async with here.staff() as staff:
        view = (await staff.get(of(customer))).json()
        assert view["handoff"]["wanted"]
        assert view["queue_names"][view["handoff"]["queue_id"]]
        assert (await staff.get("/v1/inbox/ops")).json()["queue_names"] == view["queue_names"]
        bot = next(message for message in view["messages"] if message["author"] == "bot")
        assert bot["decision"]["route"] == "answer"
        assert bot["evidence"]["passages"][0]["title"] == "Download invoices"

        assert (await staff.post(f"{of(customer)}/take", json={"person": " Grace "})).json() == {"mode": "with_person"}
        assert await handoffs(staff) == []
        assert [row["person"] for row in await handoffs(staff, "with_person")] == ["Grace"]

        reply = {"text": "Let me look.", "client_message_id": "r1", "person": "Grace"}
        first, again = [(await staff.post(f"{of(customer)}/reply", json=reply)).json() for _ in range(2)]
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        assert first["message_id"] == again["message_id"]
        other = await staff.post(f"{of(customer)}/reply", json={**reply, "text": "Something else."})
        assert other.status_code == 409

        silent = await customer.say("Thank you")
        assert silent[-1].kind == "RUN_FINISHED"
        assert bot_texts(silent) == []

        key = {"Idempotency-Key": "a1"}
        assert (await staff.post(f"{of(customer)}/hand_back", json={}, headers=key)).json() == {"mode": "handed_back"}
        assert (await staff.post(f"{of(customer)}/hand_back", json={}, headers=key)).json() == {"mode": "handed_back"}
        another = {"outcome": "solved"}
        assert (await staff.post(f"{of(customer)}/resolve", json=another, headers=key)).status_code == 409
        answered = await customer.say("Where are my invoices?")
        assert bot_texts(answered) != []

        closing = {"outcome": "solved", "note": "Found it", "person": "Ada"}
        solved = await staff.post(f"{of(customer)}/resolve", json=closing)
        view = (await staff.get(of(customer))).json()
        texts = {message["message_id"]: message["text"] for message in view["messages"]}
        acts = [(act["kind"], act["person"], act["outcome"], act["note"]) for act in view["timeline"]]
        assert acts == [
            ("asked", None, None, None),
            ("taken", "Grace", None, None),
            ("handed_back", None, None, None),
            ("resolved", "Ada", "solved", "Found it"),
        ]
        assert texts[view["timeline"][2]["after"]] == "Thank you"
        assert solved.json() == {"mode": "closed"}
        listed = await here.http.get(customer.path("messages"), headers=customer.headers)
        assert listed.json()["mode"] == "closed"
        assert "Found it" not in listed.text
        assert not any("Found it" in str(sent.event) for sent in await customer.events(0))
        persons = [message for message in listed.json()["messages"] if message["author"] == "person"]
        assert [(message["text"], message["author_name"]) for message in persons] == [("Let me look.", "Grace")]
        assert (await customer.say("One more thing"))[-1].kind == "RUN_FINISHED"


async def test_whoever_ends_the_chat_no_longer_waits(here: Here, customer: Customer) -> None:
    await customer.post("handoff", {"text": "A person, please"})
    await wait_for_mode(customer, "waiting")
    async with here.staff() as staff:
        assert [(await customer.post("end", {})).json() for _ in range(2)] == [{"mode": "bot"}] * 2
        assert await handoffs(staff) == []
        assert [row["outcome"] for row in await handoffs(staff, "all")] == ["withdrawn"]

        await staff.post(f"{of(customer)}/take", json={"person": "Grace"})
        assert (await customer.post("end", {})).json() == {"mode": "with_person"}
        view = (await staff.get(of(customer))).json()

    assert [act["kind"] for act in view["timeline"]] == ["asked", "withdrawn", "taken", "left"]
    modes = [sent.event["value"]["mode"] for sent in await customer.events(0) if sent.kind == "helpgraph.mode.v1"]
    assert modes == ["waiting", "bot", "with_person"]


async def test_what_the_table_of_modes_forbids_is_a_conflict(here: Here, customer: Customer) -> None:
    async with here.staff() as staff:
        reply = {"text": "Hello", "client_message_id": "r1", "person": "Grace"}
        for action, body in (("hand_back", {}), ("reply", reply)):
            answer = await staff.post(f"{of(customer)}/{action}", json=body)
            assert answer.status_code == 409, action
            assert answer.headers["content-type"] == "application/problem+json"
        await staff.post(f"{of(customer)}/resolve", json={"outcome": "spam"})
        assert (await staff.post(f"{of(customer)}/resolve", json={"outcome": "spam"})).status_code == 409
        assert (await staff.post(f"{of(customer)}/resolve", json={"outcome": "gone"})).status_code == 422


async def test_a_reply_is_heard_live_by_the_customer_and_by_the_team(here: Here, customer: Customer) -> None:
    async def first_reply(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> Sent:
        async with client.stream("GET", url, params={"follow": "true"}, headers=headers) as answer:
            async for sent in read_stream(answer):
                if sent.kind == "helpgraph.message.v1" and sent.event["value"]["author"] == "person":
                    return sent
        raise AssertionError("the stream ended before the reply")

    async with here.staff() as staff, asyncio.timeout(30):
        listening = [
            asyncio.create_task(first_reply(here.http, customer.path("events"), customer.headers)),
            asyncio.create_task(first_reply(staff, f"{of(customer)}/events", {})),
        ]
        await staff.post(f"{of(customer)}/take", json={"person": "Grace"})
        await staff.post(f"{of(customer)}/reply", json={"text": "Hello!", "client_message_id": "r1", "person": "Grace"})
        heard = await asyncio.gather(*listening)

    assert [sent.event["value"]["text"] for sent in heard] == ["Hello!", "Hello!"]


async def test_the_list_hears_of_every_change(here: Here, customer: Customer) -> None:
    changed = {"conversation_id": customer.conversation_id, "mode": "waiting"}
    async with here.staff() as staff, asyncio.timeout(30), staff.stream("GET", "/v1/inbox/events") as answer:
        stream = read_stream(answer)
        first = await anext(stream)
        await here.http.post(customer.path("handoff"), json={"text": "A person"}, headers=customer.headers)
        async for sent in stream:
            if sent.event["value"] == changed:
                break

    assert first.kind == "helpgraph.inbox.v1"


async def test_a_stream_of_the_team_goes_on_where_it_was(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    async with here.staff() as staff:
        whole: list[Sent] = []
        async with staff.stream("GET", f"{of(customer)}/events") as answer:
            async for sent in read_stream(answer):
                whole.append(sent)
                if sent.kind == "RUN_FINISHED":
                    break
        for index in (1, len(whole) // 2, len(whole) - 1):
            headers = {"Last-Event-ID": str(whole[index - 1].seq)}
            async with staff.stream("GET", f"{of(customer)}/events", headers=headers) as answer:
                assert await anext(read_stream(answer)) == whole[index]

    assert "helpgraph.decision.v1" in [sent.kind for sent in whole]
    assert [sent.seq for sent in whole] == list(range(1, len(whole) + 1))


async def test_the_teams_streams_refuse_numbers_from_the_future_too(here: Here, customer: Customer) -> None:
    async with here.staff() as staff:
        for number in ("5", "9" * 30):
            async with staff.stream("GET", f"{of(customer)}/events", headers={"Last-Event-ID": number}) as answer:
                assert answer.status_code in (409, 422), number


async def test_a_team_may_keep_many_tabs_open(here: Here, customer: Customer) -> None:
    # Each tab holds the list's stream and a conversation's; a team has more than four tabs.
    async with here.staff() as staff:
        for _ in range(12):
            request = staff.build_request("GET", "/v1/inbox/events")
            answer = await staff.send(request, stream=True)
            assert answer.status_code == 200
        assert (await staff.get("/v1/inbox/bugs")).status_code == 200


async def test_bugs_are_counted_by_conversations(tmp_path: Path) -> None:
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        for _ in range(2):
            customer = await here.session(identity_token=here.identity_token())
            events = await customer.say("The export is empty")
            assert "helpgraph.ticket.v1" in [sent.kind for sent in events]
        async with here.staff() as staff:
            (bug,) = (await staff.get("/v1/inbox/bugs")).json()["bugs"]
            detail = (await staff.get(f"/v1/inbox/bugs/{bug['bug_id']}")).json()
            assert (await staff.get("/v1/inbox/bugs/BUG-99")).status_code == 404
            closed = await staff.post(f"/v1/inbox/bugs/{bug['bug_id']}/status", json={"status": "fixed"})
            assert closed.status_code == 204
            reported = (await staff.get(of(customer))).json()["bugs"]
            unbothered = (await staff.get(of(await here.session()))).json()["bugs"]

    assert reported == [{"bug_id": bug["bug_id"], "title": bug["title"], "status": "fixed"}]
    assert unbothered == []
    assert bug["occurrences"] == 2
    assert bug["status"] == "open"
    assert [report["account_id"] for report in detail["reports"]] == ["acct_1", "acct_1"]
    assert detail["draft"]["title"] == bug["title"]


async def test_whoever_waits_longer_than_promised_is_told_once(here: Here, customer: Customer) -> None:
    await customer.post("handoff", {"text": "A person, please"})
    await wait_for_mode(customer, "waiting")
    late = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(sep=" ")
    async with here.runtime.db.transaction() as conn:
        await conn.execute(text("UPDATE handoffs SET promised_by = :late"), {"late": late})
    for _ in range(2):
        await remind_overdue([here.doors])

    notices = [sent.event["value"]["code"] for sent in await customer.events(0) if sent.kind == "helpgraph.notice.v1"]
    assert notices == ["still_waiting"]
    async with here.staff() as staff:
        (row,) = await handoffs(staff)
    assert row["overdue"] is True


async def test_reminders_go_on_after_any_error(here: Here, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = asyncio.Event()
    remind = background.remind_overdue

    async def fail_once(every: Any) -> None:
        if not tried.is_set():
            tried.set()
            raise RuntimeError("on purpose")
        await remind(every)
        reminded.set()

    reminded = asyncio.Event()
    monkeypatch.setattr(background, "remind_overdue", fail_once)
    monkeypatch.setattr(background, "_SWEEP_S", 0.01)
    sweeping = asyncio.create_task(background._sweep([here.doors]))
    async with asyncio.timeout(30):
        await reminded.wait()
    sweeping.cancel()
