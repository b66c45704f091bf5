"""What goes wrong with one delivery ends none of the others."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import pytest

from agent.errors import DatabaseAway
from agent.wire import JsonObject
from graphs.deliveries import deliver_for_ever
from server.metrics import Metrics
from tests.server.hooks import listening
from tests.tools.storage.arrange import NOW, open_log
from tests.tools.storage.test_outbox import rate
from tools.storage.database import Database
from tools.storage.hooks import Webhooks
from tools.storage.outbox import Delivery, Outbox
from tools.webhooks.sender import Sent, WebhookSender
from tools.webhooks.signing import secret_of

_MASTER = "a secret of which those of webhooks are made"


class Stumbling(WebhookSender):
    """Fails at one webhook in a way that nobody thought of."""

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        if name == "broken":
            raise ZeroDivisionError
        return await super().send(name, url, event_id, body)


class InDoubt(Outbox):
    """Whose database goes away once: right after it has taken something, or before it is known what became of it."""

    def __init__(self, db: Database, when: str) -> None:
        super().__init__(db, "orrery")
        self._when: str | None = when

    async def take(self, *, limit: int, holder: str, busy: Mapping[str, int] | None = None) -> list[Delivery]:
        taken = await super().take(limit=limit, holder=holder, busy=busy)
        if taken and self._when == "taken":
            self._when = None
            raise DatabaseAway("scripted")
        return taken

    async def delivered(self, delivery: Delivery, *, now: datetime) -> None:
        if self._when == "settled":
            self._when = None
            raise DatabaseAway("scripted")
        await super().delivered(delivery, now=now)


@pytest.mark.parametrize(("when", "times"), [("taken", 2), ("settled", 3)])
async def test_what_was_held_when_the_database_went_away_is_delivered_once_it_is_back(
    when: str, times: int, database: Database
) -> None:
    # Not when its time is up, which is a minute.
    outbox, log = InDoubt(database, when), open_log(database)
    with listening() as hooks:
        hooks.secret = secret_of(_MASTER, "orrery", "crm")
        await Webhooks(database).add("orrery", "crm", hooks.url, ["conversation.rated"], now=NOW)
        await rate(log, 2)
        async with WebhookSender(_MASTER, "orrery") as sender:
            delivering = asyncio.create_task(deliver_for_ever(outbox, sender, Metrics()))
            await asyncio.to_thread(hooks.wait_for, lambda taken: len(taken) == times)
            delivering.cancel()
            await asyncio.wait([delivering])


async def test_an_error_that_nobody_thought_of_ends_no_other_delivery(database: Database) -> None:
    outbox, log = Outbox(database, "orrery"), open_log(database)
    with listening() as hooks:
        hooks.secret = secret_of(_MASTER, "orrery", "crm")
        for name in ("broken", "crm"):
            await Webhooks(database).add("orrery", name, hooks.url, ["conversation.rated"], now=NOW)
        await rate(log)
        async with Stumbling(_MASTER, "orrery") as sender:
            delivering = asyncio.create_task(deliver_for_ever(outbox, sender, Metrics()))
            await asyncio.to_thread(hooks.wait_for, lambda taken: len(taken) == 1)
            await rate(log)
            await asyncio.to_thread(hooks.wait_for, lambda taken: len(taken) == 2)
            # The receiver knows of it a moment before the outbox does.
            async with asyncio.timeout(30):
                while {each.name for each in await outbox.shown(unsettled=True, limit=10)} != {"broken"}:
                    await asyncio.sleep(0.05)
            assert not delivering.done()
            delivering.cancel()
            await asyncio.wait([delivering])


class Slow(WebhookSender):
    """Waits for one webhook as long as it is told to; notes what it was to send."""

    def __init__(self) -> None:
        super().__init__(_MASTER, "orrery")
        self.sent: list[str] = []
        self.wait = asyncio.Event()

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        self.sent.append(name)
        if name == "slow":
            await self.wait.wait()
        return Sent("delivered")


async def test_a_webhook_that_is_slow_keeps_no_other_waiting(database: Database) -> None:
    outbox, log = Outbox(database, "orrery"), open_log(database)
    await Webhooks(database).add("orrery", "slow", "https://slow.example", ["conversation.rated"], now=NOW)
    for _ in range(40):
        await rate(log)
    await Webhooks(database).add("orrery", "crm", "https://crm.example", ["conversation.rated"], now=NOW)
    await rate(log)
    async with Slow() as sender, asyncio.timeout(30):
        delivering = asyncio.create_task(deliver_for_ever(outbox, sender, Metrics()))
        while "crm" not in sender.sent:
            await asyncio.sleep(0.01)
        assert sender.sent.count("slow") == 16
        sender.wait.set()
        while len(sender.sent) < 42:
            await asyncio.sleep(0.01)
        delivering.cancel()
        await asyncio.wait([delivering])
