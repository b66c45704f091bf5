"""The team's own system that is told by webhooks: it fails as it likes, isn't there at times, and keeps a journal."""

import asyncio
import json
from collections import Counter
from random import Random
from typing import Self

from standardwebhooks import Webhook, WebhookVerificationError

from tests.chaos.transcript import Told

# Most are taken, or a round would never end; "lost" is taken, and the answer doesn't arrive.
_ANSWERS = (*["taken"] * 74, *["lost"] * 2, "503", "400", "slow", "reset")
_SLOW_S = 0.7
_AWAY_S = 1.5


class Receiver:
    """Open within `async with`; what it answers follows from the seed of `begin`, a `steady` one takes everything."""

    def __init__(self, *, steady: bool = False) -> None:
        self._answers = ("taken",) if steady else _ANSWERS
        self._random = Random(0)  # noqa: S311  # Not for secrets.
        self._server: asyncio.Server | None = None
        self._away = False
        self.secret = ""
        self.journal: list[Told] = []
        self.forged = 0
        self.said: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """What it is to be told at."""
        return f"http://127.0.0.1:{self.port}/hooks"

    def begin(self, seed: str) -> None:
        """Begin a round."""
        self._random = Random(f"{seed}:receiver")  # noqa: S311  # Not for secrets.
        self.said.clear()

    async def come_and_go(self) -> None:
        """Be away for a while, now and then, for ever: whoever comes is cut off."""
        while True:
            await asyncio.sleep(self._random.uniform(3, 10))
            self._away = True
            await asyncio.sleep(self._random.uniform(0, _AWAY_S))
            self._away = False

    def stay(self) -> None:
        """The storm is over: be there."""
        self._away = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            status = await self._answer(headers, body)
            if status is not None:
                writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            # The sender was killed in the middle.
            return
        finally:
            writer.close()

    async def _answer(self, headers: dict[str, str], body: bytes) -> int | None:
        """The status, or None for a connection that breaks off."""
        if self._away:
            self.said["away"] += 1
            return None
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return 401
        answer = self._random.choice(self._answers)
        self.said[answer] += 1
        if answer == "slow":
            await asyncio.sleep(_SLOW_S)
        if answer.isdigit():
            return int(answer)
        if answer == "reset":
            return None
        self.journal.append(Told(headers["webhook-id"], json.loads(body)))
        return None if answer == "lost" else 204
