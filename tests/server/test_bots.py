"""A bot finds its conversations again: by the name that it gave them, or by the id that it was told."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest
from openai.types.chat import ChatCompletionMessageParam

from graphs.stores import stores_of
from graphs.webhooks import webhooks
from tests.server.harness import BOT_KEYS, Customer, Here, Sent, bearer, read_stream, run_input
from tests.server.hooks import listening
from tests.server.official import official

QUESTION = "Where are my invoices?"
ANSWER = "Invoices are under **Billing > History**."


@dataclass
class Bot:
    """Somebody with a key."""

    here: Here
    key: str = BOT_KEYS[0]

    async def run(self, thread_id: str, text: str = QUESTION) -> tuple[str, list[Sent]]:
        """The conversation's id and the run."""
        body, headers = run_input(thread_id, text), bearer(self.key)
        async with self.here.http.stream("POST", "/v1/agui", json=body, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            return answer.headers["X-Conversation-Id"], [sent async for sent in read_stream(answer)]

    async def chat(self, name: str | None, text: str = QUESTION) -> httpx.Response:
        """An answer in OpenAI's format."""
        headers = bearer(self.key) | ({} if name is None else {"X-Conversation-Id": name})
        body = {"messages": [{"role": "user", "content": text}]}
        answer = await self.here.http.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    async def get(self, name: str, action: str, **headers: str) -> httpx.Response:
        path = f"/v1/conversations/{name}/{action}"
        return await self.here.http.get(path, headers={**bearer(self.key), **headers})

    async def post(self, name: str, action: str, body: object = None) -> httpx.Response:
        path = f"/v1/conversations/{name}/{action}"
        return await self.here.http.post(path, json=body, headers=bearer(self.key))


@pytest.fixture
def bot(here: Here) -> Bot:
    return Bot(here)


async def test_a_bot_goes_on_by_its_own_name_and_by_the_id_it_was_told(bot: Bot) -> None:
    conversation_id, events = await bot.run("ticket 7")
    seen = events[0].seq

    assert conversation_id != "ticket 7"
    rests = [await bot.get(name, "events", **{"Last-Event-ID": str(seen)}) for name in ("ticket 7", conversation_id)]
    assert rests[0].text.count("RUN_FINISHED") == rests[1].text.count("RUN_FINISHED") == 1
    for name in ("ticket 7", conversation_id):
        found = await bot.get(name, "messages")
        assert [message["author"] for message in found.json()["messages"][:2]] == ["customer", "bot"]
        assert (await bot.post(name, "typing")).status_code == 204
        assert (await bot.post(name, "rating", {"stars": 5})).status_code == 204
        assert (await bot.post(name, "handoff", {"client_message_id": "wish"})).status_code == 202


async def test_openais_format_says_both_and_takes_either(bot: Bot) -> None:
    first = await bot.chat("ticket 7")
    said = first.json()["helpgraph"]

    assert said["thread_id"] == "ticket 7"
    assert said["conversation_id"] == first.headers["X-Conversation-Id"] != "ticket 7"
    for name in ("ticket 7", said["conversation_id"]):
        assert (await bot.chat(name)).json()["helpgraph"]["conversation_id"] == said["conversation_id"]
    assert (await bot.run(said["conversation_id"]))[0] == said["conversation_id"]
    assert len((await bot.get("ticket 7", "messages")).json()["messages"]) == 8


async def test_a_message_that_a_person_has_is_never_answered_by_nothing(here: Here, bot: Bot) -> None:
    said = (await bot.chat("ticket 7")).json()["helpgraph"]
    assert (said["mode"], said["outcome"]) == ("bot", "answered")
    async with here.staff() as staff:
        desk = f"/v1/inbox/conversations/{said['conversation_id']}"
        assert (await staff.post(f"{desk}/take", json={"person": "Grace"})).is_success

        whole = (await bot.chat("ticket 7", "Are you there?")).json()
        async with official(here, bot.key) as client:
            messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello?"}]
            stream = await client.chat.completions.create(
                model="helpgraph", messages=messages, stream=True, user="ticket 7"
            )
            chunks = [chunk async for chunk in stream]

        words = whole["choices"][0]["message"]["content"]
        assert words == "Your message has been passed on to our team."
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == words
        last = (chunks[-1].model_extra or {})["helpgraph"]
        for said in (whole["helpgraph"], last):
            assert (said["mode"], said["outcome"], said["thread_id"]) == ("with_person", "delivered", "ticket 7")
        assert chunks[-1].choices[0].finish_reason == "stop"

        # What the person says then comes by the stream.
        seen = (await bot.get("ticket 7", "messages")).json()["last_event_id"]
        reply = {"text": "Here I am.", "client_message_id": "r1", "person": "Grace"}
        assert (await staff.post(f"{desk}/reply", json=reply)).is_success
    path, headers = "/v1/conversations/ticket 7/events?follow=true", {**bearer(bot.key), "Last-Event-ID": seen}
    async with here.http.stream("GET", path, headers=headers) as answer:
        heard = await anext(read_stream(answer))
    assert (heard.kind, heard.event["value"]["author"], heard.event["value"]["text"]) == (
        "helpgraph.message.v1",
        "person",
        "Here I am.",
    )
    assert "passed on" not in (await bot.get("ticket 7", "messages")).text


async def test_without_a_name_the_id_is_how_to_go_on(bot: Bot) -> None:
    said = (await bot.chat(None)).json()["helpgraph"]

    assert (await bot.chat(said["conversation_id"])).json()["helpgraph"] | {"citations": []} == said | {"citations": []}
    assert len((await bot.get(said["thread_id"], "messages")).json()["messages"]) == 4


async def test_anothers_name_and_id_are_not_there(here: Here, bot: Bot) -> None:
    other = Bot(here, BOT_KEYS[1])
    conversation_id, _ = await bot.run("t1")

    refused = [await other.get(name, "messages") for name in ("t1", conversation_id, "never was")]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, refused[2].content)}
    # Named by another, they are names like any other.
    for name in ("t1", conversation_id):
        own_id, _ = await other.run(name)
        assert own_id != conversation_id
        assert len((await other.get(name, "messages")).json()["messages"]) == 2
    assert len((await bot.get("t1", "messages")).json()["messages"]) == 2
    # Names are their bots' own: the team goes by ids.
    async with here.staff() as staff:
        assert (await staff.get("/v1/inbox/conversations/t1")).status_code == 404


async def test_a_sessions_other_threads_are_beside_its_conversation(here: Here, customer: Customer) -> None:
    body = run_input("another thread", QUESTION)
    answer = await here.http.post("/v1/agui", json=body, headers=customer.headers)

    assert answer.headers["X-Conversation-Id"] != customer.conversation_id
    listed = await here.http.get("/v1/conversations/another%20thread/messages", headers=customer.headers)
    assert len(listed.json()["messages"]) == 2
    assert (await here.http.get(customer.path("messages"), headers=customer.headers)).json()["messages"] == []


async def test_webhooks_name_the_thread_too(here: Here, bot: Bot) -> None:
    with listening() as hooks:
        given = {"do": "add", "name": "crm", "url": hooks.url, "kinds": ["turn.ended"]}
        hooks.secret = (await webhooks(stores_of(here.runtime), given))["secret"]
        conversation_id, _ = await bot.run("ticket 7")
        [told] = await asyncio.to_thread(hooks.wait_for, lambda taken: taken)

    assert (told.body["data"]["conversation_id"], told.body["data"]["thread_id"]) == (conversation_id, "ticket 7")
