"""A customer's client: it sends, is cut off, comes back with the same ids, and writes down what it saw."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.plan import Act, Customer
from tests.chaos.transcript import ENDS, Message, Received, Stream, Talk

# Longer than any turn of an example, shorter than a ping: a server that says nothing for so long is taken for dead.
SILENCE_S = 10.0
PATIENCE_S = 90.0
_PAUSE_S = 0.1
_GONE = (httpx.TransportError, httpx.StreamError)

Address = Callable[[], str]


class Client:
    """One customer. `address` names a server that may answer, another one each time where there are several."""

    def __init__(self, http: httpx.AsyncClient, address: Address, seen: Callable[[], None], random: Random) -> None:
        self._http = http
        self._address = address
        self._seen = seen
        self._random = random
        self._headers: dict[str, str] = {}
        self._told: Callable[[Talk], None] = lambda talk: None

    async def talk(self, customer: Customer, begun: Callable[[Talk], None]) -> None:
        """Hold a conversation to its end, and give it up after a time beyond all reason."""
        await asyncio.sleep(customer.begins_after_s)
        session = await self._begin()
        talk = Talk(session["conversation_id"], watched=customer.watched)
        self._headers = {"Authorization": f"Bearer {session['session_token']}"}
        begun(talk)
        watching = asyncio.create_task(self._watch(talk)) if customer.watched else None
        try:
            for act in customer.acts:
                await self._act(talk, act)
            if watching is not None:
                await self._see_all(talk)
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.wait([watching])

    async def _begin(self) -> dict[str, Any]:
        while True:
            try:
                answer = await self._http.post(f"{self._address()}/v1/sessions", json={})
                if answer.status_code == 200:
                    session: dict[str, Any] = answer.json()
                    return session
            except _GONE:
                pass
            await asyncio.sleep(_PAUSE_S)

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
        run_id = f"run-{message.message_id}"
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    stream = await self._post(talk, message, run_id, leaves_after)
                    leaves_after = None
                    while not stream.ended and stream.last and self._random.random() < 0.5:
                        stream = await self._resume(talk, stream, run_id)
                    if stream.ended:
                        message.ended_at = message.ended_at or time.monotonic()
                        return
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            talk.problems.append(f"message {message.message_id} had no end after {PATIENCE_S:.0f} s")

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
                    await self._refused(talk, answer)
                    return stream
                message.acknowledged = True
                talk.streams.append(stream)
                async for item in read(answer):
                    stream.received.append(item)
                    self._seen()
                    if stream.ended or (leaves_after is not None and len(stream.received) >= leaves_after):
                        break
        except _GONE:
            pass
        return stream

    async def _resume(self, talk: Talk, cut: Stream, run_id: str) -> Stream:
        stream = Stream("resume", cut.message_id, run_id, after=cut.last)
        try:
            async with self._http.stream(
                "GET", self._events(talk), headers={**self._headers, "Last-Event-ID": str(cut.last)}
            ) as answer:
                if answer.status_code != 200:
                    await self._refused(talk, answer)
                    return cut
                talk.streams.append(stream)
                async for item in read(answer):
                    stream.received.append(item)
                    self._seen()
                    if item.event.get("type") in ENDS and item.event.get("runId") == run_id:
                        return stream
        except _GONE:
            pass
        await asyncio.sleep(_PAUSE_S)
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
                            self._seen()
                    else:
                        await self._refused(talk, answer)
            except _GONE:
                pass
            await asyncio.sleep(_PAUSE_S)

    async def _see_all(self, talk: Talk) -> None:
        """Wait until the watcher has what the conversation has."""
        watched = next(stream for stream in talk.streams if stream.kind == "follow")
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        path = f"{self._address()}/v1/conversations/{talk.conversation_id}/messages"
                        answer = await self._http.get(path, headers=self._headers)
                        if answer.status_code == 200 and int(answer.json()["last_event_id"]) == watched.last:
                            return
                    except _GONE:
                        pass
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            talk.problems.append("the watcher didn't see the conversation's last event")

    def _events(self, talk: Talk) -> str:
        return f"{self._address()}/v1/conversations/{talk.conversation_id}/events"

    async def _refused(self, talk: Talk, answer: httpx.Response) -> None:
        """A server may say that it can't now; anything else is a fault of ours."""
        await answer.aread()
        if answer.status_code not in (503, 507):
            talk.problems.append(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
            )
        await asyncio.sleep(_PAUSE_S)


async def read(answer: httpx.Response) -> AsyncIterator[Received]:
    """The events of a stream; what a cut leaves of one is thrown away."""
    rest = ""
    async for text in answer.aiter_text():
        rest += text
        *parts, rest = rest.split("\n\n")
        for part in parts:
            fields = [line.partition(": ") for line in part.split("\n") if not line.startswith(":")]
            data = "\n".join(value for name, _, value in fields if name == "data")
            numbers = [value for name, _, value in fields if name == "id"]
            if data:
                yield Received(json.loads(data), int(numbers[0]) if numbers else None)
