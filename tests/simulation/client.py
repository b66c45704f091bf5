"""A customer's client in a simulated round: it behaves as that of the chaotic rounds, over lines instead of sockets."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random
from uuid import uuid4

from agent.types import Identity
from graphs.turns import SubmittedMessage
from server.agui import last_seen, resume, run_events
from server.run_stream import RunStream
from tests.chaos.plan import Act, Customer
from tests.chaos.transcript import ENDS, Message, Received, Refusal, Stream, Talk
from tests.simulation.network import Cut, Ended, Line, Network, Refused, received, send_all
from tests.simulation.person import Person
from tests.simulation.server import WORKSPACE, Server
from tools.storage.scope import Scope

PAUSE_S = 0.1
_LOOK_S = 3.0
_ACCEPTED = "accepted"


class Client:
    """One customer. `address` names a server that may answer, if there is one."""

    def __init__(
        self,
        network: Network,
        address: Callable[[], Server | None],
        now: Callable[[], datetime],
        random: Random,
    ) -> None:
        self._network = network
        self._address = address
        self._now = now
        self._random = random
        self._scope = Scope(WORKSPACE, f"visitor:{uuid4().hex}", "customer")

    async def talk(self, customer: Customer, begun: Callable[[Talk], None]) -> None:
        """Hold a conversation to its end, however long that takes."""
        await asyncio.sleep(customer.begins_after_s)
        talk = Talk(await self._begin(uuid4().hex), watched=customer.watched)
        begun(talk)
        watching = asyncio.create_task(self._watch(talk)) if customer.watched else None
        await self._acts(talk, customer)
        if watching is not None:
            await self._see_all(talk)
            watching.cancel()

    async def _acts(self, talk: Talk, customer: Customer) -> None:
        if customer.shift is None:
            for act in customer.acts:
                await self._act(talk, act)
            return
        *before, last = customer.acts
        person, idle = Person(self._network, self._address, self._now), asyncio.Event()
        working = asyncio.create_task(person.work(talk, customer.shift, idle))
        for act in before:
            await self._act(talk, act)
        idle.set()
        await working
        await self._act(talk, last)

    async def _begin(self, thread_id: str) -> str:
        async def create(server: Server, line: Line) -> None:
            made = await server.log.create_conversation(
                self._scope,
                thread_id=thread_id,
                identity=Identity(),
                channel="widget",
                language="en",
                now=self._now(),
            )
            line.send(made.conversation_id)

        while True:
            if (server := self._address()) is not None:
                try:
                    return str(await self._network.line(server.machine, partial(create, server)).receive())
                except (Cut, Refused):
                    pass
            await asyncio.sleep(PAUSE_S)

    async def _act(self, talk: Talk, act: Act) -> None:
        sayings = []
        for text in act.texts:
            message = Message(uuid4().hex, text, sent_at=self._network.loop.time())
            talk.messages.append(message)
            sayings.append(self._say(talk, message, leaves_after=act.leaves_after if act.how == "leave" else None))
            if act.how == "twice":
                sayings.append(self._say(talk, message, leaves_after=None))
        await asyncio.gather(*sayings)

    async def _say(self, talk: Talk, message: Message, *, leaves_after: int | None) -> None:
        """Send a message until its run's end was seen: anew with the same id, or by what follows the last event."""
        run_id = f"run-{message.message_id}"
        # Some who left only look in again, now and then: nothing of theirs reminds a server of the turn.
        looks_in = leaves_after is not None and self._random.random() < 0.5
        while True:
            stream = await self._post(talk, message, run_id, leaves_after)
            leaves_after = None
            while not stream.ended and stream.last and (looks_in or self._random.random() < 0.5):
                await asyncio.sleep(_LOOK_S if looks_in else 0)
                stream = await self._resume(talk, stream, None if looks_in else run_id)
            if stream.ended:
                message.ended_at = message.ended_at or self._network.loop.time()
                return
            await asyncio.sleep(PAUSE_S)

    async def _post(self, talk: Talk, message: Message, run_id: str, leaves_after: int | None) -> Stream:
        async def post(server: Server, line: Line) -> None:
            said = SubmittedMessage(message.message_id, message.text, run_id)
            accepted = await server.turns.submit(self._scope, talk.conversation_id, said)
            line.send(_ACCEPTED)
            run = RunStream(run_id=run_id, thread_id=talk.conversation_id)
            await send_all(line, run_events(server.doors, self._scope, talk.conversation_id, accepted, run))

        stream = Stream("run", message.message_id, run_id)
        message.posts += 1
        server = self._address()
        if server is None:
            return stream
        line = self._network.line(server.machine, partial(post, server))
        try:
            await line.receive()
        except Refused as exc:
            talk.refusals.append(Refusal("POST /v1/agui", exc.status, exc.retry_after))
            return stream
        except (Cut, Ended):
            return stream
        message.acknowledged = True
        talk.streams.append(stream)

        def enough(item: Received) -> bool:
            return stream.ended or (leaves_after is not None and len(stream.received) >= leaves_after)

        await self._read(talk, line, stream, enough)
        return stream

    async def _resume(self, talk: Talk, cut: Stream, run_id: str | None) -> Stream:
        """Go on after what was seen, to the end of a run; to that of any run without its id."""
        stream = Stream("resume", cut.message_id, cut.run_id, after=cut.last)

        def enough(item: Received) -> bool:
            return item.event.get("type") in ENDS and run_id in (None, item.event.get("runId"))

        if await self._follow(talk, stream, enough, follow=False):
            return stream
        await asyncio.sleep(PAUSE_S)
        # The end of another run isn't the end of this one: only sending the message again tells.
        return Stream("resume", cut.message_id, cut.run_id, after=stream.last)

    async def _watch(self, talk: Talk) -> None:
        """Read the whole log of the conversation, over as many connections as it takes."""
        stream = Stream("follow")
        talk.streams.append(stream)
        while True:
            await self._follow(talk, stream, lambda item: False, follow=True)
            await asyncio.sleep(PAUSE_S)

    async def _follow(self, talk: Talk, stream: Stream, enough: Callable[[Received], bool], *, follow: bool) -> bool:
        """Read on after the last event, as `Last-Event-ID` has it; whether it was enough."""

        async def go_on(server: Server, line: Line) -> None:
            conversation = await server.log.conversation(self._scope, talk.conversation_id)
            after = last_seen(str(stream.last), conversation) or 0
            line.send(_ACCEPTED)
            await send_all(line, resume(server.doors, self._scope, conversation, after_seq=after, follow=follow))

        server = self._address()
        if server is None:
            return False
        line = self._network.line(server.machine, partial(go_on, server))
        try:
            await line.receive()
        except Refused as exc:
            talk.refusals.append(Refusal("GET events", exc.status, exc.retry_after))
            return False
        except (Cut, Ended):
            return False
        if not follow:
            talk.streams.append(stream)
        return await self._read(talk, line, stream, enough)

    async def _read(self, talk: Talk, line: Line, stream: Stream, enough: Callable[[Received], bool]) -> bool:
        """Read a stream until it ends or is enough; whether it was."""
        while True:
            try:
                item = received(await line.receive())
            except (Cut, Ended, Refused):
                # Once a stream has begun an error can only break it off.
                return False
            if item is None:
                continue
            stream.received.append(item)
            if item.seq is not None and item.seq > talk.newest:
                talk.newest = item.seq
            if enough(item):
                line.leave()
                return True

    async def _see_all(self, talk: Talk) -> None:
        """Wait until the watcher has what the conversation has."""
        watched = next(stream for stream in talk.streams if stream.kind == "follow")

        async def look(server: Server, line: Line) -> None:
            line.send((await server.log.conversation(self._scope, talk.conversation_id)).last_seq)

        while True:
            if (server := self._address()) is not None:
                try:
                    if await self._network.line(server.machine, partial(look, server)).receive() == watched.last:
                        return
                except (Cut, Ended, Refused):
                    pass
            await asyncio.sleep(PAUSE_S)
