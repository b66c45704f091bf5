"""A person on the team in a simulated round: takes a conversation, replies, and hands it back or closes it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import uuid4

from server.agui import last_seen
from server.sse import encode, tail
from tests.chaos.plan import Shift
from tests.chaos.transcript import Deed, Refusal, Stream, Talk
from tests.simulation.network import Cut, Ended, Line, Network, Refused, received
from tests.simulation.server import WORKSPACE, Server
from tools.storage.scope import Scope

_PAUSE_S = 0.1
_LOOK_S = 0.2
_STAFF = Scope(WORKSPACE, None, "staff")


class Person:
    """One person in one conversation. Each act is sent until it is answered, under the same id."""

    def __init__(self, network: Network, address: Callable[[], Server | None], now: Callable[[], datetime]) -> None:
        self._network = network
        self._address = address
        self._now = now

    async def work(self, talk: Talk, shift: Shift, idle: asyncio.Event) -> None:
        """Begin when enough was seen of the conversation, or nothing more is to come, and go through the shift."""
        while talk.newest < shift.takes_after and not idle.is_set():
            await asyncio.sleep(_LOOK_S)
        watching = asyncio.create_task(self._watch(talk))
        await self._do(talk, Deed("take", shift.person, client_message_id=uuid4().hex), shift)
        for _ in range(shift.replies):
            await asyncio.sleep(shift.pause_s)
            await self._do(talk, Deed("reply", shift.person, f"Here is {uuid4().hex}", uuid4().hex), shift)
        await asyncio.sleep(shift.pause_s)
        await self._do(talk, Deed(shift.parting, shift.person, client_message_id=uuid4().hex), shift)
        watching.cancel()

    async def _do(self, talk: Talk, deed: Deed, shift: Shift) -> None:
        talk.deeds.append(deed)
        await asyncio.gather(*(self._send(talk, deed) for _ in range(2 if shift.doubtful else 1)))

    async def _send(self, talk: Talk, deed: Deed) -> None:
        while True:
            deed.posts += 1
            server = self._address()
            if server is not None:
                try:
                    await self._network.line(server.machine, partial(self._act, talk, deed, server)).receive()
                except Cut:
                    pass
                except Ended:
                    deed.acknowledged = True
                    return
                except Refused as exc:
                    talk.refusals.append(Refusal(deed.what, exc.status, exc.retry_after))
            await asyncio.sleep(_PAUSE_S)

    async def _act(self, talk: Talk, deed: Deed, server: Server, line: Line) -> None:
        desk, where, act_id = server.desk, talk.conversation_id, deed.client_message_id
        match deed.what:
            case "take":
                await desk.take(_STAFF, where, deed.person, self._now(), act_id=act_id)
            case "reply":
                await desk.reply(_STAFF, where, deed.text, act_id, deed.person, self._now())
            case "hand_back":
                await desk.hand_back(_STAFF, where, "Over to you", self._now(), act_id=act_id)
            case "resolve":
                await desk.resolve(_STAFF, where, "solved", "Done", self._now(), act_id=act_id)

    async def _watch(self, talk: Talk) -> None:
        """Read what only the team sees, over as many connections as it takes."""
        stream = Stream("staff")
        talk.streams.append(stream)

        async def follow(server: Server, line: Line) -> None:
            conversation = await server.log.conversation(_STAFF, talk.conversation_id)
            after = last_seen(str(stream.last), conversation) or 0
            async for logged in tail(server.doors, _STAFF, talk.conversation_id, after_seq=after, staff=True):
                line.send(encode(logged.event, logged.seq))

        while True:
            server = self._address()
            if server is not None:
                line = self._network.line(server.machine, partial(follow, server))
                try:
                    while True:
                        item = received(await line.receive())
                        if item is not None:
                            stream.received.append(item)
                except (Cut, Ended):
                    pass
                except Refused as exc:
                    if not stream.received:
                        talk.refusals.append(Refusal("GET staff events", exc.status, exc.retry_after))
            await asyncio.sleep(_PAUSE_S)
