"""What goes wrong with one delivery ends none of the others."""

import asyncio

from agent.wire import JsonObject
from graphs.deliveries import deliver_for_ever
from server.metrics import Metrics
from tests.server.hooks import listening
from tests.tools.storage.arrange import NOW, open_log
from tests.tools.storage.test_outbox import rate
from tools.storage.database import Database
from tools.storage.hooks import Webhooks
from tools.storage.outbox import Outbox
from tools.webhooks.sender import Sent, WebhookSender
from tools.webhooks.signing import secret_of

_MASTER = "a secret of which those of webhooks are made"


class Stumbling(WebhookSender):
    """Fails at one webhook in a way that nobody thought of."""

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        if name == "broken":
            raise ZeroDivisionError
        return await super().send(name, url, event_id, body)


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
