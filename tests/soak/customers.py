"""The load: customers who ask, wait, leave early, come back by number, wish for a person, and are erased."""

import asyncio
import sys
from collections import Counter, deque
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.plan import BUGS, QUESTIONS, WISHES
from tests.chaos.reading import read
from tests.chaos.transcript import ENDS
from tests.forking import ROOT

_PATIENCE_S = 120.0


class Customers:
    """Everybody who uses the server, and counts of what they did. A failure of one is a failure of the soak."""

    def __init__(self, http: httpx.AsyncClient, random: Random) -> None:
        self._http = http
        self._random = random
        self.counts: Counter[str] = Counter()
        self._over: deque[str] = deque(maxlen=100)

    @property
    def turns(self) -> int:
        """How many turns have been answered."""
        return self.counts["turns"]

    async def come_and_go(self, until: asyncio.Event) -> None:
        """One conversation after the other."""
        while not until.is_set():
            async with asyncio.timeout(_PATIENCE_S):
                await self._converse()

    async def erase_now_and_then(self, until: asyncio.Event, data_dir: Path, environment: dict[str, str]) -> None:
        """Erase a conversation that is over, by the command of an operator, and rest for half a minute."""
        while not until.is_set():
            if self._over:
                erase = ("erase", "--conversation", self._over.popleft(), "--yes", "--data-dir", str(data_dir))
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "graphs.cli", *erase),
                    cwd=ROOT,
                    env=environment,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
                said, _ = await process.communicate()
                assert process.returncode == 0, said.decode()
                self.counts["erased"] += 1
            try:
                await asyncio.wait_for(until.wait(), 30)
            except TimeoutError:
                continue

    async def _converse(self) -> None:
        begun = await self._ask("POST", "/v1/sessions", {})
        conversation_id, headers = begun["conversation_id"], {"Authorization": f"Bearer {begun['session_token']}"}
        self.counts["conversations"] += 1
        for _ in range(self._random.randint(1, 3)):
            about = self._random.choice((QUESTIONS, QUESTIONS, QUESTIONS, BUGS))
            await self._say(conversation_id, headers, self._random.choice(about))
        if self._random.random() < 0.2:
            await self._say(conversation_id, headers, self._random.choice(WISHES))
            await self._be_helped(conversation_id)
        self._over.append(conversation_id)

    async def _say(self, conversation_id: str, headers: dict[str, str], text: str) -> None:
        """Ask, and have the end; now and then leave in the middle and go on by the last event's number."""
        body = {
            "threadId": conversation_id,
            "runId": uuid4().hex,
            "messages": [{"id": uuid4().hex, "role": "user", "content": text}],
        }
        how = self._random.choice(("stay", "stay", "resume", "leave"))
        patience = self._random.randint(1, 8) if how != "stay" else None
        path = f"/v1/conversations/{conversation_id}/events"
        async with self._http.stream("POST", "/v1/agui", json=body, headers=headers) as answer:
            last = await self._read(answer, patience)
        if last is not None and how == "resume":
            resumed = {**headers, "Last-Event-ID": str(last)}
            async with self._http.stream("GET", path, headers=resumed) as answer:
                last = await self._read(answer, None)
        elif last is not None:
            while (await self._ask("GET", f"/v1/conversations/{conversation_id}/messages", None, headers))[
                "active_run"
            ]:
                await asyncio.sleep(0.2)
        assert last is None or how == "leave", "a run that was gone on with has no end"
        self.counts["turns"] += 1
        self.counts[how] += 1

    async def _read(self, answer: httpx.Response, patience: int | None) -> int | None:
        """Read a run to its end: None; or so many events: the last one's number."""
        assert answer.status_code == 200, answer.status_code
        last, number = 0, 0
        async for item in read(answer):
            last, number = item.seq or last, number + 1
            if item.event.get("type") in ENDS:
                return None
            if patience is not None and number >= patience and last:
                break
        return last

    async def _be_helped(self, conversation_id: str) -> None:
        """A person takes the conversation, answers and closes it."""
        path = f"/v1/inbox/conversations/{conversation_id}"
        await self._ask("POST", f"{path}/take", {"person": "Grace"})
        said = {"text": "I have looked into it.", "client_message_id": uuid4().hex, "person": "Grace"}
        await self._ask("POST", f"{path}/reply", said)
        await self._ask("POST", f"{path}/resolve", {"outcome": "solved"})
        self.counts["helped by a person"] += 1

    async def _ask(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self._http.request(method, path, json=body, headers=headers)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found
