"""Clients of streams that come and go, and what the log says that each has to have read by then."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from tests.server.harness import Event, Here, Sent, read_stream
from tests.server.judge import ENDS, check
from tools.storage.schema import events

PATIENCE_S = 10.0
# What a stream of one run passes on as it is. What it adds by itself, or leaves out, the judge looks at.
_TOLD = ("CUSTOM", "MESSAGES_SNAPSHOT", "TEXT_MESSAGE_CONTENT", *ENDS)


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the table has it, whoever may see it."""

    seq: int
    turn_id: str | None
    audience: str
    event: Event

    @property
    def kind(self) -> str:
        return str(self.event["type"])


async def rows_of(here: Here, conversation_id: str) -> list[Row]:
    """A conversation's events, read past everything that decides who sees what."""
    query = select(events).where(events.c.conversation_id == conversation_id).order_by(events.c.seq)
    async with here.runtime.db.reading() as conn:
        return [Row(row.seq, row.turn_id, row.audience, row.event) for row in await conn.execute(query)]


class Line:
    """One connection with a stream, of which as much is read as is asked for."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._sent = read_stream(answer)

    @classmethod
    async def open(
        cls,
        http: httpx.AsyncClient,
        path: str,
        headers: Mapping[str, str],
        *,
        after: int | None = None,
        body: object = None,
        follow: bool = False,
    ) -> "Line":
        """Ask for a stream; with a body, by POST."""
        last = {} if after is None else {"Last-Event-ID": str(after)}
        method = "GET" if body is None else "POST"
        params = {"follow": "true"} if follow else {}
        request = http.build_request(method, path, headers={**headers, **last}, json=body, params=params)
        answer = await http.send(request, stream=True)
        if answer.status_code != 200:
            await answer.aread()
        assert answer.status_code == 200, answer.text
        return cls(answer)

    async def next(self) -> Sent:
        """The next event, which has to be there."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await anext(self._sent)
        except TimeoutError:
            raise AssertionError("an event that is in the log doesn't come") from None
        except StopAsyncIteration:
            raise AssertionError("the stream ends before its time") from None

    async def rest(self) -> list[Sent]:
        """What comes until the stream ends, which it has to."""
        async with asyncio.timeout(PATIENCE_S):
            return [sent async for sent in self._sent]

    async def close(self) -> None:
        """Go away without a word."""
        await self._answer.aclose()


@dataclass
class Reader:
    """Reads a conversation's log after an event, over as many connections as it takes."""

    conversation_id: str
    after: int
    staff: bool = False
    read: list[Sent] = field(default_factory=list)
    line: Line | None = None
    until: str | None = None
    """The turn whose end is the end of this connection; None when it stays open."""

    @property
    def last(self) -> int:
        """The number with which it comes back."""
        seq = self.read[-1].seq if self.read else self.after
        assert seq is not None
        return seq

    def due(self, rows: Sequence[Row]) -> list[Row]:
        """What it hasn't read yet and its connection has to bring."""
        due = [row for row in rows if row.seq > self.last and (self.staff or row.audience == "all")]
        ends = (n for n, row in enumerate(due, start=1) if row.turn_id == self.until and row.kind in ENDS)
        return due if self.until is None else due[: next(ends, len(due))]

    async def take(self, count: int, rows: Sequence[Row]) -> None:
        """Read the next events, which have to be the log's."""
        assert self.line is not None
        for row in self.due(rows)[:count]:
            sent = await self.line.next()
            assert (sent.seq, sent.event) == (row.seq, row.event)
            self.read.append(sent)
            if row.turn_id == self.until and row.kind in ENDS:
                assert await self.line.rest() == []
                await self.leave()

    async def leave(self) -> None:
        """Go away; what was read is kept."""
        if self.line is not None:
            await self.line.close()
        self.line, self.until = None, None


@dataclass
class RunReader:
    """Reads one run, as the stream of a message or of somebody who joins it shows it.

    `after`: the event behind which the log is told. `open_id`: the message that was being written when it joined.
    """

    conversation_id: str
    turn_id: str
    run_id: str | None
    after: int
    line: Line
    open_id: str | None = None
    received: list[Sent] = field(default_factory=list)
    told: int = 0

    def due(self, rows: Sequence[Row]) -> list[Row]:
        """Everything of the run that the stream has to pass on, what it did already included."""
        return list(self._due(rows))

    def _due(self, rows: Sequence[Row]) -> Iterator[Row]:
        open_id = self.open_id
        for row in rows:
            if row.turn_id != self.turn_id or row.audience != "all" or row.seq <= self.after:
                continue
            if row.kind == "TEXT_MESSAGE_START":
                open_id = row.event["messageId"]
            if row.kind == "TEXT_MESSAGE_CONTENT" and row.event["messageId"] != open_id:
                continue
            if row.kind in _TOLD:
                yield row
            if row.kind in ENDS:
                return

    async def take(self, count: int, rows: Sequence[Row]) -> bool:
        """Read the next events of the log and what is told with them; whether the run is over with that."""
        due = self.due(rows)
        target = min(len(due), self.told + count)
        while self.told < target:
            sent = await self.line.next()
            self.received.append(sent)
            row = due[self.told]
            if sent.event["type"] in _TOLD:
                assert (sent.seq, sent.event) == (row.seq, self._as_the_caller_calls_it(row.event))
                self.told += 1
            elif sent.seq is not None:
                assert self.after <= sent.seq < row.seq, f"numbered {sent.seq}, and {row.seq} is still to come"
        if not self.told or due[self.told - 1].kind not in ENDS:
            return False
        assert await self.line.rest() == []
        check(self.received, thread_id=self.conversation_id, run_id=self.run_id)
        return True

    @property
    def last(self) -> int | None:
        """The number with which it comes back, if it was given one."""
        return next((sent.seq for sent in reversed(self.received) if sent.seq is not None), None)

    def _as_the_caller_calls_it(self, event: Event) -> Event:
        ends = event["type"] in ENDS and self.run_id is not None
        return {**event, "runId": self.run_id} if ends else event


def spoken(rows: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Author and text of each finished message by its id, in order."""
    values: list[dict[str, Any]] = [row.event["value"] for row in rows if row.event.get("name") == _MESSAGE]
    return {value["message_id"]: (value["author"], value["text"]) for value in values}


def being_written(rows: Sequence[Row], turn_id: str) -> tuple[str, str] | None:
    """The message that a turn is writing, and its text so far."""
    found: tuple[str, str] | None = None
    for row in rows:
        if row.turn_id != turn_id:
            continue
        if row.kind == "TEXT_MESSAGE_START":
            found = (row.event["messageId"], "")
        elif row.kind == "TEXT_MESSAGE_CONTENT" and found is not None:
            found = (found[0], found[1] + row.event["delta"])
        elif row.kind in ("TEXT_MESSAGE_END", "MESSAGES_SNAPSHOT"):
            found = None
    return found


_MESSAGE = "helpgraph.message.v1"
