"""A customer's client: it sends, is cut off, comes back with the same ids, and writes down what it saw."""

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.patience import PATIENCE_S, Patience
from tests.chaos.person import Person
from tests.chaos.plan import Act, Customer
from tests.chaos.reading import GONE, PAUSE_S, Address, read, refused
from tests.chaos.transcript import ENDS, Message, Received, Refusal, Stream, Talk

# Longer than any turn of an example, shorter than a ping: a server that says nothing for so long is taken for dead.
SILENCE_S = 10.0


class Client:
    """One customer. `address` names a server that may answer, another one each time where there are several."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        address: Address,
        seen: Callable[[], None],
        random: Random,
        patience: Patience | None = None,
    ) -> None:
        self._http = http
        self._address = address
        self._seen = seen
        self._random = random
        self._patience = patience or Patience()
        self._headers: dict[str, str] = {}
        self._talk: Talk | None = None
        self._refusals: list[Refusal] = []

    async def talk(self, customer: Customer, begun: Callable[[Talk], None]) -> None:
        """Hold a conversation to its end, and give it up after a time beyond all reason."""
        await asyncio.sleep(customer.begins_after_s)
        session = await self._begin()
        talk = Talk(session["conversation_id"], watched=customer.watched)
        self._headers = {"Authorization": f"Bearer {session['session_token']}"}
        talk.refusals = self._refusals
        self._talk = talk
        begun(talk)
        watching = asyncio.create_task(self._watch(talk)) if customer.watched else None
        try:
            await self._acts(talk, customer)
            if watching is not None:
                await self._see_all(talk)
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.wait([watching])

    async def peek(self) -> None:
        """Read the conversation once, and write down what came of it."""
        talk = self._talk
        if talk is None:
            return
        path = f"{self._address()}/v1/conversations/{talk.conversation_id}/messages"
        try:
            talk.reads.append((await self._http.get(path, headers=self._headers)).status_code)
        except GONE:
            talk.reads.append(0)

    async def _acts(self, talk: Talk, customer: Customer) -> None:
        if customer.shift is None:
            for act in customer.acts:
                await self._act(talk, act)
            return
        *before, last = customer.acts
        person, idle = Person(self._http, self._address, self._patience), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(person.work(talk, customer.shift, idle))
            for act in before:
                await self._act(talk, act)
            idle.set()
        await self._act(talk, last)

    async def _begin(self) -> dict[str, Any]:
        while True:
            try:
                answer = await self._http.post(f"{self._address()}/v1/sessions", json={})
                if answer.status_code == 200:
                    session: dict[str, Any] = answer.json()
                    return session
                self._refusals.append(
                    Refusal("POST /v1/sessions", answer.status_code, answer.headers.get("retry-after"))
                )
            except GONE:
                pass
            await asyncio.sleep(PAUSE_S)

    async def _act(self, talk: Talk, act: Act) -> None:
        sayings = []
        for text in act.texts:
            message = Message(uuid4().hex, text, sent_at=time.monotonic())
            talk.messages.append(message)
            sayings.append(self._say(talk, message, leaves_after=act.leaves_after if act.how == "leave" else None))
            if act.how == "twice":
                sayings.append(self._say(talk, message, leaves_after=None))
        await asyncio.gather(*sayings)

    async def _say(self, talk: Talk, message: Message, *, leaves_after: int | None) -> None:
        """Send a message until its run's end was seen: anew with the same id, or by what follows the last event."""
        try:
            await self._patience.wait(self._to_its_end(talk, message, leaves_after))
        except TimeoutError:
            talk.problems.append(f"message {message.message_id} had no end after {PATIENCE_S:.0f} s")

    async def _to_its_end(self, talk: Talk, message: Message, leaves_after: int | None) -> None:
        run_id = f"run-{message.message_id}"
        while True:
            stream = await self._post(talk, message, run_id, leaves_after)
            leaves_after = None
            while not stream.ended and stream.last and self._random.random() < 0.5:
                stream = await self._resume(talk, stream, run_id)
            if stream.ended:
                message.ended_at = message.ended_at or time.monotonic()
                return
            await asyncio.sleep(PAUSE_S)

    async def _post(self, talk: Talk, message: Message, run_id: str, leaves_after: int | None) -> Stream:
        body = {
            "threadId": talk.conversation_id,
            "runId": run_id,
            "messages": [{"id": message.message_id, "role": "user", "content": message.text}],
        }
        stream = Stream("run", message.message_id, run_id)
        message.posts += 1
        try:
            async with self._http.stream(
                "POST", f"{self._address()}/v1/agui", json=body, headers=self._headers
            ) as answer:
                if answer.status_code != 200:
                    await refused(talk, answer)
                    return stream
                message.acknowledged = True
                talk.streams.append(stream)
                async for item in read(answer):
                    stream.received.append(item)
                    self._count(talk, item)
                    if stream.ended or (leaves_after is not None and len(stream.received) >= leaves_after):
                        break
        except GONE:
            pass
        return stream

    async def _resume(self, talk: Talk, cut: Stream, run_id: str) -> Stream:
        stream = Stream("resume", cut.message_id, run_id, after=cut.last)
        try:
            async with self._http.stream(
                "GET", self._events(talk), headers={**self._headers, "Last-Event-ID": str(cut.last)}
            ) as answer:
                if answer.status_code != 200:
                    await refused(talk, answer)
                    return cut
                talk.streams.append(stream)
                async for item in read(answer):
                    stream.received.append(item)
                    self._count(talk, item)
                    if item.event.get("type") in ENDS and item.event.get("runId") == run_id:
                        return stream
        except GONE:
            pass
        await asyncio.sleep(PAUSE_S)
        # The end of another run isn't the end of this one: only sending the message again tells.
        return Stream("resume", cut.message_id, run_id, after=stream.last)

    async def _watch(self, talk: Talk) -> None:
        """Read the whole log of the conversation, over as many connections as it takes."""
        stream = Stream("follow")
        talk.streams.append(stream)
        while True:
            try:
                async with self._http.stream(
                    "GET",
                    self._events(talk),
                    params={"follow": "true"},
                    headers={**self._headers, "Last-Event-ID": str(stream.last)},
                ) as answer:
                    if answer.status_code == 200:
                        async for item in read(answer):
                            stream.received.append(item)
                            self._count(talk, item)
                    else:
                        await refused(talk, answer)
            except GONE:
                pass
            await asyncio.sleep(PAUSE_S)

    async def _see_all(self, talk: Talk) -> None:
        """Wait until the watcher has what the conversation has."""
        try:
            await self._patience.wait(self._until_all_is_seen(talk))
        except TimeoutError:
            talk.problems.append("the watcher didn't see the conversation's last event")

    async def _until_all_is_seen(self, talk: Talk) -> None:
        watched = next(stream for stream in talk.streams if stream.kind == "follow")
        path = f"/v1/conversations/{talk.conversation_id}/messages"
        while True:
            try:
                answer = await self._http.get(f"{self._address()}{path}", headers=self._headers)
                if answer.status_code == 200 and int(answer.json()["last_event_id"]) == watched.last:
                    return
            except GONE:
                pass
            await asyncio.sleep(PAUSE_S)

    def _count(self, talk: Talk, item: Received) -> None:
        """Count what is new: a stream that was asked for anew repeats what it has told."""
        if item.seq is not None and item.seq > talk.newest:
            talk.newest = item.seq
            self._seen()

    def _events(self, talk: Talk) -> str:
        return f"{self._address()}/v1/conversations/{talk.conversation_id}/events"
