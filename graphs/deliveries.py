"""Delivering what the outbox holds, for as long as the installation runs."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime
from typing import Protocol

from agent.wire import JsonObject
from graphs.checkpoints import is_outage
from graphs.holder import Holder
from tools.storage.glance import Look, always
from tools.storage.outbox import Delivery, Outbox
from tools.webhooks.sender import Sent

logger = logging.getLogger(__name__)

_POLL_S = 1.0
_AT_ONCE = 16
_PRUNE_EVERY_S = 3600.0


class Sender(Protocol):
    """Makes one attempt at a delivery."""

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        """Tell the webhook `name` at `url` of an event, once, and say what came of it."""
        ...


class DeliveryMetrics(Protocol):
    """What deliveries report about themselves."""

    def delivery_tried(self, result: str) -> None:
        """An attempt came to this."""

    def delivery_seconds(self, seconds: float) -> None:
        """A delivery arrived so long after what it tells of."""


async def deliver_for_ever(
    outbox: Outbox,
    sender: Sender,
    metrics: DeliveryMetrics,
    look: Look = always,
    *,
    holder: Holder | None = None,
) -> None:
    """Send what is due, at most 16 at a time to each webhook; never ends.

    What is under way when it is cancelled is sent again later.
    """
    loop = asyncio.get_running_loop()
    holder = holder or Holder.this_process()
    pruned_at = -_PRUNE_EVERY_S
    # Whether something may be held that nobody delivers: what was taken, or settled, when the database was away.
    in_doubt = False
    async with asyncio.TaskGroup() as group:
        under_way: dict[asyncio.Task[bool], Delivery] = {}
        while True:
            try:
                if loop.time() - pruned_at > _PRUNE_EVERY_S:
                    pruned_at = loop.time()
                    await _tidy(outbox, now=datetime.now(UTC))
                taken = []
                if await look():
                    await _free_what_the_dead_hold(outbox, holder)
                    if in_doubt:
                        await outbox.free(holder.name, but={each.held_by for each in under_way.values()})
                        in_doubt = False
                    busy = Counter(each.name for each in under_way.values())
                    taken = await outbox.take(limit=_AT_ONCE, holder=holder.name, busy=busy)
            except Exception as exc:
                # Whatever it was: without this loop nobody would be told of anything any more.
                logger.warning("outbox can't be read error=%s", type(exc).__name__, exc_info=not is_outage(exc))
                taken, in_doubt = [], True
            for delivery in taken:
                task = group.create_task(_deliver(outbox, sender, metrics, delivery))
                under_way[task] = delivery
            # What waited behind one that is done is due at once.
            if under_way:
                done, _ = await asyncio.wait(under_way, timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del under_way[task]
                    in_doubt = in_doubt or not task.result()
            else:
                await asyncio.sleep(_POLL_S)


async def _tidy(outbox: Outbox, *, now: datetime) -> None:
    """Without it what is for a webhook that is gone for good would grow for ever."""
    if given_up := await outbox.expire(now=now):
        logger.error("deliveries given up count=%d reason=away", given_up)
    await outbox.prune(now=now)


async def _free_what_the_dead_hold(outbox: Outbox, holder: Holder) -> None:
    """A process of this machine that is seen to be gone needn't be waited for."""
    for held_by in await outbox.holders():
        if holder.is_gone(held_by):
            await outbox.free(held_by)


async def _deliver(outbox: Outbox, sender: Sender, metrics: DeliveryMetrics, delivery: Delivery) -> bool:
    """Send it and note what became of it; False when the database was away then."""
    try:
        sent = await sender.send(delivery.name, delivery.url, delivery.event_id, delivery.body)
        metrics.delivery_tried(sent.result)
        await _settle(outbox, metrics, delivery, sent)
    except Exception as exc:
        # Held until its time is up, then taken again; the others go on.
        away = is_outage(exc)
        logger.warning("delivery can't be settled error=%s", type(exc).__name__, exc_info=not away)
        return not away
    return True


async def _settle(outbox: Outbox, metrics: DeliveryMetrics, delivery: Delivery, sent: Sent) -> None:
    now, error = datetime.now(UTC), sent.error or sent.result
    if sent.result == "delivered":
        await outbox.delivered(delivery, now=now)
        metrics.delivery_seconds((now - delivery.created_at).total_seconds())
        return
    if sent.result == "away":
        again = await outbox.away(delivery, error, now=now, retry_after_s=sent.retry_after_s)
    else:
        again = await outbox.refused(delivery, error, now=now, for_good=sent.result == "gone")
    if again:
        logger.info("delivery waits conversation_id=%s reason=%s", delivery.conversation_id, sent.result)
    else:
        logger.error("delivery given up conversation_id=%s reason=%s", delivery.conversation_id, sent.result)
