"""A person on the team in the storm: takes a conversation, replies, and hands it back or closes it."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.patience import PATIENCE_S, Patience
from tests.chaos.plan import Shift
from tests.chaos.reading import GONE, PAUSE_S, Address, read, refused
from tests.chaos.transcript import Deed, Stream, Talk


class Person:
    """One person in one conversation. Each act is sent until it is answered, under the same id."""

    def __init__(self, http: httpx.AsyncClient, address: Address, patience: Patience) -> None:
        self._http = http
        self._address = address
        self._patience = patience

    async def work(self, talk: Talk, shift: Shift, idle: asyncio.Event) -> None:
        """Begin when enough was seen of the conversation, or nothing more is to come, and go through the shift."""
        while talk.newest < shift.takes_after and not idle.is_set():
            await asyncio.sleep(0.02)
        watching = asyncio.create_task(self._watch(talk))
        try:
            await self._do(talk, Deed("take", shift.person, client_message_id=uuid4().hex), shift)
            for _ in range(shift.replies):
                await asyncio.sleep(shift.pause_s)
                await self._do(talk, Deed("reply", shift.person, f"Here is {uuid4().hex}", uuid4().hex), shift)
            await asyncio.sleep(shift.pause_s)
            await self._do(talk, Deed(shift.parting, shift.person, client_message_id=uuid4().hex), shift)
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def _do(self, talk: Talk, deed: Deed, shift: Shift) -> None:
        talk.deeds.append(deed)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(2 if shift.doubtful else 1):
                    group.create_task(self._patience.wait(self._send(talk, deed)))
        except* TimeoutError:
            talk.problems.append(f"{deed.what} by {deed.person} wasn't answered within {PATIENCE_S:.0f} s")

    async def _send(self, talk: Talk, deed: Deed) -> None:
        while True:
            deed.posts += 1
            try:
                answer = await self._http.post(
                    f"{self._address()}/v1/inbox/conversations/{talk.conversation_id}/{deed.what}",
                    json=_body(deed),
                    headers={} if deed.what == "reply" else {"Idempotency-Key": deed.client_message_id},
                )
            except GONE:
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code == 200:
                deed.acknowledged = True
                return
            await refused(talk, answer)

    async def _watch(self, talk: Talk) -> None:
        """Read what only the team sees, over as many connections as it takes."""
        stream = Stream("staff")
        talk.streams.append(stream)
        while True:
            path = f"{self._address()}/v1/inbox/conversations/{talk.conversation_id}/events"
            try:
                async with self._http.stream("GET", path, headers={"Last-Event-ID": str(stream.last)}) as answer:
                    if answer.status_code == 200:
                        async for item in read(answer):
                            stream.received.append(item)
                    else:
                        await refused(talk, answer)
            except GONE:
                pass
            await asyncio.sleep(PAUSE_S)


def _body(deed: Deed) -> dict[str, Any]:
    match deed.what:
        case "take":
            return {"person": deed.person}
        case "reply":
            return {"person": deed.person, "text": deed.text, "client_message_id": deed.client_message_id}
        case "hand_back":
            return {"note": "Over to you"}
        case "resolve":
            return {"outcome": "solved", "note": "Done"}
