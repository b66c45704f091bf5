"""Adding, listing, trying and removing webhooks, and trying again what was given up."""

from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadTurn, NotFound
from agent.wire import JsonObject
from graphs.names import usable_name
from graphs.privacy import read_body
from graphs.stores import Stores
from tools.storage.hooks import KINDS, USUAL_KINDS, Webhook, Webhooks
from tools.storage.outbox import Outbox
from tools.webhooks.sender import WebhookSender
from tools.webhooks.signing import secret_of

_SHOWN = 200


class WebhooksBody(BaseModel):
    """What to do; a name is needed to add, try and remove, an address to add."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    do: Literal["add", "list", "secret", "test", "remove", "deliveries", "retry"]
    name: str | None = None
    url: str | None = Field(None, max_length=2000)
    kinds: list[str] = Field(default_factory=list, max_length=50)
    unsettled: bool = False


async def webhooks(stores: Stores, given: JsonObject) -> JsonObject:
    """Do it.

    Raises:
        BadTurn: the name, the address or a kind can't be used, or HELPGRAPH_WEBHOOK_SECRET isn't set.
        Conflict, NotFound: as `Webhooks`.
    """
    body = read_body(WebhooksBody, given)
    kept, outbox, now = Webhooks(stores.db), Outbox(stores.db, stores.workspace_id), datetime.now(UTC)
    if body.do == "list":
        return {"webhooks": [_shown(each) for each in await kept.entries(stores.workspace_id)]}
    if body.do == "deliveries":
        found = await outbox.shown(unsettled=body.unsettled, limit=_SHOWN)
        return {
            "deliveries": [
                {
                    "webhook": each.name,
                    "event": f"{each.conversation_id}.{each.seq}",
                    "type": each.kind,
                    "status": each.status,
                    "refusals": each.refusals,
                    "last_error": each.last_error,
                    "created_at": each.created_at.isoformat(),
                }
                for each in found
            ]
        }
    if body.do == "retry":
        return {"again": await outbox.retry(body.name, now=now)}
    name = usable_name(body.name, of="a webhook's")
    if body.do == "remove":
        await kept.remove(stores.workspace_id, name)
        return {}
    master = _master(stores)
    if body.do == "add":
        kinds = body.kinds or list(USUAL_KINDS)
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise BadTurn(f"there is no kind {unknown[0]!r}; there are {', '.join(KINDS)}", field="kinds")
        await kept.add(stores.workspace_id, name, _usable_url(body.url or ""), kinds, now=now)
        return {"secret": secret_of(master, stores.workspace_id, name)}
    webhook = await _find(stores, kept, name)
    if body.do == "secret":
        return {"secret": secret_of(master, stores.workspace_id, webhook.name)}
    async with WebhookSender(master, stores.workspace_id) as sender:
        trial: JsonObject = {
            "type": "webhook.test",
            "timestamp": now.isoformat(),
            "workspace_id": stores.workspace_id,
            "data": {},
        }
        sent = await sender.send(webhook.name, webhook.url, f"test.{uuid4().hex}", trial)
    return {"result": sent.result, "error": sent.error}


async def _find(stores: Stores, kept: Webhooks, name: str) -> Webhook:
    for webhook in await kept.entries(stores.workspace_id):
        if webhook.name == name:
            return webhook
    raise NotFound(f"there is no webhook {name!r}")


def _master(stores: Stores) -> str:
    secret = stores.settings.webhook_secret
    if secret is None:
        raise BadTurn("set HELPGRAPH_WEBHOOK_SECRET first, for the server too: webhooks are signed with it")
    return secret.get_secret_value()


def _usable_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or url.split() != [url]:
        raise BadTurn("the address must be like https://example.com/hooks", field="url")
    if parts.username or parts.password:
        raise BadTurn("the address must hold no password: receivers know us by the signature", field="url")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise BadTurn("the address must begin with https://, but for this machine's own", field="url")
    return url


def _shown(webhook: Webhook) -> JsonObject:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "kinds": list(webhook.kinds),
        "created_at": webhook.created_at.isoformat(),
        "failures": webhook.failures,
        "last_error": webhook.last_error,
        "waiting": webhook.waiting,
        "given_up": webhook.given_up,
    }
